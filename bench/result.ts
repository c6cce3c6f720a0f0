import type { CodeVersion, Machine } from "../lib/experiments/provenance.ts";
import type { Agreement } from "./agreement.ts";
import type { Parted, StepProfile } from "./profile.ts";
import type { OwnDescription, PeerDescription } from "./protocol.ts";
import type { Spread } from "./statistics.ts";

/** What one row came to in one column. */
export interface RowResult {
  row: string;
  label: string;
  /** How often the work was done in each round. */
  count: number;
  /** A value for each round, in the column's unit; of one piece of work. */
  rounds: number[];
  spread: Spread;
  /** How many times as fast as PyTorch's best form (memory: how many times its bytes), round by round; null without PyTorch. */
  ratio: Spread | null;
}

/** What a column came to. */
export interface ColumnResult {
  id: string;
  title: string;
  unit: "ms" | "s" | "MB";
  batchSize?: number;
  /** PyTorch's best form in this column: the one with the least median. */
  reference: string | null;
  rows: RowResult[];
}

/** Everything a run of the bench found out; what `--json` writes. */
export interface BenchResult {
  /** When it began, ISO 8601. */
  date: string;
  /** A trial, not a measurement. */
  isQuick: boolean;
  machine: Machine;
  /** Load averages of 1, 5 and 15 minutes when it began. */
  loadAverage: number[];
  /** What was wrong with the machine, if it was measured all the same. */
  warning: string | null;
  own: OwnDescription | null;
  pytorch: PeerDescription | null;
  /** Hashes of the sources. */
  code: CodeVersion;
  data: string;
  weights: string;
  settings: {
    rounds: number;
    thrownAway: number;
    /** Milliseconds. */
    turn: number;
    batchSize: number;
    /** Images of an epoch that were trained on; times are scaled to all 50,000. */
    epochImages: number;
  };
  agreement: Agreement[];
  columns: ColumnResult[];
  /** Of an epoch: the time that making its batches takes alone. */
  dataShare: Spread | null;
  /** Of a compiled step: what is not TensorFlow's own computing. */
  javaScript: (Parted & { batchSize: number }) | null;
  profile: StepProfile | null;
  /** Seconds the bench took. */
  seconds: number;
}

/** The result of one row in one column, if it was measured. */
export function findRow(result: BenchResult, column: string, row: string): RowResult | undefined {
  return result.columns.find(({ id }) => id === column)?.rows.find((found) => found.row === row);
}
