/**
 * Keyed random numbers.
 *
 * Everything random in a run (initial weights, the order of an epoch, the crop of an image) comes from a
 * generator keyed by integers such as (seed, epoch, index). There is no hidden state to save, so a resumed
 * run gets the same numbers as an uninterrupted one.
 */

/** A deterministic sequence of random numbers. */
export interface Random {
  /** The next number, uniform in [0, 1) with 32 random bits. */
  next(): number;
  /** The next integer, uniform in 0 … `limit` − 1. */
  integer(limit: number): number;
  /** The next number of the standard normal distribution. */
  normal(): number;
  /** Shuffles `values` in place (Fisher–Yates). */
  shuffle(values: Uint32Array): void;
}

/**
 * Mixes integers into one unsigned 32-bit hash (MurmurHash3's finaliser after each word).
 *
 * @example
 * ```ts
 * import { hash } from "./random.ts";
 * console.assert(hash(0, 1, 2) === hash(0, 1, 2) && hash(0, 1, 2) !== hash(0, 2, 1));
 * ```
 */
export function hash(...words: number[]): number {
  let mixed = 0x9e3779b9;
  for (const word of words) {
    mixed = Math.imul(mixed ^ word, 0x85ebca6b) + 0x9e3779b9 | 0;
    mixed ^= mixed >>> 16;
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return mixed >>> 0;
}

/**
 * Creates the generator of a key: sfc32 (Doty-Humphrey, PractRand), seeded by hashes of the key.
 *
 * @param key Integers that identify the stream: a seed first, then for instance the epoch and the index of an
 *   image.
 *
 * @example
 * ```ts
 * import { createRandom } from "./random.ts";
 * const [one, same] = [createRandom(0, 7), createRandom(0, 7)];
 * console.assert(one.next() === same.next());
 * ```
 */
export function createRandom(...key: number[]): Random {
  let [a, b, c, counter] = [hash(...key, 1), hash(...key, 2), hash(...key, 3), 1];
  const bits = (): number => {
    const result = (a + b | 0) + counter | 0;
    counter = counter + 1 | 0;
    a = b ^ b >>> 9;
    b = c + (c << 3) | 0;
    c = (c << 21 | c >>> 11) + result | 0;
    return result >>> 0;
  };
  for (let round = 0; round < 12; round++) bits(); // sfc32 needs some rounds before its first number
  const next = () => bits() / 0x1_0000_0000;
  const integer = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()), // Box–Muller
    shuffle: (values) => {
      for (let last = values.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        [values[last], values[other]] = [values[other], values[last]];
      }
    },
  };
}
