/**
 * Deletion and insertion curves: the class's probability while pixels are removed in the order of a map, or
 * inserted into an empty image.
 *
 * Source: Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (BMVC
 * 2018), section 4.
 */
import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { MAP_SIZE } from "../model/spec.ts";
import { splitRows } from "../support/arrays.ts";
import { createRandom } from "../support/random.ts";
import { softmax } from "../support/statistics.ts";
import { MAP_CELLS } from "./scorer.ts";

export interface TraceOptions {
  /** Normalised values `[N,32,32,3]`. */
  images: Float32Array;
  /** Class whose probability is traced, per image `[N]`. */
  classes: ArrayLike<number>;
  /** Cell orders per image, by name. */
  orders: Readonly<Record<string, readonly ArrayLike<number>[]>>;
  /** Computes scores `[N,K]` of images. */
  score(images: Float32Array): Promise<Float32Array>;
  /** Cells per step of a curve; a divisor of 64. @default 4 */
  cellsPerStep?: number;
}

/** Curves of one order, image by image. */
export interface Trace {
  name: string;
  /** Fraction of pixels removed or inserted, 0–1. */
  fraction: number[];
  /** Probability of the class `[N][points]`. */
  deletion: number[][];
  insertion: number[][];
}

/**
 * Traces the probability of each image's class while its cells are removed, and while they are inserted.
 *
 * Both use the same empty image, so the insertion curve of an order is its deletion curve read from the end
 * of the reverse order.
 */
export async function traceCurves(options: TraceOptions): Promise<Trace[]> {
  const { images, classes, orders, score, cellsPerStep = 4 } = options;
  const empty = makeBaseline(images);
  const counts = Array.from({ length: MAP_CELLS / cellsPerStep + 1 }, (_, step) => step * cellsPerStep);
  const probabilities = async (values: Float32Array): Promise<number[]> => {
    const rows = splitRows(await score(values), classes.length);
    return rows.map((row, image) => softmax(row)[classes[image]]);
  };
  const [whole, nothing] = [await probabilities(images), await probabilities(empty)];
  const follow = async (
    from: Float32Array,
    to: Float32Array,
    order: readonly ArrayLike<number>[],
    ends: number[][],
  ) => {
    const points = [ends[0]];
    for (const count of counts.slice(1, -1)) {
      points.push(await probabilities(replaceCells(from, to, order, count)));
    }
    points.push(ends[1]);
    return Array.from(classes, (_, image) => points.map((point) => point[image]));
  };
  const traces: Trace[] = [];
  for (const [name, order] of Object.entries(orders)) {
    traces.push({
      name,
      fraction: counts.map((count) => count / MAP_CELLS),
      deletion: await follow(images, empty, order, [whole, nothing]),
      insertion: await follow(empty, images, order, [nothing, whole]),
    });
  }
  return traces;
}

/** Computes the area under a curve by the trapezoidal rule; 0–1 for fractions and values from 0 to 1. */
export function areaUnder({ fraction, value }: Record<"fraction" | "value", readonly number[]>): number {
  return fraction.slice(1).reduce(
    (area, end, index) => area + (end - fraction[index]) * (value[index + 1] + value[index]) / 2,
    0,
  );
}

/** Computes the area under each image's curve, 0–1. */
export function areasOf({ fraction, ...curves }: Trace, kind: "deletion" | "insertion"): number[] {
  return curves[kind].map((value) => areaUnder({ fraction, value }));
}

const [ORDER, VALUES] = [0x63656c6c, 0x76616c75]; // domain constants: independent random streams

/** Orders cells by value, greatest first; ties are in random order, keyed by (seed, image). */
export function orderByValue(map: ArrayLike<number>, seed = 0, image = 0): number[] {
  const cells = Uint32Array.from({ length: MAP_CELLS }, (_, cell) => cell);
  createRandom(ORDER, seed, image).shuffle(cells);
  return [...cells].sort((one, other) => map[other] - map[one]); // a stable sort
}

