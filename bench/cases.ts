/** Rows (systems) and columns (workloads) of the benchmark. */
import { EVALUATION_BATCH_SIZE } from "../lib/training/batch_source.ts";
import { InputError } from "../lib/support/errors.ts";
import type { BenchProcess, LearnerOptions, LoadCommand, Timing } from "./process.ts";
import type { RoundsOptions } from "./rounds.ts";

/** Rows in the table's order, by their names on the command line and in the processes. */
export const ROWS = {
  plain: { label: "plain TensorFlow.js", side: "own" },
  usual: { label: "PyTorch, as usually written", side: "pytorch" },
  best: { label: "PyTorch, tuned", side: "pytorch" },
  compiled: { label: "PyTorch, tuned, torch.compile", side: "pytorch" },
  eager: { label: "ours, without compile", side: "own" },
  ours: { label: "ours", side: "own" },
} as const;

/** A row's name. */
export type Row = keyof typeof ROWS;

/** All rows, in the table's order. */
export const ROW_NAMES = Object.keys(ROWS) as Row[];

/** Batch size where a column names no other. */
export const BATCH_SIZE = 128;

/** Sizes of CIFAR-10, to which times of a part are scaled. */
export const TRAINING_IMAGES = 50_000;
const TEST_IMAGES = 10_000;

/** Processes and data for all cases. */
export interface BenchContext {
  /** Returns the process that runs a row, open for the whole benchmark. */
  processOf(row: Row): BenchProcess;
  /** Starts another process for a row. */
  open(row: Row): Promise<BenchProcess>;
  /** Loads data and initial state into a process. */
  load: LoadCommand;
  /** Training images per timed epoch. */
  epochImages: number;
  /** Trains a network by the recipe `fast` in a process of its own; its duration in seconds. */
  train(row: Row, seed: number): Promise<number>;
}

/** One row of one column: a repeatable workload. */
export interface Case {
  name: string;
  /** Runs the work `count` times; resolves to the time (or memory) of one repetition. */
  run(count: number): Promise<number>;
  /** Repetitions per turn. @default enough to fill a turn */
  count?: number;
}

/** A workload. */
export interface Column {
  /** Name on the command line and in the result. */
  id: string;
  title: string;
  unit: "ms" | "s" | "MB";
  rows: readonly Row[];
  /** Images per step, in columns of training steps. */
  batchSize?: number;
  /** Measured only if it is named: it takes many minutes. */
  isLong?: boolean;
  /** Rounds, where they differ from the other columns'. */
  rounds?: Partial<Pick<RoundsOptions, "rounds" | "warmUp">>;
  measure(row: Row, context: BenchContext): Omit<Case, "name">;
}

/** Column of whole trainings, whose rows have test accuracies. */
export const ACCURACY = "accuracy";

/** All columns but those of batch sizes, in the table's order. */
export const COLUMNS: readonly Column[] = [
  stepColumn("step", `train step, batch ${BATCH_SIZE}`, BATCH_SIZE, ROW_NAMES),
  {
    id: "epoch",
    title: "epoch with data and augmentation",
    unit: "s",
    rows: ROW_NAMES,
    measure: (row, { processOf, epochImages }) => ({
      count: 1,
      run: async () => {
        const command = { command: "epoch", form: row, batchSize: BATCH_SIZE, images: epochImages } as const;
        return scaleTime(await processOf(row).ask<Timing>(command), TRAINING_IMAGES);
      },
    }),
  },
  {
    id: "test",
    title: "evaluation of the test set",
    unit: "s",
    rows: ROW_NAMES,
    measure: (row, { processOf }) => ({
      count: 1,
      run: async () => {
        const command = { command: "test", form: row, batchSize: EVALUATION_BATCH_SIZE } as const;
        return scaleTime(await processOf(row).ask<Timing>(command), TEST_IMAGES);
      },
    }),
  },
  stepColumn("frozen", "frozen backbone, step", BATCH_SIZE, ROW_NAMES, { backbone: "frozen" }),
  stepColumn("adapter", "frozen + 3×3 adapter, step", BATCH_SIZE, ROW_NAMES, {
    backbone: "frozen",
    adapter: "3x3",
  }),
  predictColumn("predict", "scores of one image", ({ milliseconds }) => milliseconds),
  predictColumn("slowest", "scores of one image, 99th percentile", ({ percentile99 }) => percentile99!),
  {
    id: "startup",
    title: "start to first step",
    unit: "s",
    rows: ["plain", "best", "ours"],
    measure: (row, context) => ({
      count: 1,
      run: async () => {
        const start = performance.now();
        await using _process = await startAndStep(row, context);
        return (performance.now() - start) / 1000;
      },
    }),
  },
  {
    id: "memory",
    title: "peak memory",
    unit: "MB",
    rows: ["plain", "usual", "best", "eager", "ours"],
    rounds: { rounds: 3, warmUp: 0 },
    measure: (row, context) => ({
      count: 1,
      run: async () => {
        await using process = await startAndStep(row, context);
        const images = context.epochImages;
        await process.ask({ command: "epoch", form: row, batchSize: BATCH_SIZE, images });
        await process.ask({ command: "test", form: row, batchSize: EVALUATION_BATCH_SIZE });
        return (process.peakMemory() ?? NaN) / 1e6;
      },
    }),
  },
  {
    id: ACCURACY,
    title: "training by the recipe fast, from start to end",
    unit: "s",
    rows: ["best", "ours"],
    isLong: true,
    rounds: { warmUp: 0 },
    measure(row, { train }) {
      let seed = 0;
      return { count: 1, run: () => train(row, seed++) };
    },
  },
];

