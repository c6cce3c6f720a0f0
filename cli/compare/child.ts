import { fromFileUrl } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import type { WorkerEvent, WorkerTask } from "./worker.ts";

/** What {@linkcode runWorker} is told besides its task. */
export interface RunWorkerOptions {
  /** Threads within an operation. */
  threads: number;
  /** Aborted to stop the training; it is saved first. */
  signal: AbortSignal;
  onEvent(event: WorkerEvent): void;
}

const WORKER = fromFileUrl(new URL("./worker.ts", import.meta.url));
const KEPT_LINES = 20; // of what a failing worker said last

/**
 * Trains one run of a comparison in a process of its own.
 *
 * @returns True when it is done, false if it was stopped.
 * @throws {InputError} With the worker's last words if it failed.
 */
export async function runWorker(task: WorkerTask, options: RunWorkerOptions): Promise<boolean> {
  const { threads, signal, onEvent } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER, JSON.stringify(task)],
    env: { TF_NUM_INTRAOP_THREADS: String(threads) },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // the worker takes the end of its input as the sign to save and stop
  const stop = () => void child.stdin.close().catch(() => {});
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const said: string[] = [];
  let isDone = false;
  try {
    const listen = readLines(child.stdout, (line) => {
      const event = parseEvent(line);
      if (event.kind === "end") isDone = true;
      onEvent(event);
    });
    const collect = readLines(child.stderr, (line) => {
      said.push(line);
      if (said.length > KEPT_LINES) said.shift();
    });
    const [{ code }] = await Promise.all([child.status, listen, collect]);
    if (isDone && code === 0) return true;
    if (code === 130 || code === 143) return false;
    const words = said.at(-1)?.startsWith("error: ") ? said.at(-1)!.slice("error: ".length) : said.join("\n");
    throw new InputError(`${task.config.run} failed (exit code ${code}): ${words}`);
  } finally {
    signal.removeEventListener("abort", stop);
    if (!signal.aborted) stop();
  }
}

function parseEvent(line: string): WorkerEvent {
  try {
    return JSON.parse(line) as WorkerEvent;
  } catch {
    return { kind: "message", text: line }; // a library that prints
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  for await (
    const text of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
}
