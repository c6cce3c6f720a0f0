/**
 * Attributions other than evidence, as opponents of the response maps: each says how much a cell of 4×4
 * pixels matters for the score of one class.
 */
import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { createForwardContext } from "../model/network.ts";
import { adapter as adapt, backbone as runBackbone } from "../model/backbone.ts";
import { dynamicConvolution } from "../model/dynamic_convolution.ts";
import { makeFilters } from "../model/filters.ts";
import { predictScores } from "../model/score_predictor.ts";
import { MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { flipped } from "../tensorflow/operations/strided.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { BLOCK, makeBaseline, replaceCells } from "./deletion.ts";
import { scoreSlopes } from "./evidence.ts";
import { MAP_CELLS } from "./scorer.ts";

/**
 * Computes Grad-CAM at the feature map v, the output of `layer1` (Selvaraju et al. 2017, arXiv:1610.02391).
 *
 * Its channel weights are means of ∂ score / ∂ v over the cells. Here v reaches the score only through the
 * class's map r = w · v / 8, so ∂ score / ∂ v = slope · w / 8, and Grad-CAM is max(0, mean slope · r): the
 * response map itself, but for its sign.
 *
 * @param maps Response maps `[M,8,8]`, each of the class to explain.
 * @returns `[M,8,8]`
 */
export async function gradCam(
  tensors: StateDict,
  spec: NetworkSpec,
  maps: Float32Array,
): Promise<Float32Array> {
  const slopes = await scoreSlopes(tensors, spec, maps);
  const sums = new Float64Array(maps.length / MAP_CELLS);
  slopes.forEach((slope, at) => sums[Math.floor(at / MAP_CELLS)] += slope);
  return maps.map((value, at) => Math.max(0, value * sums[Math.floor(at / MAP_CELLS)] / MAP_CELLS));
}

/**
 * Measures how much each class's score falls when a cell is replaced by the image's mean colour (Zeiler &
 * Fergus 2014, arXiv:1311.2901).
 *
 * @param images Normalised images `[N,32,32,3]`.
 * @param score Computes scores `[N,K]` of images.
 * @returns `[N,K,8,8]`
 */
export async function occludeCells(
  images: Float32Array,
  score: (images: Float32Array) => Promise<Float32Array>,
): Promise<Float32Array> {
  const count = images.length / IMAGE_BYTES;
  const [whole, empty] = [await score(images), makeBaseline(images)];
  const falls = new Float32Array(whole.length * MAP_CELLS);
  for (let cell = 0; cell < MAP_CELLS; cell++) {
    const occluded = await score(replaceCells(images, empty, new Array(count).fill([cell]), 1));
    occluded.forEach((value, at) => falls[at * MAP_CELLS + cell] = whole[at] - value);
  }
  return falls;
}

/** Computes weights that make a class's lead of K scores: its own minus the mean of the others. */
function leadWeights(labels: tf.Tensor1D, classes: number): tf.Tensor {
  const own = tf.oneHot(labels, classes, 1, 0, "float32");
  return tf.div(tf.sub(tf.mul(own, classes), 1), classes - 1);
}

export interface IntegratedGradientsOptions {
  /** Normalised images `[N,32,32,3]`. */
  images: Float32Array;
  /** Class to explain, per image `[N]`. */
  classes: ArrayLike<number>;
  /** Points of the path, in the middle of equal steps. @default 20 */
  steps?: number;
}

const BATCH_SIZE = 100;

/**
 * Integrates the gradient of a class's lead (its score minus the mean of the others) along the straight path
 * from the image's mean colour to the image, times the difference of both, and sums it over each cell's
 * pixels and colours (Sundararajan et al. 2017, arXiv:1703.01365). The cells sum to the difference of the
 * leads.
 *
 * @returns `[N,8,8]`
 */
export async function integrateGradients(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
  { images, classes, steps = 20 }: IntegratedGradientsOptions,
): Promise<Float32Array> {
  const empty = makeBaseline(images);
  const integrate = compile((tensors: StateDict, start: tf.Tensor, end: tf.Tensor, labels: tf.Tensor1D) => {
    const evaluated = createForwardContext(tensors, { variant, backbone, adapter, mode: "evaluate" });
    const context = { ...evaluated, strided: flipped }; // the others have no gradient for images
    const filters = makeFilters(context, variant); // [K,64]
    const lead = leadWeights(labels, filters.shape[0]);
    const slope = tf.grad((x) => {
      const v = adapt(context, runBackbone(context, x as tf.Tensor4D), adapter);
      return tf.sum(tf.mul(predictScores(context, dynamicConvolution(v, filters)), lead));
    });
    const path = tf.sub(end, start);
    const slopes = Array.from(
      { length: steps },
      (_, step) => slope(tf.add(start, tf.mul(path, (step + 0.5) / steps))),
    );
    const parts = tf.mul(path, tf.div(tf.addN(slopes), steps)); // [B,32,32,3]
    return tf.sum(tf.reshape(parts, [-1, MAP_SIZE, BLOCK, MAP_SIZE, 3 * BLOCK]), [2, 4]); // [B,8,8]
  }, { name: "integrateGradients" });
  const allLabels = Int32Array.from(classes);
  const result = new Float32Array(classes.length * MAP_CELLS);
  try {
    for (let first = 0; first < classes.length; first += BATCH_SIZE) {
      const labels = allLabels.subarray(first, first + BATCH_SIZE);
      const shape = [labels.length, IMAGE_SIZE, IMAGE_SIZE, 3];
      const part = (values: Float32Array) =>
        tf.tensor(values.subarray(first * IMAGE_BYTES, (first + labels.length) * IMAGE_BYTES), shape);
      const inputs = [part(empty), part(images), tf.tensor1d(labels, "int32")] as const;
      const parts = integrate(tensors, ...inputs);
      result.set(await parts.data(), first * MAP_CELLS);
      tf.dispose([...inputs, parts]);
    }
  } finally {
    integrate.dispose();
  }
  return result;
}
