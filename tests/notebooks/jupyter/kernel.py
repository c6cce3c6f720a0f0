"""Executes cells in a kernel: kernel.py FOLDER CELLS, a JSON list of {"code", "stopAfter"}.

Prints a JSON list of what each shows.

stopAfter presses the toolbar's ■ after so many seconds.
"""

import json
import sys
import threading
from queue import Empty

from jupyter_client import KernelManager

folder, cells = sys.argv[1], json.loads(sys.argv[2])
manager = KernelManager(kernel_name="deno")
manager.start_kernel(cwd=folder)
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)
shown = []


def show(message):
    content = message["content"]
    data = content.get("data", {}).get("text/plain", "")
    shown[-1] += content.get("text", "") + data + content.get("evalue", "")


for cell in cells:
    shown.append("")
    if "stopAfter" in cell:
        threading.Timer(cell["stopAfter"], manager.interrupt_kernel).start()
    try:
        client.execute_interactive(cell["code"], timeout=60, output_hook=show, allow_stdin=False)
    except TimeoutError:
        shown[-1] += "TIMEOUT"
    except RuntimeError as error:
        shown[-1] += f"KERNEL DEAD: {error}"
    while True:  # Deno's "idle" may overtake what was to be shown before it
        try:
            show(client.get_iopub_msg(timeout=0.3))
        except Empty:
            break
print(json.dumps(shown))
client.stop_channels()
manager.shutdown_kernel(now=True)
