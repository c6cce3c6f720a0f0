/**
 * Evidence, computed from response maps. A map by itself does not say what a cell adds to a class's score:
 *
 * - The score rises with the response as a rule, since the training chooses the maps' sign so
 *   (lib/model/map_sign.ts), but not in every cell: the predictor has weights of its own for each.
 * - A term common to all scores has no effect, since the softmax depends on differences only. A class may be
 *   predicted because it responds, or because it does not respond where all others do.
 *
 * Evidence accounts for both.
 */
import { createForwardContext } from "../model/network.ts";
import { predictScores } from "../model/score_predictor.ts";
import { DEFAULT_CLASSES, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import { countFilters, type StateDict } from "../model/state_dict.ts";
import { joinArrays } from "../support/arrays.ts";
import { MAP_CELLS } from "./scorer.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

const BATCH_SIZE = 2500; // maps

/**
 * Computes the gradient of a class's score by its response map.
 *
 * @param maps Response maps `[M,8,8]`, of any classes and images.
 * @returns Slopes `[M,8,8]`: ∂ score / ∂ response.
 * @throws {RangeError} If the classes share one map.
 */
export async function scoreSlopes(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  if (countFilters(tensors) === 1) {
    throw new RangeError(`The classes of a network ${variant} have no response maps of their own.`);
  }
  const context = createForwardContext(tensors, { variant, backbone, adapter, mode: "evaluate" });
  // a score depends on its own map alone, so the gradient of the sum holds all of them
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
 * Computes gradient × input for each cell: its contribution to the score, to first order (Shrikumar et al.
 * 2017, arXiv:1704.02685). It does not depend on the maps' sign.
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
 * Subtracts from each map the mean of the image's others. A term common to all of them cancels.
 *
 * @param maps `[N,K,8,8]`
 */
export function contrastMaps(maps: Float32Array, classes: number = DEFAULT_CLASSES): Float32Array {
  const result = new Float32Array(maps.length);
  for (let start = 0; start < maps.length; start += classes * MAP_CELLS) {
    for (let cell = start; cell < start + MAP_CELLS; cell++) {
      let sum = 0;
      for (let label = 0; label < classes; label++) sum += maps[cell + label * MAP_CELLS];
      for (let label = 0; label < classes; label++) {
        const at = cell + label * MAP_CELLS;
        result[at] = maps[at] - (sum - maps[at]) / (classes - 1);
      }
    }
  }
  return result;
}

/**
 * Computes the evidence for each class: each cell's contribution to its score, minus the mean contribution to
 * the other classes' scores.
 *
 * @param maps Response maps `[N,K,8,8]`.
 */
export async function measureEvidence(
  tensors: StateDict,
  spec: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  return contrastMaps(await weighMaps(tensors, spec, maps), countFilters(tensors));
}

/** Computes slopes' means per cell `[64]`, and the fraction of all in which the score rises with the response. */
export function summariseSlopes(slopes: Float32Array) {
  return { mean: averageMaps(slopes), rising: slopes.filter((slope) => slope > 0).length / slopes.length };
}

/** Averages maps `[M,8,8]` → `[64]`. */
export function averageMaps(maps: Float32Array): Float32Array {
  const sums = new Float64Array(MAP_CELLS);
  maps.forEach((value, index) => sums[index % MAP_CELLS] += value);
  return Float32Array.from(sums, (sum) => sum / (maps.length / MAP_CELLS));
}
