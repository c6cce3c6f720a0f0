/**
 * Reading response maps. Two things about them are free, so training decides them by chance:
 *
 * - A filter and the score predictor behind it can both change their sign without any score changing (the generator ends in tanh, which is
 *   odd). Whether a class shows as a *high* or as a *low* response is chance, and may differ from place to place.
 * - What all ten scores have in common does not count, since the softmax sees only differences. A class may win by responding, or by not
 *   responding where all others do.
 *
 * Evidence is what is left when both are taken out.
 *
 * @module
 */
import { createForwardContext } from "../model/network.ts";
import { predictScores } from "../model/score_predictor.ts";
import { CLASSES, filterCount, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { joinArrays, MAP_CELLS } from "./scorer.ts";

const BATCH_SIZE = 2500; // maps

/**
 * How much a class's score rises with each value of its response map.
 *
 * @param maps Response maps `[M,8,8]`, of any classes and images.
 * @returns Slopes `[M,8,8]`: ∂ score / ∂ response.
 * @throws {RangeError} If the network has not one score a map.
 */
export async function scoreSlopes(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  if (filterCount(variant) !== CLASSES) {
    throw new RangeError(`The classes of a network ${variant} have no response maps of their own.`);
  }
  const context = createForwardContext(tensors, { variant, backbone, adapter, mode: "evaluate" });
  // a score depends on its own map alone, so the gradient of their sum holds each one's
  const slope = tf.grad((maps: tf.Tensor) =>
    tf.sum(tf.slice(predictScores(context, maps as tf.Tensor4D), [0, 0], [-1, 1]))
  );
  const parts: Float32Array[] = [];
  for (let start = 0; start < maps.length; start += BATCH_SIZE * MAP_CELLS) {
    const part = maps.subarray(start, start + BATCH_SIZE * MAP_CELLS);
    const result = tf.tidy(() => slope(tf.tensor4d(part, [part.length / MAP_CELLS, 1, MAP_SIZE, MAP_SIZE])));
    parts.push(await result.data() as Float32Array);
    result.dispose();
  }
  return joinArrays(parts);
}

/**
 * Response × slope, cell by cell: what each cell adds to the score, to first order (gradient × input, Shrikumar et al. 2017,
 * arXiv:1704.02685). It does not depend on the maps' sign.
 *
 * @param maps `[M,8,8]`
 */
export async function weighMaps(
  tensors: StateDict,
  spec: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  const slopes = await scoreSlopes(tensors, spec, maps);
  return maps.map((value, index) => value * slopes[index]);
}

/**
 * What each map has more than the mean of its image's nine others. What is added to all ten makes no difference.
 *
 * @param maps `[N,10,8,8]`
 */
export function contrastMaps(maps: Float32Array): Float32Array {
  const result = new Float32Array(maps.length);
  for (let start = 0; start < maps.length; start += CLASSES * MAP_CELLS) {
    for (let cell = start; cell < start + MAP_CELLS; cell++) {
      let sum = 0;
      for (let label = 0; label < CLASSES; label++) sum += maps[cell + label * MAP_CELLS];
      for (let label = 0; label < CLASSES; label++) {
        const at = cell + label * MAP_CELLS;
        result[at] = maps[at] - (sum - maps[at]) / (CLASSES - 1);
      }
    }
  }
  return result;
}

/**
 * Evidence for each class: what each cell of its map adds to its score, less what that cell adds to the other classes' scores on average.
 *
 * @param maps Response maps `[N,10,8,8]`.
 */
export async function measureEvidence(
  tensors: StateDict,
  spec: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  return contrastMaps(await weighMaps(tensors, spec, maps));
}

/** How a predictor reads maps. */
export interface SlopeSummary {
  /** Mean slope of each cell `[64]`. */
  mean: Float32Array;
  /** Share of the cells, over all maps, where the score rises with the response, 0–1. */
  rising: number;
}

/** Summarises slopes `[M,8,8]`. */
export function summariseSlopes(slopes: Float32Array): SlopeSummary {
  return { mean: averageMaps(slopes), rising: slopes.filter((slope) => slope > 0).length / slopes.length };
}

/** The mean of maps `[M,8,8]`, `[64]`. */
export function averageMaps(maps: Float32Array): Float32Array {
  const sums = new Float64Array(MAP_CELLS);
  maps.forEach((value, index) => sums[index % MAP_CELLS] += value);
  return Float32Array.from(sums, (sum) => sum / (maps.length / MAP_CELLS));
}
