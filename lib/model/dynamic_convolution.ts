import * as tf from "../tensorflow/tf.ts";
import { matMul } from "../tensorflow/mat_mul.ts";
import type { Pass } from "./layers.ts";
import { CHANNELS } from "./spec.ts";

const SCALE = 1 / Math.sqrt(CHANNELS);

/**
 * Looks at the feature map through each filter: a 1×1 convolution, 64 → 1, divided by √64.
 *
 * Since filters do not depend on the image, all maps are one matrix product: reshape(v, [-1,64]) · wᵀ / 8.
 *
 * @param v The feature map, in the head's layout.
 * @param filters `[K,64]`.
 * @returns Response maps `[B,K,8,8]`.
 */
export function responseMaps({ layouts }: Pass, v: tf.Tensor4D, filters: tf.Tensor2D): tf.Tensor4D {
  const [d0, d1, d2] = v.shape;
  const pixels = tf.reshape(v, [-1, CHANNELS]) as tf.Tensor2D;
  const responses = matMul(pixels, tf.mul(filters, SCALE), false, true); // [B·8·8,K]
  return layouts.head.leaveChannelsFirst(tf.reshape(responses, [d0, d1, d2, filters.shape[0]]));
}

/** {@linkcode responseMaps} as the lab's text has it: one convolution after the other. */
export function responseMapsOneByOne({ layouts }: Pass, v: tf.Tensor4D, filters: tf.Tensor2D): tf.Tensor4D {
  const image = layouts.head.leave(v); // [B,8,8,64]
  const maps = tf.split(filters, filters.shape[0]).map((filter) => {
    const kernel = tf.reshape(filter, [1, 1, CHANNELS, 1]);
    return tf.mul(tf.conv2d(image, kernel as tf.Tensor4D, 1, "valid"), SCALE); // [B,8,8,1]
  });
  return tf.stack(maps.map((map) => tf.squeeze(map, [3])), 1) as tf.Tensor4D;
}
