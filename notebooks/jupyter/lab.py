"""Serves JupyterLab until standard input is closed: when the program that started it ends, in whatever way.

Its own session keeps Ctrl-C and a closed terminal away from it, which would end it before it has ended its
kernels.
"""

import os
import signal
import sys
import threading

from jupyterlab.labapp import main


def wait_for_end():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


os.setsid()
threading.Thread(target=wait_for_end, daemon=True).start()
sys.exit(main())
