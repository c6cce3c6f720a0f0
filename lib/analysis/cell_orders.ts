/**
 * Orders in which the cells of the 8×8 map are taken, each a list of all 64, the first one first.
 *
 * @module
 */
import { MAP_SIZE } from "../model/spec.ts";
import { createRandom } from "../support/random.ts";
import { MAP_CELLS } from "./scorer.ts";

const ORDER = 0x63656c6c; // keeps these draws apart from others with the same seed

/** The cells with the greatest values first; of equal ones the one nearer to the top left. */
export function orderByValue(map: ArrayLike<number>): number[] {
  return Array.from(map, (_, cell) => cell).sort((one, other) => map[other] - map[one] || one - other);
}

/** At random, by (seed, image). */
export function orderAtRandom(seed: number, image: number): number[] {
  const cells = Uint32Array.from({ length: MAP_CELLS }, (_, cell) => cell);
  createRandom(ORDER, seed, image).shuffle(cells);
  return [...cells];
}

/**
 * From the middle outwards: photographs have their object there, so this is what a map that knows nothing of the image could still do.
 * Cells that are equally far come in a random order, by (seed, image).
 */
export function orderFromCentre(seed: number, image: number): number[] {
  const middle = (MAP_SIZE - 1) / 2;
  const distance = (cell: number) =>
    (Math.floor(cell / MAP_SIZE) - middle) ** 2 + (cell % MAP_SIZE - middle) ** 2;
  return orderAtRandom(seed, image).sort((one, other) => distance(one) - distance(other)); // a stable sort
}
