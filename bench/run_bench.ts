/** Runs the benchmark: starts the processes, compares gradients, measures. */
import { basename, dirname, fromFileUrl, join } from "@std/path";
import { describeMachine, type Machine, readCommit } from "../lib/experiments/provenance.ts";
import { InputError } from "../lib/support/errors.ts";
import { exists } from "../lib/support/files.ts";
import { Interrupted } from "../lib/support/interrupt.ts";
import { makeTemporaryFolder } from "../lib/support/temporary_folder.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime/installation.ts";
import { ACCURACY, BATCH_SIZE, type BenchContext, type Row, ROWS } from "./cases.ts";
import { type ColumnResult, type ColumnsOptions, measureColumns } from "./columns.ts";
import { type Agreement, compareGradients, GPU_LIMIT, LIMIT } from "./gradients.ts";
import {
  type BenchProcess,
  openOwn,
  openProcess,
  type OwnDescription,
  type Prepared,
  type PyTorchDescription,
} from "./process.ts";
import type { Overhead, StepProfile } from "./profile.ts";
import { trainRow } from "./train.ts";
import type { Spread } from "./rounds.ts";

export interface BenchOptions extends ColumnsOptions {
  /** Training images per timed epoch. */
  epochImages: number;
  /** Python interpreter that has PyTorch; null where no row needs it. */
  python: string | null;
  /** Threads within an operation, on both sides. */
  threads: number;
  device: DeviceChoice;
  data: string | null;
  weights: string | null;
  /** Profile the operations of a step. */
  profile: boolean;
  isQuick: boolean;
  loadAverage: number[];
  /** Warning that the machine was busy. */
  warning: string | null;
  onMessage(text: string): void;
}

/** Everything measured; the content of the file that `--json` names. */
export interface BenchResult {
  /** Start, ISO 8601. */
  date: string;
  /** True for a smoke test instead of a measurement. */
  isQuick: boolean;
  machine: Machine;
  /** Load averages over 1, 5 and 15 minutes at the start. */
  loadAverage: number[];
  warning: string | null;
  own: OwnDescription | null;
  pytorch: PyTorchDescription | null;
  /** Git commit of the code; null outside a checkout. */
  commit: string | null;
  data: string;
  weights: string;
  settings: {
    rounds: number;
    warmUp: number;
    /** Milliseconds. */
    turn: number;
    batchSize: number;
    /** Training images per timed epoch; times are scaled to all 50,000. */
    epochImages: number;
  };
  agreement: Agreement[];
  columns: ColumnResult[];
  /** Fraction of an epoch spent on creating batches. */
  dataShare: Spread | null;
  /** Fraction of a compiled step spent outside TensorFlow. */
  overhead: (Overhead & { batchSize: number }) | null;
  profile: StepProfile | null;
  /** Duration of the benchmark in seconds. */
  seconds: number;
}

