/**
 * What batch normalisation expects of its input, and what it gets: statistics stored in ImageNet's training, and those of other images.
 *
 * @module
 */
import { backbone } from "../model/backbone.ts";
import type { ForwardContext } from "../model/layers.ts";
import { createForwardContext } from "../model/network.ts";
import type { StateDict } from "../model/state_dict.ts";
import { MOMENTUM } from "../tensorflow/operations/batch_norm.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

/** The backbone's batch normalisations, in the order of the data's way. */
export const NORM_LAYERS: readonly string[] = [
  "backbone.bn1",
  ...[0, 1].flatMap((block) => [1, 2].map((norm) => `backbone.layer1.${block}.bn${norm}`)),
];

/** Means and variances of a layer's channels `[C]`. */
export interface ChannelMoments {
  mean: Float32Array;
  variance: Float32Array;
}

/** Moments by the name of the batch normalisation they belong to. */
export type LayerMoments = Map<string, ChannelMoments>;

/**
 * Measures the input of each of the backbone's batch normalisations on images.
 *
 * @param images Normalised images `[B,32,32,3]`, as many as memory holds.
 * @param before What the layers before it do: `stored` normalise by their stored statistics, as a frozen backbone does; `adapted` by
 * those of these images, as a backbone whose statistics have followed the data.
 */
export async function measureMoments(
  tensors: StateDict,
  images: tf.Tensor4D,
  before: "stored" | "adapted",
): Promise<LayerMoments> {
  const result: LayerMoments = new Map();
  if (before === "adapted") {
    const statistics = runLearning(tensors, images, () => true);
    for (const layer of NORM_LAYERS) result.set(layer, await readMoments(layer, tensors, statistics));
    tf.dispose(Object.values(statistics));
    return result;
  }
  for (const layer of NORM_LAYERS) {
    const statistics = runLearning(tensors, images, (name) => name === layer);
    result.set(layer, await readMoments(layer, tensors, statistics));
    tf.dispose(Object.values(statistics));
  }
  return result;
}

/** The moments that the backbone's batch normalisations hold in store. */
export async function storedMoments(tensors: StateDict): Promise<LayerMoments> {
  const result: LayerMoments = new Map();
  for (const layer of NORM_LAYERS) {
    result.set(layer, {
      mean: await tensors[`${layer}.running_mean`].data() as Float32Array,
      variance: await tensors[`${layer}.running_var`].data() as Float32Array,
    });
  }
  return result;
}

/** The same network with other stored moments: the tensors that change are new, the others shared. */
export function withMoments(tensors: StateDict, moments: LayerMoments): StateDict {
  const result = { ...tensors };
  for (const [layer, { mean, variance }] of moments) {
    result[`${layer}.running_mean`] = tf.tensor1d(mean);
    result[`${layer}.running_var`] = tf.tensor1d(variance);
  }
  return result;
}

/** Runs the backbone and returns the running statistics that the chosen layers left behind. */
function runLearning(
  tensors: StateDict,
  images: tf.Tensor4D,
  learnsStatistics: ForwardContext["learnsStatistics"],
): StateDict {
  const statistics: StateDict = {};
  tf.tidy(() => {
    const context = createForwardContext(tensors, {
      variant: "dynamic",
      backbone: "frozen",
      adapter: "none",
      mode: "evaluate",
    });
    backbone({ ...context, statistics, learnsStatistics }, images);
  });
  return statistics;
}

/** Undoes the running average: new = (1 − m) · old + m · batch. */
async function readMoments(
  layer: string,
  tensors: StateDict,
  statistics: StateDict,
): Promise<ChannelMoments> {
  const undo = async (part: string) => {
    const name = `${layer}.${part}`;
    const [before, after] = [await tensors[name].data(), await statistics[name].data()];
    return Float32Array.from(after, (value, at) => (value - (1 - MOMENTUM) * before[at]) / MOMENTUM);
  };
  return { mean: await undo("running_mean"), variance: await undo("running_var") };
}
