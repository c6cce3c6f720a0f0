/**
 * Does a map mark the pixels that the network's answer depends on? Remove them in the map's order and watch the answer fall (deletion);
 * show them in that order on an empty image and watch it rise (insertion).
 *
 * Source: Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (BMVC 2018), section 4.
 *
 * @module
 */
import { areaUnder, type FractionCurve } from "../figures/deletion_insertion.ts";
import { type MeanInterval, meanInterval, softmax } from "../support/statistics.ts";
import { type Baseline, makeBaseline, replaceCells } from "./occlusion.ts";
import { MAP_CELLS } from "./scorer.ts";

/** Options of {@linkcode traceCurves}. */
export interface TraceOptions {
  /** Normalised values `[N,32,32,3]`. */
  images: Float32Array;
  /** The class whose probability is followed in each image `[N]`. */
  classes: ArrayLike<number>;
  /** By name: for each image the order in which its cells are taken. */
  orders: Readonly<Record<string, readonly ArrayLike<number>[]>>;
  /** Scores `[N,K]` of images. */
  score(images: Float32Array): Promise<Float32Array>;
  /** What stands where pixels are removed. @default "mean" */
  baseline?: Baseline;
  /** Cells taken from one point of a curve to the next; a divisor of 64. @default 4 */
  cellsPerStep?: number;
}

/** Curves of one order, image by image. */
export interface Trace {
  name: string;
  /** Shares of the pixels that were taken, 0–1. */
  fraction: number[];
  /** Probability of the class `[N][points]`. */
  deletion: number[][];
  insertion: number[][];
}

/**
 * Follows the probability of each image's class while its cells are removed, and while they are shown.
 *
 * Both use the same empty image, so the insertion curve of an order is its deletion curve read from the end of the reverse order.
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

/** The mean curve over images, with its 95 % interval at each point (Student's t; of each point for itself). */
export function averageCurve(trace: Trace, kind: "deletion" | "insertion"): FractionCurve {
  const points = trace.fraction.map((_, point) => meanInterval(trace[kind].map((curve) => curve[point])));
  const isBanded = points.every(({ interval }) => interval !== undefined);
  return {
    name: trace.name,
    fraction: trace.fraction,
    value: points.map(({ mean }) => mean),
    ...isBanded &&
      { low: points.map(({ interval }) => interval![0]), high: points.map(({ interval }) => interval![1]) },
  };
}

/** The area under each image's curve, 0–1. */
export function areasOf({ name, fraction, ...curves }: Trace, kind: "deletion" | "insertion"): number[] {
  return curves[kind].map((value) => areaUnder({ name, fraction, value }));
}

/** An order's areas, and how they differ from a reference's on the same images. */
export interface AreaComparison {
  name: string;
  deletion: MeanInterval;
  insertion: MeanInterval;
  /** Area minus the reference's, image by image; null for the reference itself. Good is below 0 for deletion, above for insertion. */
  difference: { deletion: MeanInterval; insertion: MeanInterval } | null;
}

/**
 * Compares the areas under the curves with those of one order, in pairs by image.
 *
 * @throws {RangeError} If there is no order of that name.
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