/**
 * Runs the benchmark.
 *
 * @throws {InputError} If gradients disagree, devices differ, or a process cannot run.
 * @throws {Interrupted} If it was stopped; its processes end at once.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const started = performance.now();
  const date = new Date().toISOString();
  using temporary = makeTemporaryFolder();
  const folder = temporary.path;
  if (options.python !== null) options = { ...options, python: linkPython(options.python, folder) };
  try {
    await using own = await open(options, options.onMessage);
    await using pytorch = options.python === null ? null : await openPyTorch(options);
    options.onProgress("starting");
    const { rows, signal, onProgress, data, weights } = options;
    const descriptions = {
      own: await own.ask<OwnDescription>({ command: "describe" }),
      pytorch: await pytorch?.ask<PyTorchDescription>({ command: "describe" }) ?? null,
    };
    requireSameDevice(descriptions.own, descriptions.pytorch);
    const prepared = await own.ask<Prepared>({ command: "prepare", folder, data, weights });
    const { state, images, batches } = prepared;
    const accuracies: Partial<Record<Row, number[]>> = {};
    const context: BenchContext = {
      processOf: (row) => ROWS[row].side === "own" ? own : pytorch!,
      open: (row) => ROWS[row].side === "own" ? open(options) : openPyTorch(options),
      load: { command: "load", state, data: prepared.data, images },
      epochImages: Math.min(options.epochImages, images),
      async train(row, seed) {
        const { seconds, accuracy } = await trainRow(row, seed, { ...options, folder, prepared });
        (accuracies[row] ??= []).push(accuracy);
        return seconds;
      },
    };
    await own.ask(context.load);
    await pytorch?.ask(context.load);
    const limit = descriptions.own.device === "gpu" ? GPU_LIMIT : LIMIT;
    const agreement = pytorch
      ? await compareGradients(context, { rows, batches, folder, limit, signal, onProgress })
      : [];
    const { columns, dataShare } = await measureColumns(options, context, own);
    for (const row of columns.find(({ id }) => id === ACCURACY)?.rows ?? []) {
      row.accuracies = accuracies[row.row as Row];
    }
    const hasOurs = columns.some(({ rows }) => rows.some(({ row }) => row === "ours"));
    const count = Math.max(5, Math.ceil(options.turn / 20));
    const overhead = hasOurs ? await measureOverhead(options, own, count) : null;
    const profile = options.profile
      ? await own.ask<StepProfile>({ command: "profile", batchSize: BATCH_SIZE, count })
      : null;
    signal.throwIfAborted();
    const { isQuick, loadAverage, warning, rounds, warmUp, turn } = options;
    return {
      date,
      isQuick,
      machine: await describeMachine(descriptions.own.device),
      loadAverage,
      warning,
      ...descriptions,
      commit: await readCommit(),
      data: prepared.dataName,
      weights: prepared.weightsName,
      settings: { rounds, warmUp, turn, batchSize: BATCH_SIZE, epochImages: context.epochImages },
      agreement,
      columns,
      dataShare,
      overhead,
      profile,
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } catch (error) {
    // the processes are stopped as well; ignore their errors
    throw options.signal.aborted ? new Interrupted("Stopped; nothing was written.") : error;
  }
}

const HERE = fromFileUrl(new URL(".", import.meta.url));

function open({ device, threads, signal }: BenchOptions, onMessage?: (line: string) => void) {
  const env = { TF_NUM_INTRAOP_THREADS: String(threads) };
  return openOwn(device, { name: "TensorFlow.js", env, signal, onMessage });
}

function openPyTorch({ python, device, threads, signal }: BenchOptions): Promise<BenchProcess> {
  const flags = ["--threads", String(threads), "--device", device === "gpu" ? "cuda" : device];
  return openProcess({
    name: "PyTorch",
    command: python!,
    args: [join(HERE, "pytorch", "peer.py"), ...flags],
    advice: "give another --python, or leave it out to have PyTorch installed",
    signal,
  });
}

/**
 * Links a Python environment into a folder if its path has a space or a colon, at which LD_PRELOAD and
 * PyTorch's compiler stop.
 *
 * @param python Interpreter of an environment; of others the path is returned as it is.
 * @param folder Folder whose path has neither.
 * @returns Path of the interpreter.
 */
export function linkPython(python: string, folder: string): string {
  const environment = dirname(dirname(python));
  if (!/[\s:]/.test(python) || !exists(join(environment, "pyvenv.cfg"))) return python;
  const link = join(folder, "python");
  Deno.symlinkSync(environment, link);
  return join(link, "bin", basename(python));
}

/**
 * Refuses to compare a GPU with a CPU.
 *
 * @throws {InputError} If the two sides compute on different kinds of device.
 */
export function requireSameDevice(own: OwnDescription, pytorch: PyTorchDescription | null): void {
  if (pytorch === null || (own.device === "cpu") === (pytorch.device === "cpu")) return;
  throw new InputError({
    what: "compare",
    why: `TensorFlow computes on the ${own.device.toUpperCase()} and PyTorch on ${pytorch.device}`,
    next: [{ set: { device: "cpu" } }, { advice: "make sure that both find the GPU" }],
  });
}

const TRIES = 3;

/** Measures the time of a step outside TensorFlow; the median of three tries. */
async function measureOverhead(
  { onProgress, signal }: BenchOptions,
  own: BenchProcess,
  count: number,
): Promise<Overhead & { batchSize: number }> {
  const tries: Overhead[] = [];
  for (let at = 0; at < TRIES && !signal.aborted; at++) {
    onProgress("time of a step outside TensorFlow");
    tries.push(await own.ask<Overhead>({ command: "overhead", form: "ours", batchSize: BATCH_SIZE, count }));
  }
  tries.sort((one, other) => one.outside - other.outside);
  return { batchSize: BATCH_SIZE, ...tries[Math.floor(tries.length / 2)] };
}
