import { basename, fromFileUrl, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import { makeTemporaryFolder } from "../../lib/support/temporary_folder.ts";
import { startProcess } from "../../lib/support/processes.ts";
import type { Jupyter } from "./jupyter.ts";
import { type NotebookFile, readNotebook, sourceOf } from "./notebook_file.ts";

export interface ExecuteOptions {
  /** From {@linkcode ensureJupyter}. */
  jupyter: Jupyter;
  /** More environment variables for the kernel. */
  env?: Record<string, string>;
  /** Called before each cell, with its number from 1 and the total. */
  onCell?: (number: number, all: number) => void;
  /** Aborted to stop. */
  signal?: AbortSignal;
  /** Time limit of one cell. @default {3600} */
  seconds?: number;
}

/** A cell of a notebook failed. */
export class CellError extends InputError {
  override name = "CellError";
  /** Stack trace from the kernel. */
  trace: string;
  constructor(message: string, trace: string) {
    super(message);
    this.trace = trace;
  }
}

/** One line that `execute.py` prints. */
interface Report {
  cell?: number;
  failed?: { cell: number; name: string; message: string; trace: string };
  done?: boolean;
}

const SCRIPT = fromFileUrl(new URL("execute.py", import.meta.url));

/**
 * Executes a notebook from top to bottom in a fresh kernel, in its own folder. The file is not changed.
 *
 * @returns The notebook with its outputs.
 * @throws {CellError} If a cell fails; it names notebook and cell.
 * @throws {Interrupted} If it was stopped.
 */
export async function executeNotebook(path: string, options: ExecuteOptions): Promise<NotebookFile> {
  const { jupyter, env = {}, onCell = () => {}, signal, seconds = 3600 } = options;
  const notebook = readNotebook(path);
  using folder = makeTemporaryFolder();
  const output = join(folder.path, "executed.ipynb");
  let end: Report = {};
  const child = await startProcess(jupyter.python, [SCRIPT, path, output, String(seconds)], {
    env: { ...jupyter.env, ...env },
    extendEnv: false,
    signal,
    onOutput: (line) => {
      const report = JSON.parse(line) as Report;
      if (report.cell !== undefined) onCell(report.cell + 1, notebook.cells.length);
      else end = report;
    },
  });
  const { stderr, signal: killed } = await child.ended;
  if (signal?.aborted) throw new Interrupted(`Stopped while ${basename(path)} was executed.`);
  if (end.failed) throw explainCell(path, notebook, end.failed);
  if (!end.done) {
    const last = stderr.trim().split("\n").at(-1);
    const why = killed === null ? `Jupyter failed: ${last}` : `${killed} ended Jupyter`;
    throw new InputError({ what: `execute ${basename(path)}`, why });
  }
  return readNotebook(output);
}

function explainCell(
  path: string,
  notebook: NotebookFile,
  { cell, name, message, trace }: NonNullable<Report["failed"]>,
): CellError {
  const failed = notebook.cells[cell];
  const first = sourceOf(failed).trim().split("\n")[0].slice(0, 80);
  return new CellError(
    `Cannot execute ${basename(path)}: cell ${cell + 1} (${failed.id}: ${first}) failed: ${name}: ${
      message.slice(0, 500).replace(/\.$/, "")
    }.`,
    trace,
  );
}
