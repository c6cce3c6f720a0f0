/**
 * PyTorch's padding with TensorFlow's `same`: turn the picture upside down.
 *
 * A strided convolution over an even size needs an odd number of padding rows. PyTorch pads both ends alike and leaves the last row
 * unused, TensorFlow's `same` pads the end one row more, and the windows fall on other pixels:
 *
 * ```text
 * 3×3, stride 2, rows 0–15     PyTorch, padding 1:   (·  0  1) (1  2  3) … (13 14 15)    one row before
 *                              TensorFlow, "same":   (0  1  2) (2  3  4) … (14 15  ·)    one row after
 * rows turned: 15 … 0          TensorFlow, "same":   (15 14 13) … (3  2  1) (1  0  ·)    PyTorch's windows, turned
 * ```
 *
 * So the strided layers run on images turned by 180° with kernels turned by 180°, and what they give is turned back. That is cheaper
 * than to pad by an operation of its own, which copies the whole picture forwards and backwards.
 *
 * @module
 */
import * as tf from "./tf.ts";

/** Turns images or maps `[B,H,W,C]` by 180°. */
export function turnMaps(maps: tf.Tensor4D): tf.Tensor4D {
  return tf.reverse4d(maps, [1, 2]);
}

/** Turns a kernel `[kH,kW,C,K]` by 180°. */
export function turnKernel(kernel: tf.Tensor4D): tf.Tensor4D {
  return tf.reverse4d(kernel, [0, 1]);
}
