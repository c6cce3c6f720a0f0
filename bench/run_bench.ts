/**
 * Runs the benchmark: starts the processes, compares gradients, measures each column in interleaved rounds.
 */
import { basename, dirname, fromFileUrl, join } from "@std/path";
import { describeMachine, type Machine, readCommit } from "../lib/experiments/provenance.ts";
import { InputError } from "../lib/support/errors.ts";
import { exists } from "../lib/support/files.ts";
import { Interrupted } from "../lib/support/interrupt.ts";
import { makeTemporaryFolder } from "../lib/support/temporary_folder.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime/installation.ts";
import {
  ACCURACY,
  BATCH_SIZE,
  type BenchContext,
  type Case,
  type Column,
  listCases,
  type Row,
  ROWS,
  scaleTime,
  TRAINING_IMAGES,
} from "./cases.ts";
import { type Agreement, compareGradients, GPU_LIMIT, LIMIT } from "./gradients.ts";
import {
  type BenchProcess,
  openOwn,
  openProcess,
  type OwnDescription,
  type Prepared,
  type PyTorchDescription,
  type Timing,
} from "./process.ts";
import type { Overhead, StepProfile } from "./profile.ts";
import { trainRow } from "./train.ts";
import { pairRounds, quantile, runRounds, type Spread, summariseRounds } from "./rounds.ts";

export interface BenchOptions {
  columns: readonly Column[];
  rows: readonly Row[];
  /** Rounds that count. */
  rounds: number;
  /** Rounds before them, discarded. */
  warmUp: number;
  /** Least duration of a turn in milliseconds. */
  turn: number;
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
  signal: AbortSignal;
  onProgress(text: string): void;
  onMessage(text: string): void;
}

/** One row of one column. */
export interface RowResult {
  row: string;
  label: string;
  /** Repetitions per turn. */
  count: number;
  /** One value per round, in the column's unit, of one repetition. */
  rounds: number[];
  spread: Spread;
  /** Times as fast as PyTorch's best row (memory: times its bytes), by rounds; null without PyTorch. */
  ratio: Spread | null;
  /** Test accuracies, 0–1, of whole trainings. */
  accuracies?: number[];
}

export interface ColumnResult {
  id: string;
  title: string;
  unit: "ms" | "s" | "MB";
  batchSize?: number;
  /** PyTorch's best row of this column: the one with the least median. */
  reference: string | null;
  rows: RowResult[];
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

/** Measures all columns in interleaved rounds. */
async function measureColumns(
  options: BenchOptions,
  context: BenchContext,
  own: BenchProcess,
): Promise<Pick<BenchResult, "columns" | "dataShare">> {
  const { rows, turn, signal, onProgress } = options;
  const columns: ColumnResult[] = [];
  let dataShare: Spread | null = null;
  for (const column of options.columns) {
    const cases = listCases(column, rows, context);
    if (cases.length === 0) continue;
    const batches = column.id === "epoch" && rows.includes("ours") ? batchesCase(own, context) : null;
    if (batches) cases.push(batches);
    const { rounds, warmUp } = { rounds: options.rounds, warmUp: options.warmUp, ...column.rounds };
    const result = await runRounds(cases, {
      rounds: Math.min(rounds, options.rounds),
      warmUp,
      turn,
      signal,
      onTurn: (name, round) => {
        const stage = round === 0 ? "building" : `round ${round} of ${warmUp + rounds}`;
        onProgress(`${column.title}: ${stage}, ${name}`);
      },
    });
    if (batches) {
      const share = pairRounds(result.rounds.get("ours")!, result.rounds.get(batches.name)!);
      dataShare = summariseRounds(share);
    }
    columns.push(summariseColumn(column, result));
  }
  return { columns, dataShare };
}

/** Creates an epoch's batches without training; in a partial epoch the shuffle would weigh too much. */
function batchesCase(own: BenchProcess, { load: { images } }: BenchContext): Case {
  return {
    name: "batches alone",
    count: 1,
    run: async () => {
      const command = { command: "batches", batchSize: BATCH_SIZE, images } as const;
      return scaleTime(await own.ask<Timing>(command), TRAINING_IMAGES);
    },
  };
}

/** Summarises the rounds of a column: medians, and ratios to PyTorch's best row. */
export function summariseColumn(
  { id, title, unit, batchSize, rows }: Pick<Column, "id" | "title" | "unit" | "batchSize" | "rows">,
  { rounds, counts }: { rounds: ReadonlyMap<string, number[]>; counts: ReadonlyMap<string, number> },
): ColumnResult {
  const measured = rows.filter((row) => rounds.has(row));
  const medianOf = (row: Row) => quantile(rounds.get(row)!, 0.5);
  const [reference = null] = measured.filter((row) => ROWS[row].side === "pytorch")
    .sort((one, other) => medianOf(one) - medianOf(other));
  const compare = (values: number[]) => {
    if (reference === null) return null;
    const other = rounds.get(reference)!;
    return summariseRounds(unit === "MB" ? pairRounds(other, values) : pairRounds(values, other));
  };
  return {
    id,
    title,
    unit,
    ...(batchSize === undefined ? {} : { batchSize }),
    reference,
    rows: measured.map((row) => ({
      row,
      label: ROWS[row].label,
      count: counts.get(row)!,
      rounds: rounds.get(row)!,
      spread: summariseRounds(rounds.get(row)!),
      ratio: compare(rounds.get(row)!),
    })),
  };
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
