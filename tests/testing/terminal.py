"""Runs a command in a pseudo-terminal: terminal.py COMMAND…

What it prints is copied. A line on standard input is typed, "^C" as Ctrl-C; the line "close" closes the
terminal, by ending.
"""

import os
import pty
import sys
import threading

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])


def copy():
    while True:
        try:
            os.write(1, os.read(terminal, 4096))
        except OSError:
            return


copier = threading.Thread(target=copy, daemon=True)
copier.start()


def obey():
    for line in sys.stdin:
        if line.strip() == "close":
            os._exit(0)
        else:
            os.write(terminal, line.strip().replace("^C", "\x03").encode())


threading.Thread(target=obey, daemon=True).start()
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
copier.join(1)
os._exit(code & 0xFF)
