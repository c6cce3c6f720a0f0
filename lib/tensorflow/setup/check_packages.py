"""Checks that packages are completely installed: check_packages.py NAME … | -r REQUIREMENTS

Exits with 1 if one is missing, of another version, or has lost files or parts of them. (Longer ones were
changed by somebody: a certificate added.) One that has lost some is made unknown to pip, which would take it
for installed, but never outside this Python's own environment.
"""

import csv
import importlib.metadata
import os
import re
import shutil
import sys

from pip._vendor.packaging.markers import Marker

PIN = re.compile(r"^([\w.-]+)==([^\s;+]+)[^\s;]*(?: *;([^\\\n]*))?", re.MULTILINE)


def is_whole(package):
    record = package.read_text("RECORD")
    if not record:
        return False
    for path, _, size in csv.reader(record.splitlines()):
        if path.endswith(".pyc"):
            continue
        try:
            if os.stat(package.locate_file(path)).st_size < int(size or 0):
                return False
        except OSError:
            return False
    return True


if sys.argv[1] == "-r":
    with open(sys.argv[2], encoding="utf-8") as file:
        pins = PIN.findall(file.read())
else:
    pins = [(name, None, "") for name in sys.argv[1:]]

code = 0
for name, version, marker in pins:
    if marker.strip() and not Marker(marker.strip()).evaluate():
        continue
    try:
        package = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        code = 1
        continue
    if version is not None and package.version.split("+")[0] != version:
        code = 1
    elif not is_whole(package):
        code = 1
        record = os.path.realpath(str(package._path))  # its .dist-info
        if sys.prefix != sys.base_prefix and record.startswith(os.path.realpath(sys.prefix) + os.sep):
            shutil.rmtree(record, ignore_errors=True)
sys.exit(code)
