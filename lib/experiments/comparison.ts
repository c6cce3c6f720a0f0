import { type MeanInterval, meanInterval, median } from "../support/statistics.ts";
import { REFERENCE } from "./experiments.ts";
import type { ExperimentResult, SeedResult } from "./results.ts";

/** One row of a comparison. */
export interface ComparisonRow {
  experiment: string;
  /** Difference from the reference, in a few words. */
  change: string;
  trainableParameters: number;
  /** Test accuracy (0–1) after the last epoch, over the seeds. */
  final: MeanInterval;
  /** Test accuracy of each seed's best epoch: optimistic, since it was chosen on the test set. */
  best: MeanInterval;
  /**
   * Final test accuracy minus the reference's with the same seed; null for the reference, or without a common
   * seed.
   */
  difference: Difference | null;
  /** Median over a seed's epochs, test included; mean over the seeds. */
  secondsPerEpoch: number;
}

/** A paired difference and its sign, if the interval supports one. */
export interface Difference extends MeanInterval {
  /** One per seed in common. */
  values: number[];
  /**
   * `none` if the interval contains 0, so no difference is shown; null without an interval (a single seed).
   */
  shown: "higher" | "lower" | "none" | null;
}

/**
 * Compares experiments: means over seeds, and the paired difference from `dynamic` with its 95 % interval by
 * Student's t. Runs with the same seed have the same order of images and the same initial backbone.
 */
export function compareResults(results: readonly ExperimentResult[]): ComparisonRow[] {
  const reference = results.find(({ experiment }) => experiment === REFERENCE);
  return results.map((result) => ({
    experiment: result.experiment,
    change: result.change,
    trainableParameters: result.trainableParameters,
    final: meanInterval(result.seeds.map(finalAccuracy)),
    best: meanInterval(result.seeds.map(({ best }) => best.accuracy)),
    difference: reference === undefined || reference === result
      ? null
      : pairBySeed(result.seeds, reference.seeds),
    secondsPerEpoch: meanInterval(result.seeds.map(medianSeconds)).mean,
  }));
}

/** Returns the test accuracy after the last epoch, 0–1. */
export function finalAccuracy({ history }: Pick<SeedResult, "history">): number {
  return history.at(-1)!.testAccuracy;
}

/**
 * Compares final test accuracies in pairs of the same seed: mean difference with its 95 % interval; null
 * without a common seed.
 */
export function pairBySeed(
  seeds: readonly SeedResult[],
  reference: readonly SeedResult[],
): Difference | null {
  const bySeed = new Map(reference.map((result) => [result.seed, finalAccuracy(result)]));
  const differences = seeds.filter(({ seed }) => bySeed.has(seed))
    .map((result) => finalAccuracy(result) - bySeed.get(result.seed)!);
  if (differences.length === 0) return null;
  const statistics = meanInterval(differences);
  return { ...statistics, values: differences, shown: judge(statistics) };
}

function judge({ interval }: MeanInterval): Difference["shown"] {
  if (interval === undefined) return null;
  const [low, high] = interval;
  if (low > 0) return "higher";
  return high < 0 ? "lower" : "none";
}

function medianSeconds({ history }: SeedResult): number {
  return median(history.map(({ seconds }) => seconds));
}
