import type { MeanInterval } from "../support/statistics.ts";
import { createRandom } from "../support/random.ts";

/**
 * Computes the area under the ROC curve: the probability that a member of the first group scores higher than
 * one of the second, ties counting half (Mann & Whitney 1947). 0.5 is chance, 1 is perfect.
 *
 * @throws {RangeError} If a group is empty.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { auroc } from "./auroc.ts";
 * assert.equal(auroc([3, 5], [1, 4]), 0.75);
 * ```
 */
export function auroc(inside: readonly number[], outside: readonly number[]): number {
  if (inside.length === 0 || outside.length === 0) {
    throw new RangeError("An empty group has no ROC curve.");
  }
  const sorted = outside.toSorted((one, other) => one - other);
  const countBelow = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = inside.reduce(
    (sum, value) => sum + (countBelow(value, false) + countBelow(value, true)) / 2,
    0,
  );
  return wins / (inside.length * outside.length);
}

/** Two scores per member of two groups. */
export interface ScorePairs {
  inside: readonly (readonly [one: number, other: number])[];
  outside: readonly (readonly [one: number, other: number])[];
}

const RESAMPLE = 0x72657361; // domain constant: an independent random stream for the same seed

/**
 * Compares the AUROC of two scores, with a 95 % percentile bootstrap interval (Efron 1979). Each resample
 * draws the same members for both scores, so the comparison is paired.
 */
export function compareAuroc(
  { inside, outside }: ScorePairs,
  { seed, resamples = 500 }: { seed: number; resamples?: number },
): MeanInterval {
  const difference = (one: ScorePairs["inside"], other: ScorePairs["outside"]) => {
    const [first, second] = [0, 1].map((score) =>
      auroc(one.map((member) => member[score]), other.map((member) => member[score]))
    );
    return first - second;
  };
  const values = Array.from({ length: resamples }, (_, turn) => {
    const random = createRandom(RESAMPLE, seed, turn);
    const draw = <T>(group: readonly T[]) => group.map(() => group[random.integer(group.length)]);
    return difference(draw(inside), draw(outside));
  }).sort((one, other) => one - other);
  const mean = difference(inside, outside);
  const at = (quantile: number) => values[Math.round(quantile * (resamples - 1))];
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / resamples);
  return { n: inside.length + outside.length, mean, deviation, interval: [at(0.025), at(0.975)] };
}
