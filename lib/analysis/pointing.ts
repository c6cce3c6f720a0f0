/**
 * Pointing game on mosaics of four images of four classes: does each class's response map point at its own
 * quarter? The positions are random, so chance is a quarter, also for a map that marks the centre or whatever
 * is salient.
 *
 * After Zhang et al., Top-down Neural Attention by Excitation Backprop (ECCV 2016, arXiv:1608.00507), section
 * 4.1, and Rao, Böhle & Schiele, Towards Better Understanding Attribution Methods (CVPR 2022,
 * arXiv:2205.10435), section 3.
 *
 * @module
 */
import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { MAP_SIZE } from "../model/spec.ts";
import { createRandom } from "../support/random.ts";
import { argMax, type MeanInterval, meanInterval } from "../support/statistics.ts";
import { MAP_CELLS, mapOf } from "./scorer.ts";

/** Chance level. */
export const POINTING_CHANCE = 0.25;

/** Pointing accuracies. */
export interface Pointing {
  mosaics: number;
  /**
   * Fraction of a mosaic's four classes whose map has its maximum in the correct quarter: mean over mosaics.
   * The interval is over mosaics, because the four maps of one are not independent.
   */
  peak: MeanInterval;
  /** The same for the quarter with the greatest mean. */
  mean: MeanInterval;
}

/**
 * Measures pointing accuracy on mosaics.
 *
 * @param maps `[M,K,8,8]`, high where the class is.
 * @param classes Each mosaic's four classes, as in {@linkcode Mosaics}.
 */
export function judgePointing(maps: Float32Array, classes: readonly (readonly number[])[]): Pointing {
  const filters = maps.length / MAP_CELLS / classes.length;
  const accuracy = (pointsAt: (map: Float32Array) => number) =>
    meanInterval(classes.map((labels, mosaic) => {
      const hits = labels.filter((label, part) => pointsAt(mapOf(maps, mosaic, label, filters)) === part);
      return hits.length / labels.length;
    }));
  return {
    mosaics: classes.length,
    peak: accuracy((map) => quarterOf(argMax(map))),
    mean: accuracy((map) => argMax(meanByQuarter(map))),
  };
}

/** Returns the quarter of a cell: 0 top left, 1 top right, 2 bottom left, 3 bottom right. */
export function quarterOf(cell: number): number {
  const half = MAP_SIZE / 2;
  return 2 * Math.floor(Math.floor(cell / MAP_SIZE) / half) + Math.floor(cell % MAP_SIZE / half);
}

/** Averages a map over each quarter. */
export function meanByQuarter(map: ArrayLike<number>): number[] {
  const sums = [0, 0, 0, 0];
  for (let cell = 0; cell < MAP_CELLS; cell++) sums[quarterOf(cell)] += map[cell];
  return sums.map((sum) => sum / (MAP_CELLS / 4));
}

/**
 * Computes the fraction of mosaics whose predicted class is one of their four; chance is 40 %.
 *
 * @param scores `[M,K]`.
 */
export function measurePresence(scores: Float32Array, classes: readonly (readonly number[])[]): number {
  const count = scores.length / classes.length;
  const hits = classes.filter((labels, mosaic) =>
    labels.includes(argMax(scores.subarray(mosaic * count, (mosaic + 1) * count)))
  );
  return hits.length / classes.length;
}

/** Images of four parts, each from an image of another class. */
export interface Mosaics {
  /** Bytes `[M,32,32,3]`. */
  images: Uint8Array;
  /** Classes of the parts: top left, top right, bottom left, bottom right. */
  classes: number[][];
  /** Indices of the parts in the data set, in the same order. */
  sources: number[][];
}

/** Method to fit an image into a quarter: shrink it to half its size, or crop its middle. */
export type Fitting = "shrink" | "crop";

/** Options of {@linkcode createMosaics}. */
export interface MosaicOptions {
  /** Number of mosaics. */
  count: number;
  seed: number;
  /** @default "shrink" */
  fitting?: Fitting;
  /** Indices of the images to sample from. @default all */
  eligible?: readonly number[];
}

/** Height and width of a part. */
export const PART_SIZE = IMAGE_SIZE / 2;

const MOSAIC = 0x6d6f7361; // domain constant: an independent random stream for the same seed
const PARTS = 4;

/**
 * Makes mosaics of four images of four different classes, sampled by (seed, mosaic): the classes first, then
 * an image of each.
 *
 * @throws {RangeError} If there are images of fewer than four classes.
 */
export function createMosaics(dataset: Dataset, options: MosaicOptions): Mosaics {
  const { count, seed, fitting = "shrink", eligible = Array.from(dataset.labels, (_, index) => index) } =
    options;
  const byClass = new Map<number, number[]>();
  for (const index of eligible) {
    const label = dataset.labels[index];
    byClass.set(label, [...byClass.get(label) ?? [], index]);
  }
  if (byClass.size < PARTS) {
    throw new RangeError(`A mosaic needs images of ${PARTS} classes; there are ${byClass.size}.`);
  }
  const images = new Uint8Array(count * IMAGE_BYTES);
  const classes: number[][] = [], sources: number[][] = [];
  for (let mosaic = 0; mosaic < count; mosaic++) {
    const random = createRandom(MOSAIC, seed, mosaic);
    const labels = Uint32Array.from([...byClass.keys()].sort((one, other) => one - other));
    random.shuffle(labels);
    const chosen = [...labels.subarray(0, PARTS)];
    classes.push(chosen);
    sources.push(chosen.map((label) => byClass.get(label)![random.integer(byClass.get(label)!.length)]));
    sources[mosaic].forEach((source, part) => {
      const image = dataset.images.subarray(source * IMAGE_BYTES, (source + 1) * IMAGE_BYTES);
      pastePart(images, mosaic, part, fitImage(image, fitting));
    });
  }
  return { images, classes, sources };
}

/**
 * Fits an image into a quarter: the mean of every 2×2 pixels, or its middle.
 *
 * @param image Bytes `[32,32,3]`.
 * @returns Bytes `[16,16,3]`.
 */
export function fitImage(image: Uint8Array, fitting: Fitting): Uint8Array {
  const result = new Uint8Array(PART_SIZE * PART_SIZE * 3);
  const margin = (IMAGE_SIZE - PART_SIZE) / 2;
  for (let row = 0, at = 0; row < PART_SIZE; row++) {
    for (let column = 0; column < PART_SIZE; column++) {
      for (let channel = 0; channel < 3; channel++, at++) {
        const pixel = (y: number, x: number) => image[(y * IMAGE_SIZE + x) * 3 + channel];
        const [y, x] = [2 * row, 2 * column];
        result[at] = fitting === "crop"
          ? pixel(row + margin, column + margin)
          : Math.round((pixel(y, x) + pixel(y, x + 1) + pixel(y + 1, x) + pixel(y + 1, x + 1)) / 4);
      }
    }
  }
  return result;
}

function pastePart(images: Uint8Array, mosaic: number, part: number, pixels: Uint8Array): void {
  const top = Math.floor(part / 2) * PART_SIZE, left = part % 2 * PART_SIZE;
  for (let row = 0; row < PART_SIZE; row++) {
    const start = mosaic * IMAGE_BYTES + ((top + row) * IMAGE_SIZE + left) * 3;
    images.set(pixels.subarray(row * PART_SIZE * 3, (row + 1) * PART_SIZE * 3), start);
  }
}