/** Creates a column of training steps for each batch size. */
export function sizeColumns(batchSizes: readonly number[]): Column[] {
  return batchSizes.map((size) => {
    // from batch 128 on torch.compile gains nothing, and each size takes half a minute to compile
    const rows: Row[] = size <= BATCH_SIZE ? ["best", "compiled", "ours"] : ["best", "ours"];
    return stepColumn(`step-${size}`, `train step, batch ${size}`, size, rows);
  });
}

function stepColumn(
  id: string,
  title: string,
  batchSize: number,
  rows: readonly Row[],
  network: Partial<LearnerOptions> = {},
): Column {
  return {
    id,
    title,
    unit: "ms",
    rows,
    batchSize,
    measure: (row, { processOf }) => ({
      run: async (count) => {
        const command = { command: "step", form: row, batchSize, count, ...network } as const;
        return (await processOf(row).ask<Timing>(command)).milliseconds;
      },
    }),
  };
}

function predictColumn(id: string, title: string, pick: (timing: Timing) => number): Column {
  return {
    id,
    title,
    unit: "ms",
    rows: ROW_NAMES,
    measure: (row, { processOf }) => ({
      run: async (count) => {
        const command = { command: "evaluate", form: row, batchSize: 1, count } as const;
        return pick(await processOf(row).ask<Timing>(command));
      },
    }),
  };
}

/** Scales a timing to this many images; in seconds. */
export function scaleTime({ milliseconds, images }: Timing, wanted: number): number {
  return milliseconds / 1000 * wanted / images!;
}

/** Starts a process and trains one step. */
async function startAndStep(row: Row, { open, load }: BenchContext): Promise<BenchProcess> {
  const process = await open(row);
  try {
    await process.ask(load);
    await process.ask({ command: "step", form: row, batchSize: BATCH_SIZE, count: 1 });
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

/** Lists the cases of a column, alternating between ours and PyTorch's. */
export function listCases(column: Column, rows: readonly Row[], context: BenchContext): Case[] {
  const of = (side: "own" | "pytorch") =>
    column.rows.filter((row) => rows.includes(row) && ROWS[row].side === side)
      .map((row): Case => ({ name: row, ...column.measure(row, context) })).reverse();
  const [own, pytorch] = [of("own"), of("pytorch")];
  const length = Math.max(own.length, pytorch.length);
  return Array.from({ length }, (_, at) => [own[at], pytorch[at]]).flat().filter((one) => one !== undefined);
}

/** Name under which `--columns` selects the columns of batch sizes. */
export const SIZES = "sizes";

/**
 * Selects items of a list by their names, `a,b,c` or `all`, in the list's order.
 *
 * @param setting Names the setting in errors.
 * @throws {InputError} If a name is unknown, or none is given.
 */
export function selectNames<Name extends string>(
  text: string,
  names: readonly Name[],
  setting: string,
): Name[] {
  if (text === "all") return [...names];
  const given = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const unknown = given.find((name) => !names.includes(name as Name));
  if (unknown !== undefined || given.length === 0) {
    const why = unknown === undefined ? "it is empty" : `there is no "${unknown}"`;
    const next = [{ advice: `choose from ${names.join(", ")}` }];
    throw new InputError({ what: `select "${text}"`, why, setting, next });
  }
  return names.filter((name) => given.includes(name));
}

/**
 * Reads batch sizes, `1,32,128`; sorted, each once.
 *
 * @throws {InputError} If one is not a positive integer.
 */
export function parseBatchSizes(text: string): number[] {
  const sizes = text.split(",").map((part) => /^\s*\d+\s*$/.test(part) ? Number(part) : 0);
  if (sizes.some((size) => size < 1)) {
    throw new InputError({
      what: `use the batch sizes "${text}"`,
      why: "they must be whole numbers of at least 1 with commas between them, as in 1,32,128",
      setting: "batchSizes",
    });
  }
  return [...new Set(sizes)].sort((one, other) => one - other);
}
