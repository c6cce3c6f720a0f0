import { basename, fromFileUrl, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import type { Jupyter } from "./jupyter.ts";
import { type NotebookFile, readNotebook, sourceOf } from "./notebook_file.ts";

/** Options of {@linkcode executeNotebook}. */
export interface ExecuteOptions {
  /** From {@linkcode ensureJupyter}. */
  jupyter: Jupyter;
  /** Environment variables for the kernel, beside this process's own. */
  env?: Record<string, string>;
  /** Told of each cell that begins, by its number from 1, and of how many. */
  onCell?: (number: number, all: number) => void;
  /** Aborted to stop. */
  signal?: AbortSignal;
  /** How long one cell may take. @default {3600} */
  seconds?: number;
}

/** A cell of a notebook failed. */
export class CellError extends InputError {
  /** Tells it from other errors. */
  override name = "CellError";
  /** What the kernel said, line by line. */
  trace: string;
  /** Makes one of a sentence and of what the kernel said. */
  constructor(message: string, trace: string) {
    super(message);
    this.trace = trace;
  }
}

/** What `execute.py` says, a line each. */
interface Report {
  cell?: number;
  failed?: { cell: number; name: string; message: string; trace: string };
  done?: boolean;
}

const SCRIPT = fromFileUrl(new URL("execute.py", import.meta.url));

/**
 * Executes a notebook from top to bottom in a fresh kernel, in its own folder. The file stays as it is.
 *
 * @returns The notebook with its outputs.
 * @throws {CellError} If a cell fails; it names notebook and cell.
 * @throws {Interrupted} If it was stopped.
 */
export async function executeNotebook(path: string, options: ExecuteOptions): Promise<NotebookFile> {
  const { jupyter, env = {}, onCell = () => {}, signal, seconds = 3600 } = options;
  const notebook = await readNotebook(path);
  const folder = await Deno.makeTempDir({ prefix: "notebook-" });
  try {
    const output = join(folder, "executed.ipynb");
    const child = new Deno.Command(jupyter.python, {
      args: [SCRIPT, path, output, String(seconds)],
      env: { ...jupyter.env, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stop = () => child.kill("SIGTERM");
    signal?.addEventListener("abort", stop);
    const complaints = new Response(child.stderr).text();
    let end: Report = {};
    for await (const report of readReports(child.stdout)) {
      if (report.cell !== undefined) onCell(report.cell + 1, notebook.cells.length);
      else end = report;
    }
    await child.status;
    signal?.removeEventListener("abort", stop);
    if (signal?.aborted) throw new Interrupted(`Stopped while ${basename(path)} was executed.`);
    if (end.failed) throw explainCell(path, notebook, end.failed);
    if (!end.done) {
      throw new InputError(
        `Cannot execute ${basename(path)}: Jupyter failed: ${(await complaints).trim().split("\n").at(-1)}.`,
      );
    }
    return await readNotebook(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function* readReports(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Report> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

function explainCell(
  path: string,
  notebook: NotebookFile,
  { cell, name, message, trace }: NonNullable<Report["failed"]>,
): CellError {
  const failed = notebook.cells[cell];
  const first = sourceOf(failed).trim().split("\n")[0];
  return new CellError(
    `Cannot execute ${basename(path)}: cell ${
      cell + 1
    } (${failed.id}: ${first}) failed: ${name}: ${message}.`,
    trace,
  );
}
