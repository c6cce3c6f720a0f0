/**
 * Trains one run of a comparison in a process of its own: `deno task compare` starts it and reads its output.
 *
 * It saves and stops when its standard input ends, and so also when the comparison is killed.
 */
import { join } from "@std/path";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { identifyData } from "../../lib/data/identify.ts";
import { describeMachine, readCommit } from "../../lib/experiments/provenance.ts";
import { addSession } from "../../lib/experiments/runs.ts";
import { InputError } from "../../lib/support/errors.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
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
export interface WorkerTask {
  config: TrainConfig;
  /** Folder of the comparison's runs. */
  runsFolder: string;
  /** Resume the run rather than start it. */
  isBegun: boolean;
  /** Expected fingerprint of the images. */
  fingerprint: string;
  /** Runs trained in parallel. */
  jobs: number;
}

/** One line of the worker's standard output, as JSON. */
export type WorkerEvent =
  | { kind: "start"; epochsDone: number; threads: number }
  | ({ kind: "step" } & Pick<TrainStep, "epoch" | "step" | "steps" | "accuracy" | "totalSecondsLeft">)
  | { kind: "epoch"; record: EpochRecord; isBest: boolean }
  | { kind: "message"; text: string }
  | { kind: "end" };

const MILLISECONDS_BETWEEN_STEPS = 250;

const COMMAND = {
  name: "deno run cli/compare/worker.ts",
  summary: "Trains one run of a comparison.",
  options: {},
  positionals: { name: "TASK", help: "a WorkerTask as JSON", from: 1, to: 1 },
} satisfies Command;

async function main({ positionals: [argument] }: CommandLine): Promise<number | void> {
  const { config, runsFolder, isBegun, fingerprint, jobs } = JSON.parse(argument) as WorkerTask;
  const signal = watchInput();
  const commit = await readCommit(); // check now: hours pass until the comparison reads it again
  const datasets = await loadDatasets({ data: config.data, log: (text) => tell({ kind: "message", text }) });
  const data = await identifyData(datasets);
  if (data.fingerprint !== fingerprint) {
    throw new InputError(`Cannot train ${config.run}: the images have changed since the comparison began.`);
  }
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
  try {
    await train(resolveConfig({ base: config }), {
      datasets,
      runsFolder,
      signal,
      resume: isBegun ? await openCheckpoint(findCheckpoint(config.run, "last", runsFolder)) : null,
      observer: {
        onStart,
        onStep({ epoch, step, steps, accuracy, totalSecondsLeft }) {
          if (step < steps && performance.now() - lastStep < MILLISECONDS_BETWEEN_STEPS) return;
          lastStep = performance.now();
          tell({ kind: "step", epoch, step, steps, accuracy, totalSecondsLeft });
        },
        onEpoch: (record, isBest) => tell({ kind: "epoch", record, isBest }),
        onMessage: (text) => tell({ kind: "message", text }),
      },
    });
  } catch (error) {
    if (error instanceof Interrupted) throw new Interrupted(""); // the comparison says how to resume
    throw error;
  }
  tell({ kind: "end" });
}

function tell(event: WorkerEvent): void {
  print(JSON.stringify(event));
}

/** Aborts when standard input ends, or on SIGTERM. Ctrl-C, which reaches both, is the comparison's. */
function watchInput(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", stop);
  Deno.stdin.readable.pipeTo(new WritableStream()).then(stop, stop);
  return controller.signal;
}

if (import.meta.main) await runCommand(COMMAND, main);
