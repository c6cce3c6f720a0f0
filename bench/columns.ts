/**
 * The columns of the bench: what is done, by whom, and in which unit it is told.
 *
 * @module
 */
import { EVALUATION_BATCH_SIZE } from "../lib/training/batch_source.ts";
import { findForm, FORMS } from "./forms.ts";
import type { BenchProcess } from "./process.ts";
import type { Command, Learning, Timed } from "./protocol.ts";
import { alternate, type Contestant, type RoundsOptions } from "./rounds.ts";

/** Images a step, where nothing else is said. */
export const BATCH_SIZE = 128;

/** CIFAR-10's training and test images: times of parts are scaled to these. */
export const TRAINING_IMAGES = 50_000;
const TEST_IMAGES = 10_000;

/** torch.compile is tried up to this size: a step of 128 gains nothing by it any more, and each size takes half a minute to build. */
const LARGEST_COMPILED = BATCH_SIZE;

/** What the columns work with. */
export interface Arena {
  /** The process that runs a row, kept for all columns. */
  processOf(row: string): BenchProcess;
  /** A process of its own for a row, started now. */
  open(row: string): BenchProcess;
  /** What every process is to load. */
  load: Extract<Command, { command: "load" }>;
  /** Training images of an epoch that is timed. */
  epochImages: number;
}

/** A column. */
export interface Column {
  /** What it is called on the command line and in the result. */
  id: string;
  title: string;
  unit: "ms" | "s" | "MB";
  /** Rows that differ in it. */
  rows: readonly string[];
  /** Images a step, where it is a column of steps. */
  batchSize?: number;
  /** How its rounds differ from the others'. */
  rounds?: Partial<Pick<RoundsOptions, "rounds" | "thrownAway">>;
  /** Lets a row take part. */
  contest(row: string, arena: Arena): Contestant;
}

const NOT_SCRIPTED = FORMS.map(({ row }) => row).filter((row) => row !== "scripted");
// evaluated, and behind a frozen backbone, our convolutions are direct in any case, and the class loop is a small part
const EVALUATED = ["plain", "usual", "best", "compiled", "scripted", "bf16", "eager", "ours"];
const FROZEN = EVALUATED.filter((row) => row !== "scripted");

/** All columns but those of batch sizes, in the table's order. */
export const COLUMNS: readonly Column[] = [
  stepColumn("step", `train step, batch ${BATCH_SIZE}`, BATCH_SIZE, NOT_SCRIPTED),
  {
    id: "epoch",
    title: "epoch with data and augmentation",
    unit: "s",
    rows: NOT_SCRIPTED,
    contest: (row, { processOf, epochImages }) => ({
      row,
      count: 1,
      run: async () => {
        const question = { command: "epoch", form: row, batchSize: BATCH_SIZE, images: epochImages } as const;
        return scaleTime(await processOf(row).ask<Timed>(question), TRAINING_IMAGES);
      },
    }),
  },
  {
    id: "test",
    title: "evaluation of the test set",
    unit: "s",
    rows: EVALUATED,
    contest: (row, { processOf }) => ({
      row,
      count: 1,
      run: async () => {
        const question = { command: "test", form: row, batchSize: EVALUATION_BATCH_SIZE } as const;
        return scaleTime(await processOf(row).ask<Timed>(question), TEST_IMAGES);
      },
    }),
  },
  stepColumn("frozen", "frozen backbone, step", BATCH_SIZE, FROZEN, { backbone: "frozen" }),
  stepColumn("adapter", "frozen + 3×3 adapter, step", BATCH_SIZE, NOT_SCRIPTED, {
    backbone: "frozen",
    adapter: "3x3",
  }),
  {
    id: "predict",
    title: "scores of one image",
    unit: "ms",
    rows: EVALUATED,
    contest: (row, { processOf }) => ({
      row,
      run: async (count) => {
        const question = { command: "evaluate", form: row, batchSize: 1, count } as const;
        return (await processOf(row).ask<Timed>(question)).milliseconds;
      },
    }),
  },
  {
    id: "startup",
    title: "start to first step",
    unit: "s",
    rows: ["plain", "best", "ours"],
    contest: (row, arena) => ({
      row,
      count: 1,
      run: async () => {
        const start = performance.now();
        await using process = await trainOnce(row, arena);
        const seconds = (performance.now() - start) / 1000;
        await process.ask({ command: "release" }); // it is still there
        return seconds;
      },
    }),
  },
  {
    id: "memory",
    title: "peak memory",
    unit: "MB",
    rows: ["plain", "usual", "best", "eager", "ours"],
    rounds: { rounds: 3, thrownAway: 0 },
    contest: (row, arena) => ({
      row,
      count: 1,
      run: async () => {
        await using process = await trainOnce(row, arena);
        await process.ask({ command: "epoch", form: row, batchSize: BATCH_SIZE, images: arena.epochImages });
        await process.ask({ command: "test", form: row, batchSize: EVALUATION_BATCH_SIZE });
        return (process.peakMemory() ?? NaN) / 1e6;
      },
    }),
  },
];

/** A column of steps for each batch size. */
export function sizeColumns(batchSizes: readonly number[]): Column[] {
  return batchSizes.map((size) => {
    const rows = ["best", ...(size <= LARGEST_COMPILED ? ["compiled"] : []), "ours"];
    return stepColumn(`step-${size}`, `train step, batch ${size}`, size, rows);
  });
}

function stepColumn(
  id: string,
  title: string,
  batchSize: number,
  rows: readonly string[],
  network: Partial<Learning> = {},
): Column {
  return {
    id,
    title,
    unit: "ms",
    rows,
    batchSize,
    contest: (row, { processOf }) => ({
      row,
      run: async (count) => {
        const question = { command: "step", form: row, batchSize, count, ...network } as const;
        return (await processOf(row).ask<Timed>(question)).milliseconds;
      },
    }),
  };
}

/** Seconds for this many images, from what some took. */
export function scaleTime({ milliseconds, images }: Timed, wanted: number): number {
  return milliseconds / 1000 * wanted / images!;
}

/** A new process after its first step. */
async function trainOnce(row: string, { open, load }: Arena): Promise<BenchProcess> {
  const process = open(row);
  try {
    await process.ask(load);
    await process.ask({ command: "step", form: row, batchSize: BATCH_SIZE, count: 1 });
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

/** Contestants of a column, ours and peers in turn. */
export function listContestants(column: Column, rows: readonly string[], arena: Arena): Contestant[] {
  const chosen = column.rows.filter((row) => rows.includes(row));
  const of = (side: "own" | "peer") =>
    chosen.filter((row) => findForm(row).side === side).map((row) => column.contest(row, arena)).reverse();
  return alternate(of("own"), of("peer"));
}
