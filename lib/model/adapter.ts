import * as tf from "../tensorflow/runtime/tf.ts";
import { type Convolution, finish } from "../tensorflow/operations/convolution.ts";
import { matMul } from "../tensorflow/operations/mat_mul.ts";
import { convolveAndNormalise, type ForwardContext } from "./layers.ts";
import type { AdapterKind } from "./spec.ts";

/**
 * A trainable convolution, 64 → 64 channels, with batch normalisation and ReLU: what can still learn behind a frozen backbone.
 *
 * @param v The feature map `[B,8,8,64]`.
 */
export function adapter(context: ForwardContext, v: tf.Tensor4D, kind: AdapterKind): tf.Tensor4D {
  if (kind === "none") return v;
  const convolve = kind === "3x3" ? context.convolve3x3 : convolve1x1;
  return convolveAndNormalise(context, v, convolve, "adapter.0", "adapter.1", { relu: true });
}

/** A 1×1 convolution by a kernel `[1,1,C,K]` is a matrix product over the pixels. */
const convolve1x1: Convolution = (x, kernel, then) => {
  const [, , C, K] = kernel.shape;
  const [B, H, W] = x.shape;
  const pixels = tf.reshape(x, [-1, C]) as tf.Tensor2D;
  return finish(tf.reshape(matMul(pixels, tf.reshape(kernel, [C, K])), [B, H, W, K]), then);
};
