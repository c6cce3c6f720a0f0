/**
 * Deletion and insertion curves: the class's probability while pixels are removed in the order of a map, or
 * inserted into an empty image.
 *
 * Source: Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (BMVC
 * 2018), section 4.
 *
 * @module
 */
import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { MAP_SIZE } from "../model/spec.ts";
import { createRandom } from "../support/random.ts";
import { type MeanInterval, meanInterval, softmax } from "../support/statistics.ts";
import { MAP_CELLS } from "./scorer.ts";

/** Options of {@linkcode traceCurves}. */
export interface TraceOptions {
  /** Normalised values `[N,32,32,3]`. */
  images: Float32Array;
  /** Class whose probability is traced, per image `[N]`. */
  classes: ArrayLike<number>;
  /** Cell orders per image, by name. */
  orders: Readonly<Record<string, readonly ArrayLike<number>[]>>;
  /** Computes scores `[N,K]` of images. */
  score(images: Float32Array): Promise<Float32Array>;
  /** Replacement for removed pixels. @default "mean" */
  baseline?: Baseline;
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
  const { images, classes, orders, score, baseline = "mean", cellsPerStep = 4 } = options;
  const empty = makeBaseline(images, baseline);
  const counts = Array.from({ length: MAP_CELLS / cellsPerStep + 1 }, (_, step) => step * cellsPerStep);
  const probabilities = async (values: Float32Array): Promise<number[]> => {
    const scores = await score(values);
    const length = scores.length / classes.length;
    return Array.from(
      classes,
      (label, image) => softmax(scores.subarray(image * length, (image + 1) * length))[label],
    );
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

/** Mean curve over images. */
export interface MeanCurve {
  name: string;
  /** Fraction of pixels removed or inserted, 0–1. */
  fraction: number[];
  /** Mean probability at each fraction. */
  value: number[];
  /** Ends of the 95 % interval; absent for a single image. */
  low?: number[];
  high?: number[];
  /** Area under the curve. */
  area: number;
}

/** Averages curves over images, with a pointwise 95 % interval (Student's t). */
export function averageCurve(trace: Trace, kind: "deletion" | "insertion"): MeanCurve {
  const points = trace.fraction.map((_, point) => meanInterval(trace[kind].map((curve) => curve[point])));
  const isBanded = points.every(({ interval }) => interval !== undefined);
  const { name, fraction } = trace;
  const value = points.map(({ mean }) => mean);
  return {
    name,
    fraction,
    value,
    ...isBanded &&
      { low: points.map(({ interval }) => interval![0]), high: points.map(({ interval }) => interval![1]) },
    area: areaUnder({ fraction, value }),
  };
}

/** Computes the area under a curve by the trapezoidal rule; 0–1 for fractions and values from 0 to 1. */
export function areaUnder({ fraction, value }: Pick<MeanCurve, "fraction" | "value">): number {
  return fraction.slice(1).reduce(
    (area, end, index) => area + (end - fraction[index]) * (value[index + 1] + value[index]) / 2,
    0,
  );
}

/** Computes the area under each image's curve, 0–1. */
export function areasOf({ fraction, ...curves }: Trace, kind: "deletion" | "insertion"): number[] {
  return curves[kind].map((value) => areaUnder({ fraction, value }));
}

/** Areas of an order, and their differences from a reference's on the same images. */
export interface AreaComparison {
  name: string;
  deletion: MeanInterval;
  insertion: MeanInterval;
  /**
   * Area minus the reference's, image by image; null for the reference itself. Better is below 0 for
   * deletion, above for insertion.
   */
  difference: { deletion: MeanInterval; insertion: MeanInterval } | null;
}

/**
 * Compares the areas under the curves with those of one order, paired by image.
 *
 * @throws {RangeError} If the reference order does not exist.
 */
export function compareAreas(traces: readonly Trace[], reference: string): AreaComparison[] {
  const base = traces.find(({ name }) => name === reference);
  if (!base) throw new RangeError(`There is no order ${reference} to compare with.`);
  const subtract = (trace: Trace, kind: "deletion" | "insertion") => {
    const others = areasOf(base, kind);
    return meanInterval(areasOf(trace, kind).map((area, image) => area - others[image]));
  };
  return traces.map((trace) => ({
    name: trace.name,
    deletion: meanInterval(areasOf(trace, "deletion")),
    insertion: meanInterval(areasOf(trace, "insertion")),
    difference: trace === base
      ? null
      : { deletion: subtract(trace, "deletion"), insertion: subtract(trace, "insertion") },
  }));
}

const ORDER = 0x63656c6c; // domain constant: an independent random stream for the same seed

/** Orders cells by value, greatest first; ties from the top left. */
export function orderByValue(map: ArrayLike<number>): number[] {
  return Array.from(map, (_, cell) => cell).sort((one, other) => map[other] - map[one] || one - other);
}

/** Orders cells at random, keyed by (seed, image). */
export function orderAtRandom(seed: number, image: number): number[] {
  const cells = Uint32Array.from({ length: MAP_CELLS }, (_, cell) => cell);
  createRandom(ORDER, seed, image).shuffle(cells);
  return [...cells];
}

/**
 * Orders cells from the centre outwards: a baseline independent of the image, since the object of
 * a photograph is usually in the centre. Ties are in random order, keyed by (seed, image).
 */
export function orderFromCentre(seed: number, image: number): number[] {
  const middle = (MAP_SIZE - 1) / 2;
  const distance = (cell: number) =>
    (Math.floor(cell / MAP_SIZE) - middle) ** 2 + (cell % MAP_SIZE - middle) ** 2;
  return orderAtRandom(seed, image).sort((one, other) => distance(one) - distance(other)); // a stable sort
}

/**
 * Replacement for removed pixels: the image's mean colour, or the blurred image (Gaussian, σ = 5 pixels).
 *
 * The mean colour removes shapes but has sharp edges; the blur has none, but keeps large shapes visible.
 */
export type Baseline = "mean" | "blur";

/** Side in pixels of the block of a cell. */
export const BLOCK = IMAGE_SIZE / MAP_SIZE;

const DEVIATION = 5; // pixels
const REACH = 15;

/** Replaces all pixels: images `[N,32,32,3]`. */
export function makeBaseline(images: Float32Array, baseline: Baseline): Float32Array {
  return baseline === "mean" ? fillWithMean(images) : blur(blur(images, 3), 3 * IMAGE_SIZE);
}

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

function fillWithMean(images: Float32Array): Float32Array {
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

/** Blurs along one axis, whose pixels are `step` values apart; weights are renormalised at the edges. */
function blur(images: Float32Array, step: number): Float32Array {
  const weights = Array.from(
    { length: 2 * REACH + 1 },
    (_, at) => Math.exp(-((at - REACH) ** 2) / (2 * DEVIATION ** 2)),
  );
  const result = new Float32Array(images.length);
  for (let at = 0; at < images.length; at++) {
    const position = Math.floor(at / step) % IMAGE_SIZE;
    const first = Math.max(-REACH, -position), last = Math.min(REACH, IMAGE_SIZE - 1 - position);
    let sum = 0, total = 0;
    for (let offset = first; offset <= last; offset++) {
      sum += weights[offset + REACH] * images[at + offset * step];
      total += weights[offset + REACH];
    }
    result[at] = sum / total;
  }
  return result;
}
