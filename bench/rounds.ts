import { Interrupted } from "../lib/support/interrupt.ts";
import type { Case } from "./cases.ts";

export interface RoundsOptions {
  /** Rounds that count. */
  rounds: number;
  /** Rounds before them, discarded. */
  warmUp: number;
  /** Least duration of a turn in milliseconds, for cases that name no count. */
  turn: number;
  /** Pause before a turn in milliseconds: threads of the previous one may still spin. @default 30 */
  pause?: number;
  /** Aborted to stop. */
  signal?: AbortSignal;
  /** Called before each turn; round 0 compiles. */
  onTurn?(name: string, round: number): void;
}

/**
 * Runs all cases in turn, round by round, every other round in reverse, so that a machine that slows down
 * or speeds up affects them equally. Before the rounds each runs once to compile, and again to find
 * the number of repetitions per turn.
 *
 * @returns By the cases' names: a value per counted round, and the repetitions per turn.
 * @throws {Interrupted} If `signal` was aborted.
 */
export async function runRounds(cases: readonly Case[], options: RoundsOptions) {
  const { rounds: wanted, warmUp, turn, pause = 30, signal, onTurn } = options;
  const rounds = new Map(cases.map(({ name }) => [name, [] as number[]]));
  const counts = new Map<string, number>();
  for (const one of cases) {
    onTurn?.(one.name, 0);
    counts.set(one.name, one.count ?? await findCount(one, turn));
    if (signal?.aborted) throw new Interrupted("");
  }
  for (let round = 0; round < warmUp + wanted; round++) {
    for (const { name, run } of round % 2 === 0 ? cases : cases.toReversed()) {
      onTurn?.(name, round + 1);
      await new Promise((resolve) => setTimeout(resolve, pause));
      const value = await run(counts.get(name)!);
      if (signal?.aborted) throw new Interrupted("");
      if (round >= warmUp) rounds.get(name)!.push(value);
    }
  }
  return { rounds, counts };
}

const ESTIMATE = 50; // milliseconds: a shorter run gives no useful estimate

/** Finds how often the work fits into `turn` milliseconds. */
async function findCount({ run }: Case, turn: number): Promise<number> {
  await run(1);
  const first = await run(1);
  const count = Math.ceil(Math.min(ESTIMATE, turn) / first);
  const milliseconds = count > 1 ? await run(count) : first;
  return Math.max(1, Math.ceil(turn / milliseconds));
}

/** Summary of one value over the rounds. */
export interface Spread {
  median: number;
  minimum: number;
  /** First quartile. */
  low: number;
  /** Third quartile. */
  high: number;
}

/** Computes median, minimum and quartiles. */
export function summariseRounds(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    minimum: Math.min(...values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}

/**
 * Computes a quantile by linear interpolation, the default of R and NumPy.
 *
 * @throws {RangeError} If there is no value.
 */
export function quantile(values: readonly number[], probability: number): number {
  if (values.length === 0) throw new RangeError("There is no quantile of no values.");
  const sorted = values.toSorted((a, b) => a - b);
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/**
 * Divides `reference` by `values`, round by round: a slower machine slows down both values of a pair.
 *
 * @throws {RangeError} If the numbers of rounds differ.
 */
export function pairRounds(values: readonly number[], reference: readonly number[]): number[] {
  if (values.length !== reference.length) {
    throw new RangeError(`Cannot pair ${values.length} rounds with ${reference.length}.`);
  }
  return values.map((value, round) => reference[round] / value);
}
