import * as tf from "../tensorflow/runtime/tf.ts";
import { relu } from "../tensorflow/operations/dense.ts";
import { type ForwardContext, linear } from "./layers.ts";
import { CHANNELS, isGenerated, SMALLEST_NORM, type Variant } from "./spec.ts";

/**
 * Returns the network's 1×1 filters, each of length 1: `[K,64]`, one per class, or `[1,64]` where all
 * classes share one.
 *
 * The dynamic variants generate them from the class embeddings; the static ones store them as parameters.
 */
export function makeFilters(context: ForwardContext, variant: Variant): tf.Tensor2D {
  return normaliseRows(
    isGenerated(variant)
      ? generateFilters(context)
      : tf.transpose(tf.reshape(context.tensors["filters.weight"], [CHANNELS, -1])), // [1,1,64,K] → [K,64]
  );
}

/**
 * Generates filters (De Brabandere et al. 2016, arXiv:1605.09673): a small network outputs the weights of
 * another.
 *
 * @param embeddings Class embeddings `[K,128]`, by default the network's own; for instance a blend of two.
 * @returns Filters `[K,64]`, not yet normalised.
 */
export function generateFilters(
  context: ForwardContext,
  embeddings: tf.Tensor2D = classEmbeddings(context), // [K,128]
): tf.Tensor2D {
  const hidden = relu(linear(context, embeddings, "weights_generator.0")); // [K,256]
  return tf.tanh(linear(context, hidden, "weights_generator.2")); // [K,64]
}

/** Returns the class embeddings `[K,128]`: learned ones, or a projection of fixed vectors of the names. */
export function classEmbeddings(context: ForwardContext): tf.Tensor2D {
  const { "class_embeddings.weight": learned, "class_names.weight": names } = context.tensors;
  return (learned ?? linear(context, names as tf.Tensor2D, "name_projection")) as tf.Tensor2D;
}

/** Normalises each row as `torch.nn.functional.normalize` does: w / max(‖w‖₂, 1e-12). */
export function normaliseRows(filters: tf.Tensor2D): tf.Tensor2D {
  const squaredNorms = tf.sum(tf.square(filters), 1, true);
  return tf.mul(filters, tf.rsqrt(tf.maximum(squaredNorms, SMALLEST_NORM ** 2)));
}
