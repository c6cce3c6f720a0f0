/**
 * The pointing game on mosaics: an image of four parts of four classes, and for each of them the question whether its response map
 * points at its part. The parts' places are drawn at random, so guessing is right in a quarter of the cases, and so is a map that
 * merely marks the middle, or whatever stands out.
 *
 * After Zhang et al., Top-down Neural Attention by Excitation Backprop (ECCV 2016, arXiv:1608.00507), section 4.1, and Rao, Böhle &
 * Schiele, Towards Better Understanding Attribution Methods (CVPR 2022, arXiv:2205.10435), section 3.
 *
 * @module
 */
import { argMax, type MeanInterval, meanInterval } from "../support/statistics.ts";
import { CLASSES, MAP_SIZE } from "../model/spec.ts";
import { MAP_CELLS, mapOf } from "./scorer.ts";

/** What guessing gets right. */
export const POINTING_CHANCE = 0.25;

/** How well maps point. */
export interface Pointing {
  mosaics: number;
  /**
   * Share of a mosaic's four classes whose map has its greatest value in the right quarter: the mean over mosaics. The interval is over
   * mosaics as well, because the four maps of one are not independent.
   */
  peak: MeanInterval;
  /** The same, but for the quarter with the greatest mean. */
  mean: MeanInterval;
}

/**
 * Judges maps of mosaics.
 *
 * @param maps `[M,10,8,8]`, high where the class is: oriented response maps, or weighed ones.
 * @param classes Each mosaic's four classes, as {@linkcode Mosaics} has them.
 */
export function judgePointing(maps: Float32Array, classes: readonly (readonly number[])[]): Pointing {
  const share = (pointsAt: (map: Float32Array) => number) =>
    meanInterval(classes.map((labels, mosaic) => {
      const hits = labels.filter((label, part) => pointsAt(mapOf(maps, mosaic, label)) === part);
      return hits.length / labels.length;
    }));
  return {
    mosaics: classes.length,
    peak: share((map) => quarterOf(argMax(map))),
    mean: share((map) => argMax(meanByQuarter(map))),
  };
}

/** The quarter that a cell lies in: 0 top left, 1 top right, 2 bottom left, 3 bottom right. */
export function quarterOf(cell: number): number {
  const half = MAP_SIZE / 2;
  return 2 * Math.floor(Math.floor(cell / MAP_SIZE) / half) + Math.floor(cell % MAP_SIZE / half);
}

/** A map's mean in each quarter. */
export function meanByQuarter(map: ArrayLike<number>): number[] {
  const sums = [0, 0, 0, 0];
  for (let cell = 0; cell < MAP_CELLS; cell++) sums[quarterOf(cell)] += map[cell];
  return sums.map((sum) => sum / (MAP_CELLS / 4));
}

/**
 * Share of the mosaics whose winning class is one of their four; guessing gets 40 %.
 *
 * @param scores `[M,10]`.
 */
export function countPresentWinners(scores: Float32Array, classes: readonly (readonly number[])[]): number {
  const hits = classes.filter((labels, mosaic) =>
    labels.includes(argMax(scores.subarray(mosaic * CLASSES, (mosaic + 1) * CLASSES)))
  );
  return hits.length / classes.length;
}
