"""Typesets a document: typeset.py MAIN OUTPUT FONTS…

Prints one JSON object: {"problem": why it failed, "picture": the one at fault, "check": what PDF/A would refuse,
"fonts": those not found}.
Only PDF/A's check tells of characters that no font has: boxes stand for them elsewhere.
"""

import json
import os
import re
import sys

import typst

main, output, *fonts = sys.argv[1:]
compiler = typst.Compiler(main, font_paths=fonts, ignore_system_fonts=True)
problem = picture = check = ""
unknown = []


def find_broken_picture():
    folder = os.path.dirname(main)
    for name in sorted(os.listdir(folder)):
        if not name.startswith(("figure-", "picture-")):
            continue
        try:
            typst.compile(f'#image("{name}")'.encode(), root=folder)
        except typst.TypstError:
            return name
    return ""


try:
    _, warnings = compiler.compile_with_warnings(output=output)
    found = (re.match("unknown font family: (.*)", warning.message) for warning in warnings)
    unknown = sorted({match[1] for match in found if match})
except typst.TypstError as error:
    problem, picture = error.diagnostic, find_broken_picture()
else:
    try:
        compiler.compile(pdf_standards=["a-2b"])
    except typst.TypstError as error:
        check = error.diagnostic
print(json.dumps({"problem": problem, "picture": picture, "check": check, "fonts": unknown}))
