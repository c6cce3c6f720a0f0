import { meanInterval, pearsonCorrelation } from "./statistics.ts";
import { studentQuantile, studentTail } from "./student_t.ts";

/** Two independent samples compared by Welch's t, which does not assume equal variances. */
export interface WelchTest {
  /** Mean of one minus mean of the other. */
  mean: number;
  /** 95 % interval of the difference. */
  interval: [number, number];
  /** Two-sided p of equal means. */
  p: number;
  /**
   * p of a difference of at least the margin, either way: the larger p of two one-sided tests (TOST). A small
   * one shows that the means are equivalent.
   */
  equivalenceP: number;
}

/**
 * Compares two independent samples, for a difference and for equivalence.
 *
 * Sources: Welch, The generalization of "Student's" problem (1947); Schuirmann, A comparison of the two
 * one-sided tests procedure (1987).
 *
 * @param margin Largest difference that counts as none.
 * @returns null with fewer than two values in a sample.
 */
export function compareSamples(
  one: readonly number[],
  other: readonly number[],
  margin: number,
): WelchTest | null {
  if (one.length < 2 || other.length < 2) return null;
  const [a, b] = [meanInterval(one), meanInterval(other)];
  const [u, v] = [a, b].map(({ deviation, n }) => deviation ** 2 / n);
  const error = Math.sqrt(u + v);
  const degrees = error === 0 ? a.n + b.n - 2 : (u + v) ** 2 / (u ** 2 / (a.n - 1) + v ** 2 / (b.n - 1));
  const mean = a.mean - b.mean;
  const half = studentQuantile(0.025, degrees) * error;
  const tail = (distance: number) => studentTail(distance === 0 ? 0 : distance / error, degrees);
  return {
    mean,
    interval: [mean - half, mean + half],
    p: 2 * tail(Math.abs(mean)),
    equivalenceP: tail(margin - Math.abs(mean)),
  };
}

/**
 * Adjusts p-values for their number, so that the probability of any false finding is at most the level.
 *
 * Source: Holm, A simple sequentially rejective multiple test procedure (1979).
 */
export function adjustByHolm(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).sort((one, other) => values[one] - values[other]);
  const adjusted: number[] = [];
  let largest = 0;
  for (const [rank, at] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * values[at]));
    adjusted[at] = largest;
  }
  return adjusted;
}

/** Pearson's correlation of pairs; null for fewer than three, or where one of the two does not vary. */
export function correlate(one: readonly number[], other: readonly number[]): number | null {
  if (one.length < 3) return null;
  const isConstant = [one, other].some((values) => meanInterval(values).deviation < 1e-12); // but for rounding
  return isConstant ? null : pearsonCorrelation(one, other);
}
