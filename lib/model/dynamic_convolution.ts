import * as tf from "../tensorflow/runtime/tf.ts";
import { matMul } from "../tensorflow/operations/dense.ts";
import { CHANNELS } from "./spec.ts";

/** Factor of the response maps. */
export const RESPONSE_SCALE = 1 / Math.sqrt(CHANNELS);

/**
 * Applies each filter to the feature map: a 1×1 convolution, 64 → 1, divided by √64.
 *
 * Filters do not depend on the image, so all maps are one matrix product: reshape(v, [-1,64]) · wᵀ / 8.
 *
 * @param v The feature map `[B,8,8,64]`.
 * @param filters `[K,64]`.
 * @returns Response maps `[B,K,8,8]`.
 */
export function dynamicConvolution(v: tf.Tensor4D, filters: tf.Tensor2D): tf.Tensor4D {
  const [B, H, W] = v.shape;
  const pixels = tf.reshape(v, [-1, CHANNELS]) as tf.Tensor2D;
  const responses = matMul(pixels, tf.mul(filters, RESPONSE_SCALE), false, true); // [B·8·8,K]
  return tf.transpose(tf.reshape(responses, [B, H, W, filters.shape[0]]), [0, 3, 1, 2]); // [B,K,8,8]
}

/** Computes {@linkcode dynamicConvolution} as in the lab's text: one convolution per class. */
export function dynamicConvolutionOneByOne(v: tf.Tensor4D, filters: tf.Tensor2D): tf.Tensor4D {
  const maps = tf.split(filters, filters.shape[0]).map((filter) => {
    const kernel = tf.reshape(filter, [1, 1, CHANNELS, 1]);
    return tf.mul(tf.conv2d(v, kernel as tf.Tensor4D, 1, "valid"), RESPONSE_SCALE); // [B,8,8,1]
  });
  return tf.stack(maps.map((map) => tf.squeeze(map, [3])), 1) as tf.Tensor4D;
}
