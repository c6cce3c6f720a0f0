import type { MeanInterval } from "../support/statistics.ts";
import { createRandom } from "../support/random.ts";

/**
 * How well a score separates two groups: the probability that one of the first group scores higher than one of the second, ties counting
 * half (the area under the ROC curve, Mann & Whitney 1947). 0.5 is guessing, 1 is perfect.
 *
 * @throws {RangeError} If a group is empty.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { separation } from "./separation.ts";
 * assert.equal(separation([3, 5], [1, 4]), 0.75);
 * ```
 */
export function separation(inside: readonly number[], outside: readonly number[]): number {
  if (inside.length === 0 || outside.length === 0) {
    throw new RangeError("An empty group cannot be separated.");
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

/** Two scores for each member of two groups. */
export interface ScorePairs {
  inside: readonly (readonly [one: number, other: number])[];
  outside: readonly (readonly [one: number, other: number])[];
}

const RESAMPLE = 0x72657361; // keeps these draws apart from others with the same seed

/**
 * How much better the first score separates two groups than the second, with a 95 % interval: the middle 95 % of what resampled groups give
 * (the bootstrap's percentiles, Efron 1979). The same members are drawn for both scores, so it is a paired comparison.
 */
export function compareSeparation(
  { inside, outside }: ScorePairs,
  { seed, resamples = 500 }: { seed: number; resamples?: number },
): MeanInterval {
  const difference = (one: ScorePairs["inside"], other: ScorePairs["outside"]) => {
    const [first, second] = [0, 1].map((score) =>
      separation(one.map((member) => member[score]), other.map((member) => member[score]))
    );
    return first - second;
  };
  const values = Array.from({ length: resamples }, (_, turn) => {
    const random = createRandom(RESAMPLE, seed, turn);
    const draw = <T>(group: readonly T[]) => group.map(() => group[random.integer(group.length)]);
    return difference(draw(inside), draw(outside));
  }).sort((one, other) => one - other);
  const mean = difference(inside, outside);
  const at = (share: number) => values[Math.round(share * (resamples - 1))];
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / resamples);
  return { n: inside.length + outside.length, mean, deviation, interval: [at(0.025), at(0.975)] };
}