/** Draws a map `[64]` of random values, uniform in 0–1, keyed by (seed, image). */
export function randomMap(seed: number, image: number): Float32Array {
  const random = createRandom(VALUES, seed, image);
  return Float32Array.from({ length: MAP_CELLS }, () => random.next());
}

/** Makes a map `[64]` that falls with the distance from the centre, where most objects are. */
export function centreMap(): Float32Array {
  const middle = (MAP_SIZE - 1) / 2;
  return Float32Array.from(
    { length: MAP_CELLS },
    (_, cell) => -((Math.floor(cell / MAP_SIZE) - middle) ** 2) - (cell % MAP_SIZE - middle) ** 2,
  );
}

/** Blurs a map `[64]`: the mean of each cell and its neighbours, up to eight. */
export function blurMap(map: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: MAP_CELLS }, (_, cell) => {
    const near = Array.from({ length: MAP_CELLS }, (_, other) => other).filter((other) =>
      Math.abs(Math.floor(other / MAP_SIZE) - Math.floor(cell / MAP_SIZE)) <= 1 &&
      Math.abs(other % MAP_SIZE - cell % MAP_SIZE) <= 1
    );
    return near.reduce((sum, other) => sum + map[other], 0) / near.length;
  });
}

/** Marks the pixels `[1024]` of some cells: 1 in their blocks, else 0. */
export function markCells(cells: readonly number[]): Uint8Array {
  const marks = new Uint8Array(MAP_CELLS);
  for (const cell of cells) marks[cell] = 1;
  return Uint8Array.from({ length: IMAGE_SIZE ** 2 }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / IMAGE_SIZE), pixel % IMAGE_SIZE];
    return marks[Math.floor(row / BLOCK) * MAP_SIZE + Math.floor(column / BLOCK)];
  });
}

/** Marks `count` pixels at random, keyed by (seed, image): `[1024]`, 1 where marked, else 0. */
export function markAtRandom(count: number, seed: number, image: number): Uint8Array {
  const pixels = Uint32Array.from({ length: IMAGE_SIZE ** 2 }, (_, pixel) => pixel);
  createRandom(ORDER, seed, image).shuffle(pixels);
  return Uint8Array.from(pixels, (_, pixel) => pixels[pixel] < count ? 1 : 0);
}

/** Side in pixels of the block of a cell. */
export const BLOCK = IMAGE_SIZE / MAP_SIZE;

/**
 * Replaces the blocks of the first `count` cells of an order, image by image.
 *
 * @param images Values `[N,32,32,3]`.
 * @param replacement Images `[N,32,32,3]` to take the blocks from.
 * @param orders An order of the 64 cells for each image.
 * @returns New values `[N,32,32,3]`.
 */
export function replaceCells(
  images: Float32Array,
  replacement: Float32Array,
  orders: readonly ArrayLike<number>[],
  count: number,
): Float32Array {
  const result = images.slice();
  orders.forEach((order, image) => {
    for (let place = 0; place < count; place++) {
      const top = Math.floor(order[place] / MAP_SIZE) * BLOCK;
      const left = order[place] % MAP_SIZE * BLOCK;
      for (let row = top; row < top + BLOCK; row++) {
        const start = image * IMAGE_BYTES + (row * IMAGE_SIZE + left) * 3;
        result.set(replacement.subarray(start, start + 3 * BLOCK), start);
      }
    }
  });
  return result;
}

/** Replaces all pixels of images `[N,32,32,3]` by the image's mean colour: the empty image. */
export function makeBaseline(images: Float32Array): Float32Array {
  const result = new Float32Array(images.length);
  for (let start = 0; start < images.length; start += IMAGE_BYTES) {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let at = channel; at < IMAGE_BYTES; at += 3) sum += images[start + at];
      const mean = sum / (IMAGE_SIZE * IMAGE_SIZE);
      for (let at = channel; at < IMAGE_BYTES; at += 3) result[start + at] = mean;
    }
  }
  return result;
}
