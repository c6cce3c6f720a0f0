import * as tf from "../tensorflow/tf.ts";
import { relu } from "../tensorflow/activation.ts";
import { matMul } from "../tensorflow/mat_mul.ts";
import { convolveAndNormalise, type Pass } from "./layers.ts";
import type { AdapterKind } from "./spec.ts";

/**
 * A trainable convolution, 64 → 64 channels, with batch normalisation and ReLU: what can still learn behind a frozen backbone.
 *
 * @param v The feature map, in the head's layout.
 */
export function adapter(pass: Pass, v: tf.Tensor4D, kind: AdapterKind): tf.Tensor4D {
  if (kind === "none") return v;
  const convolve = kind === "3x3" ? pass.layouts.head.convolve3x3 : convolve1x1;
  return relu(convolveAndNormalise(pass, v, convolve, "adapter.0", "adapter.1"));
}

/** A 1×1 convolution by a kernel `[1,1,C,K]` is a matrix product over the pixels, in whatever order they lie. */
function convolve1x1(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [, , C, K] = kernel.shape;
  const [d0, d1, d2] = x.shape;
  const pixels = tf.reshape(x, [-1, C]) as tf.Tensor2D;
  return tf.reshape(matMul(pixels, tf.reshape(kernel, [C, K])), [d0, d1, d2, K]);
}
