import { fromFileUrl } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { startProcess } from "../../lib/support/processes.ts";
import type { WorkerEvent, WorkerTask } from "./worker.ts";

/** Outcome of {@linkcode scheduleRuns}. */
export interface Outcome<Run> {
  failed: { run: Run; error: unknown }[];
  /** True if the signal stopped it before all runs were finished. */
  isInterrupted: boolean;
}

export interface ScheduleOptions<Run> {
  runs: readonly Run[];
  /** Runs in parallel. */
  jobs: number;
  /** Trains one run; resolves to true when it is finished, to false when it was stopped and saved. */
  start(run: Run): Promise<boolean>;
  /** Aborted to start no more runs. */
  signal: AbortSignal;
  /** Reports a run that failed, at once. */
  onFailure?(run: Run, error: unknown): void;
}

/** Trains runs in order, several in parallel. A run that fails does not stop the others. */
export async function scheduleRuns<Run>(options: ScheduleOptions<Run>): Promise<Outcome<Run>> {
  const { runs, jobs, start, signal, onFailure } = options;
  const queue = [...runs];
  const outcome: Outcome<Run> = { failed: [], isInterrupted: false };
  const work = async () => {
    while (queue.length > 0) {
      if (signal.aborted) {
        outcome.isInterrupted = true;
        return;
      }
      const run = queue.shift()!;
      try {
        if (!await start(run)) outcome.isInterrupted = true;
      } catch (error) {
        outcome.failed.push({ run, error });
        onFailure?.(run, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, runs.length) }, work));
  return outcome;
}

export interface RunWorkerOptions {
  /** Threads within an operation. */
  threads: number;
  /** Aborted to stop the training, which is saved first. */
  signal: AbortSignal;
  onEvent(event: WorkerEvent): void;
}

const WORKER = fromFileUrl(new URL("./worker.ts", import.meta.url));
const KEPT_LINES = 20; // of a failing worker's standard error

/**
 * Trains one run of a comparison in a process of its own.
 *
 * @returns True when it is finished, false if it was stopped.
 * @throws {InputError} With the worker's last words if it failed.
 */
export async function runWorker(task: WorkerTask, options: RunWorkerOptions): Promise<boolean> {
  const { threads, signal, onEvent } = options;
  const errors: string[] = [];
  let isDone = false;
  const child = await startProcess(
    Deno.execPath(),
    ["run", "-q", "--no-prompt", "-P=compute", "--no-check", WORKER, JSON.stringify(task)],
    {
      env: { TF_NUM_INTRAOP_THREADS: String(threads) },
      input: true,
      onOutput: (line) => {
        const event = parseEvent(line);
        if (event.kind === "end") isDone = true;
        onEvent(event);
      },
      onError: (line) => {
        errors.push(line);
        if (errors.length > KEPT_LINES) errors.shift();
      },
    },
  );
  const stop = () => child.closeInput(); // the worker saves and stops at the end of its input
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const { code, signal: endedBy } = await child.ended;
    if (isDone && code === 0) return true;
    if (code === 130 || endedBy === "SIGTERM") return false;
    const last = errors.at(-1) ?? "";
    const why = last.startsWith("error: ") ? last.slice("error: ".length) : errors.join("\n");
    throw new InputError(`${task.config.run} failed (exit code ${code ?? endedBy}): ${why}`);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function parseEvent(line: string): WorkerEvent {
  try {
    return JSON.parse(line) as WorkerEvent;
  } catch {
    return { kind: "message", text: line }; // printed by a library
  }
}
