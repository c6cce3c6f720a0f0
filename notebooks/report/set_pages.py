"""Sets pages by typst: set_pages.py FOLDER OUTPUT FONTS...

FOLDER holds main.typ and all it needs; nothing else is read, and no font of the machine. What typst complains of goes to standard error.
"""

import os
import sys

import typst

folder, output, *fonts = sys.argv[1:]
try:
    typst.compile(
        os.path.join(folder, "main.typ"),
        output=output,
        root=folder,
        font_paths=fonts,
        ignore_system_fonts=True,
    )
except typst.TypstError as error:
    sys.exit("\n".join(line for line in [error.message, *error.hints] if line))
