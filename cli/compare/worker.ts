/**
 * Trains one run of a comparison in a process of its own: `deno task compare` starts it and reads its output.
 *
 * It saves and stops when its standard input ends, and so also when the comparison is killed.
 */
import { join } from "@std/path";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { type DataIdentity, identifyData } from "../../lib/data/identify.ts";
import { type Claim, ClaimLostError, claimsOf, tryClaim } from "../../lib/experiments/claim.ts";
import { describeMachine, readCommit } from "../../lib/experiments/provenance.ts";
import { addSession, inspectRun, type SharedInputs } from "../../lib/experiments/runs.ts";
import { loadPretrained } from "../../lib/model/pretrained.ts";
import { InputError } from "../../lib/support/errors.ts";
import { Interrupted, throwIfInterrupted } from "../../lib/support/interrupt.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import type { TrainStart, TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { findCheckpoint } from "../../lib/training/run_folder.ts";
import { train } from "../../lib/training/train.ts";
import { runCommand } from "../shared/command.ts";
import type { Command, CommandLine } from "../shared/options.ts";
import { print } from "../shared/terminal.ts";

/** The worker's argument, as JSON. */
export interface WorkerTask extends SharedInputs {
  config: TrainConfig;
  /** Folder of the comparison's runs. */
  runsFolder: string;
  /** Runs trained in parallel. */
  jobs: number;
  /** Nobody else is to train it later: wait to see whether a claim's process is alive. */
  waits: boolean;
  /** Seconds without a heartbeat after which others may take the run over. */
  staleAfter: number;
}

/** One line of the worker's standard output, as JSON. */
export type WorkerEvent =
  | { kind: "start"; epochsDone: number; threads: number }
  | ({ kind: "step" } & Pick<TrainStep, "epoch" | "step" | "steps" | "accuracy" | "totalSecondsLeft">)
  | { kind: "epoch"; record: EpochRecord; isBest: boolean }
  | { kind: "message"; text: string }
  | { kind: "held"; by: string }
  | { kind: "end" };

const MILLISECONDS_BETWEEN_STEPS = 250;

const COMMAND = {
  name: "deno run cli/compare/worker.ts",
  summary: "Trains one run of a comparison.",
  options: {},
  positionals: { name: "TASK", help: "a WorkerTask as JSON", from: 1, to: 1 },
} satisfies Command;

async function main({ positionals: [argument] }: CommandLine): Promise<void> {
  const task = JSON.parse(argument) as WorkerTask;
  const signal = watchInput();
  const found = await claimRun(task, signal);
  if ("holder" in found) {
    const { process, host } = found.holder.record;
    return tell({ kind: "held", by: `process ${process} on ${host}` });
  }
  using claim = found.claim;
  const progress = { steps: 0 };
  try {
    await trainRun(task, claim, signal, progress);
    claim.release("finished", progress.steps);
  } catch (error) {
    if (error instanceof ClaimLostError) throw error;
    claim.release(error instanceof Interrupted ? "stopped" : "failed", progress.steps);
    if (error instanceof Interrupted) throw new Interrupted(""); // the comparison says how to resume
    throw error;
  }
  tell({ kind: "end" });
}

/** Claims a run; where it has to wait, until the holder has given a sign of life or its claim is stale. */
async function claimRun({ config: { run }, runsFolder, waits, staleAfter }: WorkerTask, signal: AbortSignal) {
  const options = { staleAfter, log: (text: string) => tell({ kind: "message", text }) };
  const path = claimsOf(runsFolder, run);
  const first = tryClaim(path, options);
  if ("claim" in first || !waits) return first;
  const { record: { process, host, staleAfter: longest }, path: file, beat } = first.holder;
  options.log(`Waiting for a sign of life of process ${process} on ${host}, at most ${longest} s …`);
  let found: ReturnType<typeof tryClaim> = first;
  for (let waited = 0; waited <= longest; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    throwIfInterrupted(signal);
    found = tryClaim(path, options);
    if ("claim" in found || found.holder.path !== file || found.holder.beat > beat) break;
  }
  return found;
}

/** Trains a run, or resumes it; nothing if it is finished. `progress` receives the steps of all epochs. */
async function trainRun(task: WorkerTask, claim: Claim, signal: AbortSignal, progress: { steps: number }) {
  const { data: expected, weights, runsFolder, jobs } = task;
  const log = (text: string) => tell({ kind: "message", text });
  const { stage, config } = await inspectRun(task, task, runsFolder);
  if (stage === "finished") return;
  const commit = await readCommit(); // check now: hours pass until the comparison reads it again
  const datasets = await loadDatasets({ data: config.data, log });
  const data = await identifyData(datasets);
  const pretrained = stage === "new" ? await loadPretrained({ weights: config.weights, log }) : undefined;
  checkInputs(config.run, { data: expected, weights }, { data, weights: pretrained?.name ?? weights });
  const { device } = await useNativeTensorFlow({ device: config.device });
  const machine = await describeMachine(device);
  let lastStep = -Infinity;
  const onStart = ({ recorded: { threads, tensorflow }, epochsDone }: TrainStart) => {
    const date = new Date().toISOString();
    addSession(join(runsFolder, config.run), data, {
      date,
      commit,
      machine,
      device,
      threads,
      jobs,
      tensorflow,
    });
    tell({ kind: "start", epochsDone, threads });
  };
  await train(resolveConfig({ base: config }), {
    datasets,
    pretrained,
    runsFolder,
    signal,
    requireClaim: claim.requireOwn,
    resume: stage === "interrupted"
      ? await openCheckpoint(findCheckpoint(config.run, "last", runsFolder))
      : null,
    observer: {
      onStart,
      onStep({ epoch, step, steps, accuracy, totalSecondsLeft }) {
        progress.steps = (epoch - 1) * steps + step;
        if (step < steps && performance.now() - lastStep < MILLISECONDS_BETWEEN_STEPS) return;
        lastStep = performance.now();
        tell({ kind: "step", epoch, step, steps, accuracy, totalSecondsLeft });
      },
      onEpoch: (record, isBest) => tell({ kind: "epoch", record, isBest }),
      onMessage: log,
    },
  });
}

/** Refuses other images or weights than the comparison was planned with. */
function checkInputs(run: string, planned: SharedInputs, found: SharedInputs): void {
  const name = ({ name, fingerprint }: DataIdentity) => `${name} (fingerprint ${fingerprint})`;
  const differing = [
    [name(planned.data), name(found.data)],
    [planned.weights, found.weights],
  ].find(([wanted, given]) => wanted !== given);
  if (differing === undefined) return;
  const [wanted, given] = differing;
  throw new InputError({ what: `train ${run}`, why: `it was planned with ${wanted}, and here is ${given}` });
}

function tell(event: WorkerEvent): void {
  print(JSON.stringify(event));
}

/** Aborts when standard input ends, or on SIGTERM. Ctrl-C and USR1 are the comparison's. */
function watchInput(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ["SIGINT", "SIGUSR1"] as const) Deno.addSignalListener(signal, () => {});
  Deno.addSignalListener("SIGTERM", stop);
  Deno.stdin.readable.pipeTo(new WritableStream()).then(stop, stop);
  return controller.signal;
}

if (import.meta.main) await runCommand(COMMAND, main);
