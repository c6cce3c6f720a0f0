import * as tf from "../tensorflow/runtime/tf.ts";
import { relu } from "../tensorflow/operations/dense.ts";
import { canScoreMaps, scoreMaps } from "../tensorflow/operations/map_scores.ts";
import { RESPONSE_SCALE } from "./dynamic_convolution.ts";
import { type ForwardContext, linear } from "./layers.ts";
import { MAP_SIZE } from "./spec.ts";

const PIXELS = MAP_SIZE * MAP_SIZE;

/**
 * Predicts the classes' scores from their response maps, by one predictor shared by all maps: FC 64→64, ReLU,
 * FC 64→1 (or 64→K).
 *
 * @param maps Response maps `[B,K,8,8]`.
 * @returns Scores `[B,K]`. A single map with a single score is broadcast to all classes.
 */
export function predictScores(context: ForwardContext, maps: tf.Tensor4D): tf.Tensor2D {
  const B = maps.shape[0];
  const rows = tf.reshape(maps, [-1, PIXELS]) as tf.Tensor2D; // [B·K,64]
  const hidden = relu(linear(context, rows, "score_predictor.0")); // [B·K,64]
  const scores = tf.reshape(linear(context, hidden, "score_predictor.2"), [B, -1]) as tf.Tensor2D; // [B,K or 1]
  return scores.shape[1] > 1 ? scores : tf.tile(scores, [1, context.classes]);
}

/**
 * Predicts the classes' scores from the feature map: {@linkcode dynamicConvolution} and
 * {@linkcode predictScores} as one operation where that exists, see {@linkcode scoreMaps}.
 *
 * @param v The feature map `[B,8,8,64]`.
 * @param maps Its response maps `[B,K,8,8]`.
 */
export function predictScoresFused(
  context: ForwardContext,
  v: tf.Tensor4D,
  filters: tf.Tensor2D,
  maps: tf.Tensor4D,
): tf.Tensor2D {
  const { tensors } = context;
  const perceptron = {
    hiddenWeight: tensors["score_predictor.0.weight"] as tf.Tensor2D,
    hiddenBias: tensors["score_predictor.0.bias"] as tf.Tensor1D,
    outputWeight: tensors["score_predictor.2.weight"] as tf.Tensor2D,
    outputBias: tensors["score_predictor.2.bias"] as tf.Tensor1D,
  };
  return filters.shape[0] > 1 && canScoreMaps(v.shape, perceptron)
    ? scoreMaps(v, tf.mul(filters, RESPONSE_SCALE), perceptron)
    : predictScores(context, maps);
}

/** Computes {@linkcode predictScores} as in the lab's text: one class at a time. */
export function predictScoresOneByOne(context: ForwardContext, maps: tf.Tensor4D): tf.Tensor2D {
  const scores = tf.split(maps, maps.shape[1], 1).map((map) => {
    const row = tf.reshape(map, [-1, PIXELS]) as tf.Tensor2D; // [B,64]
    return linear(context, relu(linear(context, row, "score_predictor.0")), "score_predictor.2"); // [B,1]
  });
  return tf.concat(scores, 1);
}
