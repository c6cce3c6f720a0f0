import type { DeviceChoice } from "../lib/tensorflow/runtime/runtime.ts";
import type { Column } from "./columns.ts";

/** What to measure, and how. */
export interface BenchOptions {
  columns: readonly Column[];
  /** Rows of the table. */
  rows: readonly string[];
  /** Rounds that count, and those thrown away before them. */
  rounds: number;
  thrownAway: number;
  /** Milliseconds that a turn lasts at least. */
  turn: number;
  /** Training images of an epoch that is timed. */
  epochImages: number;
  /** The Python that has PyTorch; null where none of its rows is measured. */
  python: string | null;
  /** Threads within an operation, on both sides. */
  threads: number;
  device: DeviceChoice;
  data: string | null;
  weights: string | null;
  /** Time the operations of a step as well. */
  profile: boolean;
  isQuick: boolean;
  loadAverage: number[];
  warning: string | null;
  signal: AbortSignal;
  /** Told what is being done, some times a second. */
  onProgress(text: string): void;
  /** Told what the user should read. */
  onMessage(text: string): void;
}
