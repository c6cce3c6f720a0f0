/** The network as a function: images and tensors in, scores out. */
import type * as tf from "../tensorflow/runtime/tf.ts";
import { convolve3x3Direct, convolve3x3Winograd } from "../tensorflow/operations/convolution.ts";
import { canFuseStem } from "../tensorflow/operations/stem.ts";
import { chooseStrided } from "../tensorflow/operations/strided.ts";
import { adapter } from "./backbone.ts";
import { backbone } from "./backbone.ts";
import { dynamicConvolution, dynamicConvolutionOneByOne } from "./dynamic_convolution.ts";
import { makeFilters } from "./filters.ts";
import type { ForwardContext } from "./layers.ts";
import { predictScoresFused, predictScoresOneByOne } from "./score_predictor.ts";
import { DEFAULT_CLASSES, type Execution, type NetworkSpec } from "./spec.ts";
import type { StateDict } from "./state_dict.ts";

/** Outputs of the network for a batch. */
export interface Outputs {
  /** Scores of the classes before the softmax, `[B,K]`. */
  scores: tf.Tensor2D;
  /** Response maps, `[B,K,8,8]`, or `[B,1,8,8]` where all classes share a filter. */
  maps: tf.Tensor4D;
  /** Normalised filters, `[K,64]` or `[1,64]`. */
  filters: tf.Tensor2D;
  /** Running statistics updated by the batch, by name; none in mode `evaluate`. */
  statistics: StateDict;
}

/** Options of {@linkcode forward}. */
export type ForwardOptions = NetworkSpec & Partial<Execution> & {
  /** `train` normalises by the batch's statistics, where the backbone's mode allows it. */
  mode: "train" | "evaluate";
  /**
   * Kind of input: images `[B,32,32,3]`, or their feature maps `[B,8,8,64]` from
   * {@linkcode backboneFeatures}.
   *
   * @default "images"
   */
  input?: "images" | "features";
};

/**
 * Runs the network forward.
 *
 * @param tensors The network's parameters and running statistics.
 * @param images Normalised images `[B,32,32,3]`, or the input that `options.input` names.
 */
export function forward(tensors: StateDict, images: tf.Tensor4D, options: ForwardOptions): Outputs {
  const context = createForwardContext(tensors, options);
  const v = features(context, images, options);
  const filters = makeFilters(context, options.variant); // [K,64]
  const { classLoop = false } = options;
  const maps = (classLoop ? dynamicConvolutionOneByOne : dynamicConvolution)(v, filters); // [B,K,8,8]
  const scores = classLoop // [B,K]
    ? predictScoresOneByOne(context, maps)
    : predictScoresFused(context, v, filters, maps);
  return { scores, maps, filters, statistics: context.statistics };
}

/** Computes the feature map v that the filters are applied to, `[B,8,8,64]`, after the adapter, if any. */
export function featureMap(tensors: StateDict, images: tf.Tensor4D, options: ForwardOptions): tf.Tensor4D {
  return features(createForwardContext(tensors, options), images, options);
}

/** Computes the backbone's feature map `[B,8,8,64]`; with a frozen backbone it can be cached. */
export function backboneFeatures(
  tensors: StateDict,
  images: tf.Tensor4D,
  options: ForwardOptions,
): tf.Tensor4D {
  return backbone(createForwardContext(tensors, options), images);
}

/** Creates a {@linkcode ForwardContext}: a frozen backbone keeps its running statistics also in training. */
export function createForwardContext(tensors: StateDict, options: ForwardOptions): ForwardContext {
  const { mode, backbone, classes = DEFAULT_CLASSES, winograd = true } = options;
  const trains = mode === "train";
  const backboneLearns = trains && backbone !== "frozen";
  const stem: tf.Tensor | undefined = tensors["backbone.conv1.weight"]; // absent where features come in
  return {
    tensors,
    classes,
    statistics: {},
    learnsStatistics: (name) => name.startsWith("backbone.") ? backboneLearns : trains,
    strided: winograd && stem !== undefined && canFuseStem(stem.shape)
      ? "fused"
      : chooseStrided({ learns: backboneLearns }),
    convolve3x3: winograd ? convolve3x3Winograd : convolve3x3Direct,
  };
}

/** The feature map v, `[B,8,8,64]`. */
function features(
  context: ForwardContext,
  given: tf.Tensor4D,
  { input, adapter: kind }: ForwardOptions,
): tf.Tensor4D {
  return adapter(context, input === "features" ? given : backbone(context, given), kind);
}
