import { type MeanInterval, meanInterval } from "../support/statistics.ts";
import { adjustByHolm, compareSamples, correlate } from "../support/two_samples.ts";
import { REFERENCE } from "./experiments.ts";
import type { ExperimentResult, SeedResult } from "./results.ts";

export interface ComparisonRow {
  experiment: string;
  /** Difference from the reference, in a few words. */
  change: string;
  trainableParameters: number;
  /** Test accuracy (0–1) after the last epoch, over the seeds. */
  final: MeanInterval;
  /** Test accuracy of each seed's best epoch: optimistic, since it was chosen on the test set. */
  best: MeanInterval;
  /** Final test accuracy minus the reference's; null for the reference, or without its results. */
  difference: Difference | null;
}

/** Difference of two experiments' final test accuracies. */
export interface Difference {
  /** Seeds of each, the fewer of the two. */
  n: number;
  /** Difference of the means over all seeds. */
  mean: number;
  /** 95 % interval by Welch's t; undefined for single seeds, as the p-values are. */
  interval?: [number, number];
  /** p of equal means (Welch), adjusted by Holm for the number of differences in the comparison. */
  p?: number;
  /** p of a difference of at least {@linkcode EQUIVALENCE_MARGIN} (two one-sided tests), adjusted too. */
  equivalenceP?: number;
  /** Verdict of the adjusted p-values at 5 %; null for single seeds. */
  shown: Verdict | null;
  /** Differences in pairs of the same seed, for comparison with Welch's; null without a common seed. */
  paired: PairedDifference | null;
}

/** Finding about a difference; `undecided` if neither a difference nor equivalence is shown. */
export type Verdict = "higher" | "lower" | "equivalent" | "undecided";

/** Mean difference over pairs of the same seed, with its 95 % interval by Student's t. */
export interface PairedDifference extends MeanInterval {
  /** One per seed in common. */
  values: number[];
  /** Correlation of the two over the seeds: pairing narrows the interval only where it is positive. */
  correlation: number | null;
}

/** Largest difference of accuracies (0–1) that counts as none; fixed before the runs were trained. */
export const EQUIVALENCE_MARGIN = 0.005;

const LEVEL = 0.05;

/** Compares experiments: means over seeds, and the difference of each from `dynamic`. */
export function compareResults(results: readonly ExperimentResult[]): ComparisonRow[] {
  const reference = results.find(({ experiment }) => experiment === REFERENCE);
  const others = reference === undefined ? [] : results.filter((result) => result !== reference);
  const differences = comparePairs(others.map((result) => [result, reference!]));
  return results.map((result) => ({
    experiment: result.experiment,
    change: result.change,
    trainableParameters: result.trainableParameters,
    final: meanInterval(result.seeds.map(finalAccuracy)),
    best: meanInterval(result.seeds.map(({ best }) => best.accuracy)),
    difference: differences[others.indexOf(result)] ?? null,
  }));
}

/** Returns the test accuracy after the last epoch, 0–1. */
export function finalAccuracy({ history }: Pick<SeedResult, "history">): number {
  return history.at(-1)!.testAccuracy;
}

/**
 * Compares final test accuracies in several pairs of experiments, first minus second. The pairs are one
 * family: Holm's correction is for their number.
 */
export function comparePairs(
  pairs: readonly (readonly [Pick<ExperimentResult, "seeds">, Pick<ExperimentResult, "seeds">])[],
): Difference[] {
  const tests = pairs.map(([one, other]) =>
    compareSamples(one.seeds.map(finalAccuracy), other.seeds.map(finalAccuracy), EQUIVALENCE_MARGIN)
  );
  const adjust = (key: "p" | "equivalenceP") => adjustByHolm(tests.map((test) => test?.[key] ?? 1));
  const [adjusted, equivalence] = [adjust("p"), adjust("equivalenceP")];
  return pairs.map(([one, other], at): Difference => {
    const paired = pairBySeed(one.seeds, other.seeds);
    const n = Math.min(one.seeds.length, other.seeds.length);
    const test = tests[at];
    if (test === null) {
      const [mean, otherMean] = [one, other].map(({ seeds }) => meanInterval(seeds.map(finalAccuracy)).mean);
      return { n, mean: mean - otherMean, shown: null, paired };
    }
    const [p, equivalenceP] = [adjusted[at], equivalence[at]];
    return {
      n,
      mean: test.mean,
      interval: test.interval,
      p,
      equivalenceP,
      shown: judge(test.mean, p, equivalenceP),
      paired,
    };
  });
}

function judge(mean: number, p: number, equivalenceP: number): Verdict {
  if (p < LEVEL) return mean > 0 ? "higher" : "lower";
  return equivalenceP < LEVEL ? "equivalent" : "undecided";
}

function pairBySeed(
  seeds: readonly SeedResult[],
  reference: readonly SeedResult[],
): PairedDifference | null {
  const pairs = seeds.flatMap((one) => {
    const other = reference.find(({ seed }) => seed === one.seed);
    return other === undefined ? [] : [[finalAccuracy(one), finalAccuracy(other)]];
  });
  if (pairs.length === 0) return null;
  const values = pairs.map(([one, other]) => one - other);
  const correlation = correlate(pairs.map(([one]) => one), pairs.map(([, other]) => other));
  return { ...meanInterval(values), values, correlation };
}
