/**
 * Reading response maps. A filter and the score predictor behind it can both change their sign without any score changing (the
 * generator ends in tanh, which is odd), so training decides by chance whether a class shows as a *high* or as a *low* response.
 *
 * @module
 */
import { createPass } from "../model/network.ts";
import { predictScores } from "../model/score_predictor.ts";
import { CLASSES, filterCount, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import * as tf from "../tensorflow/tf.ts";
import { joinArrays, MAP_CELLS } from "./scorer.ts";

const BATCH_SIZE = 250;

/**
 * How much each class's score rises with each value of its own response map.
 *
 * @param maps Response maps `[N,10,8,8]`.
 * @returns Gradients `[N,10,8,8]`: ∂ score of the class / ∂ its map.
 * @throws {RangeError} If the network has not one map and one score a class.
 */
export async function scoreGradients(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  if (filterCount(variant) !== CLASSES) {
    throw new RangeError(`The classes of a network ${variant} have no response maps of their own.`);
  }
  const pass = createPass(tensors, { variant, backbone, adapter, mode: "evaluate" });
  // a class's score depends on its own map alone, so the gradient of their sum holds each class's
  const gradient = tf.grad((maps: tf.Tensor) => tf.sum(predictScores(pass, maps as tf.Tensor4D)));
  const parts: Float32Array[] = [];
  const step = BATCH_SIZE * CLASSES * MAP_CELLS;
  for (let start = 0; start < maps.length; start += step) {
    const part = maps.subarray(start, start + step);
    const result = tf.tidy(() =>
      gradient(tf.tensor4d(part, [part.length / (CLASSES * MAP_CELLS), CLASSES, MAP_SIZE, MAP_SIZE]))
    );
    parts.push(await result.data() as Float32Array);
    result.dispose();
  }
  return joinArrays(parts);
}

/** Which sign of the response speaks for a class, and how clearly. */
export interface Polarity {
  /** 1: high responses speak for the class; −1: low ones do. */
  sign: 1 | -1;
  /** Share of the map's cells, over all images, whose gradient has that sign, 0.5–1. */
  agreement: number;
}

/**
 * Finds out which sign of the response speaks for a class: the sign of most gradients of the score, for the class that each image is
 * of.
 *
 * @param gradients `[N,10,8,8]` of {@linkcode scoreGradients}.
 * @param classes The class to look at in each image `[N]`.
 */
export function findPolarity(gradients: Float32Array, classes: ArrayLike<number>): Polarity {
  let positive = 0;
  for (let image = 0; image < classes.length; image++) {
    const start = (image * CLASSES + classes[image]) * MAP_CELLS;
    for (const value of gradients.subarray(start, start + MAP_CELLS)) positive += value > 0 ? 1 : 0;
  }
  const share = positive / (classes.length * MAP_CELLS);
  return share >= 0.5 ? { sign: 1, agreement: share } : { sign: -1, agreement: 1 - share };
}

/** Values by their sign: evidence *for* the class is positive whatever the polarity. */
export function orient(maps: Float32Array, { sign }: Pick<Polarity, "sign">): Float32Array {
  return maps.map((value) => sign * value || 0); // no −0
}

/** Response × gradient, cell by cell: what each cell adds to the score, to first order (Shrikumar et al. 2017, arXiv:1704.02685). */
export function weighMaps(maps: Float32Array, gradients: Float32Array): Float32Array {
  return maps.map((value, index) => value * gradients[index]);
}
