"""Executes a notebook in a fresh kernel: execute.py NOTEBOOK OUTPUT SECONDS

Prints one JSON object per line: {"cell": 3} as a cell begins, {"failed": {...}} for the cell that failed,
{"done": true} at the end.
OUTPUT gets the notebook as far as it came.
"""

import json
import os
import sys
from queue import Empty

import nbformat
from jupyter_client.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError, DeadKernelError

path, output, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])

reports = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # the kernel's own standard output, into which a cell may write


def report(**values):
    print(json.dumps(values), file=reports, flush=True)


SECONDS_OF_SILENCE = 0.15


class Client(NotebookClient):
    """Reports which cell is running, and takes outputs that arrive after the kernel is idle again."""

    running = -1

    async def async_execute_cell(self, cell, cell_index, **options):
        self.running = cell_index
        report(cell=cell_index)
        return await super().async_execute_cell(cell, cell_index, **options)

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        while True:  # Deno's "idle" may overtake what was to be shown before it
            try:
                message = await ensure_async(self.kc.iopub_channel.get_msg(timeout=SECONDS_OF_SILENCE))
            except Empty:
                return
            if message["parent_header"].get("msg_id") == parent_msg_id:
                try:
                    self.process_message(message, cell, cell_index)
                except CellExecutionComplete:
                    pass


notebook = nbformat.read(path, as_version=4)
client = Client(
    notebook,
    timeout=seconds,
    kernel_name="deno",
    resources={"metadata": {"path": os.path.dirname(os.path.abspath(path))}},
    record_timing=False,
)
failed = None
try:
    client.execute()
except CellExecutionError as error:
    failed = {"name": error.ename, "message": error.evalue, "trace": error.traceback}
except CellTimeoutError:
    failed = {"name": "timeout", "message": f"it took more than {seconds} s", "trace": ""}
except DeadKernelError:
    failed = {"name": "dead kernel", "message": "the kernel died", "trace": ""}
nbformat.write(notebook, output)
if failed:
    report(failed={"cell": client.running, **failed})
else:
    report(done=True)
