import { InputError } from "./errors.ts";
import { formatNumber, formatSigned } from "./format.ts";
import { studentQuantile } from "./student_t.ts";

/** A mean with its 95 % confidence interval. */
export interface MeanInterval {
  /** Number of values. */
  n: number;
  /** Mean of the values. */
  mean: number;
  /** Sample standard deviation (divided by n − 1); 0 for one value. */
  deviation: number;
  /** Ends of the interval; undefined for a single value. */
  interval?: [number, number];
}

/**
 * Computes the mean of independent values and its 95 % interval by Student's t.
 *
 * @throws {RangeError} If there is no value.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const { mean, interval } = meanInterval([1, 2, 3]);
 * assert.equal(mean, 2);
 * assert.deepEqual(interval!.map((end) => end.toFixed(3)), ["-0.484", "4.484"]);
 * ```
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  const n = values.length;
  if (n === 0) throw new RangeError("The mean of no values is not defined.");
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, deviation: 0 };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = studentQuantile(0.025, n - 1) * deviation / Math.sqrt(n);
  return { n, mean, deviation, interval: [mean - half, mean + half] };
}

/** Mean of no values. */
export const NO_MEAN: MeanInterval = { n: 0, mean: NaN, deviation: NaN };

/** Computes {@linkcode meanInterval}, or {@linkcode NO_MEAN} of no values. */
export function meanIntervalOrNone(values: readonly number[]): MeanInterval {
  return values.length === 0 ? NO_MEAN : meanInterval(values);
}

/** Returns the side of 0 that an interval of differences lies on: −1 below, 1 above, 0 where it holds 0. */
export function directionOf({ interval }: Pick<MeanInterval, "interval">): -1 | 0 | 1 {
  if (interval === undefined) return 0;
  return interval[1] < 0 ? -1 : interval[0] > 0 ? 1 : 0;
}

/**
 * Computes Wilson's 95 % interval for a proportion, `count` of `total`.
 *
 * Source: Wilson, Probable inference, the law of succession, and statistical inference (1927).
 */
export function wilsonInterval(count: number, total: number): [number, number] {
  const z = 1.959964;
  const proportion = count / total;
  const middle = (proportion + z * z / (2 * total)) / (1 + z * z / total);
  const half = z / (1 + z * z / total) *
    Math.sqrt(proportion * (1 - proportion) / total + z * z / (4 * total * total));
  return [middle - half, middle + half];
}

/**
 * Returns the index of the largest value, the first of equal ones.
 *
 * @throws {RangeError} If one of the values is NaN.
 */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 0; index < values.length; index++) {
    if (Number.isNaN(values[index])) throw new RangeError("None of the values is the largest: one is NaN.");
    if (values[index] > values[best]) best = index;
  }
  return best;
}

/**
 * Checks a network's scores `[N,K]`: of NaN and infinity none is the highest.
 *
 * @throws {InputError} If one is not finite.
 */
export function requireFiniteScores(scores: ArrayLike<number>, classes: number): void {
  for (let at = 0; at < scores.length; at++) {
    if (Number.isFinite(scores[at])) continue;
    throw new InputError({
      what: "use the network's scores",
      why: `that of image ${Math.floor(at / classes)} for class ${at % classes} is ${scores[at]}`,
      next: [{ advice: "use another checkpoint" }, { advice: "train again with a lower learning rate" }],
    });
  }
}

/** Converts scores (logits), divided by a temperature, to probabilities. */
export function softmax(scores: ArrayLike<number>, temperature = 1): number[] {
  const largest = scores[argMax(scores)];
  const exponentials = Array.from(scores, (score) => Math.exp((score - largest) / temperature));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Arithmetic mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index];
  return sum / values.length;
}

/** Computes ranks from 0; ties get their mean rank. */
export function rank(values: ArrayLike<number>): number[] {
  const order = Array.from(values, (_, index) => index).sort((one, other) => values[one] - values[other]);
  const ranks = new Array<number>(order.length);
  for (let first = 0, last = 0; first < order.length; first = last) {
    while (last < order.length && values[order[last]] === values[order[first]]) last++;
    for (let at = first; at < last; at++) ranks[order[at]] = (first + last - 1) / 2;
  }
  return ranks;
}

/** Computes Pearson's correlation; of {@linkcode rank}s it is Spearman's, and 0 where all of one are equal. */
export function pearsonCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [meanX, meanY] = [mean(x), mean(y)];
  let [product, squaresX, squaresY] = [0, 0, 0];
  for (let at = 0; at < x.length; at++) {
    product += (x[at] - meanX) * (y[at] - meanY);
    squaresX += (x[at] - meanX) ** 2;
    squaresY += (y[at] - meanY) ** 2;
  }
  return product === 0 ? 0 : product / Math.sqrt(squaresX * squaresY);
}

/** Formats a mean and its standard deviation: `0.349 ± 0.012`. */
export function formatSpread({ mean, deviation, n }: MeanInterval, decimals: number, scale = 1): string {
  const spread = n > 1 ? ` ± ${formatNumber(scale * deviation, decimals)}` : "";
  return formatNumber(scale * mean, decimals) + spread;
}

/** Formats a difference with its interval: `−0.012 [−0.020, −0.004]`. */
export function formatInterval(
  { mean, interval }: { mean: number; interval?: readonly number[] },
  decimals: number,
  scale = 1,
): string {
  const [middle, ...ends] = [mean, ...interval ?? []].map((value) => formatSigned(scale * value, decimals));
  return middle + (ends.length > 0 ? ` [${ends.join(", ")}]` : "");
}
