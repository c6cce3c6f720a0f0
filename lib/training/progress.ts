import type { EpochRecord } from "./observer.ts";

/** What a run found out about its surroundings; every result that depends on it names it. */
export interface Environment {
  /** The images' name. */
  data: string;
  /** What tells them from others of that name. */
  fingerprint?: string;
  /** What the backbone started from. */
  weights: string;
  /** What computed. */
  device: "cpu" | "gpu";
  /** Threads within an operation: another number changes the last bits. */
  threads: number;
  /** TensorFlow's version. */
  tensorflow: string;
}

/** Sums over the epoch that is begun. */
export interface EpochSums {
  /** Sum of the images' losses. */
  loss: number;
  /** Right answers. */
  correct: number;
  /** Images seen. */
  images: number;
  /** Seconds spent on its steps. */
  seconds: number;
}

/** How far a training is. */
export interface Progress {
  /** Epochs that are done, tested and in the history. */
  epochs: number;
  /** Steps done of the epoch that is begun. */
  steps: number;
  /** Steps done in all. */
  totalSteps: number;
  /** Sums over the epoch that is begun. */
  sums: EpochSums;
  /** The best accuracy so far and its epoch, or null before the first. */
  best: { epoch: number; accuracy: number } | null;
  /** A record for each epoch that is done. */
  history: EpochRecord[];
}

/** Where in the training a checkpoint was made, in words. */
export function describeProgress({ epochs, steps }: Progress): string {
  return steps === 0 ? `after epoch ${epochs}` : `in epoch ${epochs + 1}, after step ${steps}`;
}

/** A training before its first step. */
export function startProgress(): Progress {
  return { epochs: 0, steps: 0, totalSteps: 0, sums: startSums(), best: null, history: [] };
}

/** The sums of an epoch before its first step. */
export function startSums(): EpochSums {
  return { loss: 0, correct: 0, images: 0, seconds: 0 };
}
