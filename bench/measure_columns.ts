import type { BenchOptions } from "./bench_options.ts";
import {
  type Arena,
  BATCH_SIZE,
  type Column,
  listContestants,
  scaleTime,
  TRAINING_IMAGES,
} from "./columns.ts";
import { findForm, FLOAT32_PEERS } from "./forms.ts";
import type { BenchProcess } from "./process.ts";
import type { Timed } from "./protocol.ts";
import type { BenchResult, ColumnResult } from "./result.ts";
import { type Contestant, runRounds } from "./rounds.ts";
import { leastMedian, pairRounds, summariseRounds } from "./statistics.ts";

/** The row of what is no contestant: batches that nobody trains on. */
const BATCHES_ALONE = "batches";

/** Lets the rows of each column run in turn. */
export async function measureColumns(
  options: BenchOptions,
  arena: Arena,
  own: BenchProcess,
): Promise<Pick<BenchResult, "columns" | "dataShare">> {
  const { rows, rounds, thrownAway, turn, signal, onProgress } = options;
  const columns: ColumnResult[] = [];
  let dataShare: BenchResult["dataShare"] = null;
  for (const column of options.columns) {
    const contestants = listContestants(column, rows, arena);
    if (contestants.length === 0) continue;
    const isEpoch = column.id === "epoch" && contestants.some(({ row }) => row === "ours");
    if (isEpoch) contestants.push(batchesAlone(own, arena));
    const settings = { rounds, thrownAway, ...column.rounds };
    settings.rounds = Math.min(rounds, settings.rounds);
    const result = await runRounds(contestants, {
      ...settings,
      turn,
      signal,
      onTurn: (row, round) => {
        const label = row === BATCHES_ALONE ? "batches alone" : findForm(row).label;
        const all = settings.thrownAway + settings.rounds;
        onProgress(`${column.title}: ${round === 0 ? "building" : `round ${round} of ${all}`}, ${label}`);
      },
    });
    if (isEpoch) {
      const alone = result.rounds.get(BATCHES_ALONE)!;
      dataShare = summariseRounds(pairRounds(result.rounds.get("ours")!, alone));
      result.rounds.delete(BATCHES_ALONE);
    }
    columns.push(summariseColumn(column, result));
  }
  return { columns, dataShare };
}

/** A whole epoch's batches, in the epoch column's unit: their order is drawn once, which would weigh too much in a part. */
function batchesAlone(own: BenchProcess, { load: { images } }: Arena): Contestant {
  return {
    row: BATCHES_ALONE,
    count: 1,
    run: async () => {
      const question = { command: "batches", batchSize: BATCH_SIZE, images } as const;
      return scaleTime(await own.ask<Timed>(question), TRAINING_IMAGES);
    },
  };
}

/** Medians and ratios of a column. */
export function summariseColumn(
  { id, title, unit, batchSize, rows }: Pick<Column, "id" | "title" | "unit" | "batchSize" | "rows">,
  { rounds, counts }: { rounds: ReadonlyMap<string, number[]>; counts: ReadonlyMap<string, number> },
): ColumnResult {
  const peers = new Map([...rounds].filter(([row]) => FLOAT32_PEERS.includes(row)));
  const reference = leastMedian(peers);
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
    rows: rows.filter((row) => rounds.has(row)).map((row) => ({
      row,
      label: findForm(row).label,
      count: counts.get(row)!,
      rounds: rounds.get(row)!,
      spread: summariseRounds(rounds.get(row)!),
      ratio: compare(rounds.get(row)!),
    })),
  };
}
