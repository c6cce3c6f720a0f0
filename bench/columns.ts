/** Measures the benchmark's columns in interleaved rounds. */
import {
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
import type { BenchProcess, Timing } from "./process.ts";
import { pairRounds, quantile, runRounds, type Spread, summariseRounds } from "./rounds.ts";

/** What is measured, and how often. */
export interface ColumnsOptions {
  columns: readonly Column[];
  rows: readonly Row[];
  /** Rounds that count. */
  rounds: number;
  /** Rounds before them, discarded. */
  warmUp: number;
  /** Least duration of a turn in milliseconds. */
  turn: number;
  signal: AbortSignal;
  onProgress(text: string): void;
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

/** Measures all columns in interleaved rounds. */
export async function measureColumns(
  options: ColumnsOptions,
  context: BenchContext,
  own: BenchProcess,
): Promise<{ columns: ColumnResult[]; dataShare: Spread | null }> {
  const { rows, turn, signal, onProgress } = options;
  const columns: ColumnResult[] = [];
  let dataShare: Spread | null = null;
  for (const column of options.columns) {
    const cases = listCases(column, rows, context);
    if (cases.length === 0) continue;
    const batches = column.id === "epoch" && rows.includes("ours") ? batchesCase(own, context) : null;
    if (batches) cases.push(batches);
    const { rounds: most = options.rounds, warmUp = options.warmUp } = column.rounds ?? {};
    const rounds = Math.min(most, options.rounds);
    const result = await runRounds(cases, {
      rounds,
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
