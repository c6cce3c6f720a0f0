"""Unpacks the wanted files of downloaded wheels, and deletes the wheels: unpack.py WHEELS TARGET PATTERN

Installing a wheel would write all its files, and TensorFlow's has 15,000 where 20 are needed.
"""

import os
import re
import sys
import zipfile

wheels, target, pattern = sys.argv[1:]
wanted = re.compile(pattern)

for name in sorted(os.listdir(wheels)):
    path = os.path.join(wheels, name)
    with zipfile.ZipFile(path) as wheel:
        for file in wheel.infolist():
            if file.is_dir() or not wanted.search(file.filename):
                continue
            print("unpacking", os.path.basename(file.filename), flush=True)
            unpacked = wheel.extract(file, target)
            permissions = file.external_attr >> 16
            if permissions & 0o111:
                os.chmod(unpacked, 0o755)
    os.remove(path)
