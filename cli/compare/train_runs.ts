import { fromFileUrl } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { formatThreads } from "../../lib/support/format.ts";
import { startProcess } from "../../lib/support/processes.ts";
import type { SweepRun } from "../../lib/experiments/manifest.ts";
import type { PlannedRun } from "../../lib/experiments/plan.ts";
import type { RunState } from "../../lib/experiments/runs.ts";
import { createLive } from "../shared/live.ts";
import { formatTable } from "../shared/table.ts";
import { outputWidth, printMessage, showPath } from "../shared/terminal.ts";
import { createCompareProgress } from "./progress.ts";
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

export interface TrainRunsOptions {
  runsFolder: string;
  /** Runs trained in parallel. */
  jobs: number;
  /** Seconds without a heartbeat after which others may take a run over. */
  staleAfter: number;
  /** Wait to see whether a claim's process is alive. @default {false} */
  waits?: boolean;
  signal: AbortSignal;
}

/**
 * Trains those runs that are not finished, each in a process of its own, several in parallel, with progress
 * on standard error. Runs that another process trains, here or on another host, are left to it.
 */
export async function trainRuns(
  runs: readonly SweepRun[],
  states: ReadonlyMap<PlannedRun, RunState>,
  { jobs: wanted, signal, ...options }: TrainRunsOptions,
): Promise<Outcome<SweepRun>> {
  const left = runs.filter((run) => states.get(run)!.stage !== "finished");
  const done = runs.length - left.length;
  if (done > 0) printMessage(`${done} of ${runs.length} runs are already finished.`);
  if (left.length === 0) return { failed: [], isInterrupted: false };
  const jobs = Math.max(1, Math.min(wanted, left.length));
  const [{ data, weights, threads }] = left;
  const share = `${formatThreads(threads)} each`;
  printMessage(formatTable({
    rows: [
      ["data", `${data.name} (fingerprint ${data.fingerprint})`],
      ["weights", weights],
      ["runs", `${left.length} to train, ${jobs} at once with ${share}, in ${showPath(options.runsFolder)}`],
    ],
    prose: 1,
    width: outputWidth(Deno.stderr),
  }));
  const live = await createLive();
  const progress = createCompareProgress({ live, runs, states, jobs });
  signal.addEventListener("abort", () => live.print("Stopping: each training saves what it has …"));
  const start = async (run: SweepRun) => {
    progress.onBegin(run);
    const end = await runWorker(run, {
      ...options,
      jobs,
      signal,
      onEvent: (event) => progress.onEvent(run, event),
    });
    if (end === "stopped") progress.onStop(run);
    return end !== "stopped";
  };
  const outcome = await scheduleRuns<SweepRun>({
    runs: left,
    jobs,
    signal,
    onFailure: progress.onFailure,
    start,
  });
  live.leave();
  return outcome;
}

const WORKER = fromFileUrl(new URL("./worker.ts", import.meta.url));
const KEPT_LINES = 20; // of a failing worker's standard error

/**
 * Trains one run of a comparison in a process of its own.
 *
 * @throws {InputError} With the worker's last words if it failed.
 */
async function runWorker(
  { config, data, weights, threads }: SweepRun,
  { signal, onEvent, runsFolder, staleAfter, waits = false, jobs }: TrainRunsOptions & {
    onEvent(event: WorkerEvent): void;
  },
): Promise<"finished" | "stopped" | "held"> {
  const task: WorkerTask = { config, data, weights, runsFolder, jobs, waits, staleAfter };
  const errors: string[] = [];
  let end: "finished" | "held" | null = null;
  const child = await startProcess(
    Deno.execPath(),
    ["run", "-q", "--no-prompt", "-P=compute", "--no-check", WORKER, JSON.stringify(task)],
    {
      env: { TF_NUM_INTRAOP_THREADS: String(threads) },
      input: true,
      onOutput: (line) => {
        const event = parseEvent(line);
        if (event.kind === "end") end = "finished";
        if (event.kind === "held") end = "held";
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
    if (end !== null && code === 0) return end;
    if (code === 130 || endedBy === "SIGTERM") return "stopped";
    const last = errors.at(-1) ?? "";
    const why = last.startsWith("error: ") ? last.slice("error: ".length) : errors.join("\n");
    throw new InputError(`${config.run} failed (exit code ${code ?? endedBy}): ${why}`);
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
