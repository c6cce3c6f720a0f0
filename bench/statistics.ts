/**
 * What rounds of measurements come to.
 *
 * @module
 */

/** A number's median over rounds, and how far the rounds lie apart. */
export interface Spread {
  /** Half of the rounds were below. */
  median: number;
  /** The least of all rounds. */
  minimum: number;
  /** The first quartile: a quarter of the rounds were below. */
  low: number;
  /** The third quartile. */
  high: number;
}

/**
 * The value below which a share of all values lies, with straight lines between them (the default of R and NumPy).
 *
 * @throws {RangeError} If there is no value.
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("There is no quantile of no values.");
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** Median, minimum and quartiles. */
export function summariseRounds(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    minimum: Math.min(...values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}

/**
 * How many times `values` go into `reference`, round by round: a machine that slows down slows both of a pair.
 *
 * @throws {RangeError} If there are not as many rounds of both.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pairRounds } from "./statistics.ts";
 * assert.deepEqual(pairRounds([10, 20, 10], [20, 40, 30]), [2, 2, 3]);
 * ```
 */
export function pairRounds(values: readonly number[], reference: readonly number[]): number[] {
  if (values.length !== reference.length) {
    throw new RangeError(`Cannot pair ${values.length} rounds with ${reference.length}.`);
  }
  return values.map((value, round) => reference[round] / value);
}

/** The name whose median is the least. */
export function leastMedian(rounds: ReadonlyMap<string, readonly number[]>): string | null {
  let least: string | null = null;
  for (const [name, values] of rounds) {
    if (least === null || quantile(values, 0.5) < quantile(rounds.get(least)!, 0.5)) least = name;
  }
  return least;
}
