/**
 * Convolution and max-pooling with stride 2 and PyTorch's padding, in two implementations.
 *
 * A strided layer over an even size needs an odd number of padding rows. PyTorch pads both ends equally and
 * leaves the last row unused; TensorFlow's `same` pads the end one row more, so its windows cover other
 * pixels:
 *
 * ```text
 * 3×3, stride 2, rows 0–15     PyTorch, padding 1:   (·  0  1) (1  2  3) … (13 14 15)    one row before
 *                              TensorFlow, "same":   (0  1  2) (2  3  4) … (14 15  ·)    one row after
 * flipped, rows 15 … 0         TensorFlow, "same":   (15 14 13) … (3  2  1) (1  0  ·)    PyTorch's, flipped
 * ```
 *
 * - {@linkcode flipped}: the layers run on images flipped by 180°, by kernels flipped by 180°, and their
 * maps are flipped back. A separate padding operation would cost more, since it copies the whole
 * image in both passes.
 * - {@linkcode explicit}: TensorFlow's operations get explicit padding. That is cheapest in the forward pass,
 *   but max-pooling has no fast gradient for it on CPUs, and TensorFlow.js does not offer it at all.
 */
import * as tf from "../runtime/tf.ts";
import {
  type Attribute,
  execute,
  intsAttribute,
  nativeBackend,
  stringAttribute,
  typeAttribute,
} from "../runtime/binding.ts";
import { applyEpilogue, type Convolution } from "./convolution.ts";

/** An implementation of layers with stride 2 on images of even size. */
export interface StridedLayers {
  /** Prepares images `[B,H,W,C]` for the layers. */
  prepare(images: tf.Tensor4D): tf.Tensor4D;
  /** Conv2d with stride 2 and padding (k − 1) / 2 by a kernel `[k,k,C,K]`, k odd: `[B,H/2,W/2,K]`. */
  convolve: Convolution;
  /** `torch.nn.MaxPool2d(3, stride=2, padding=1)`: `[B,H/2,W/2,C]`. */
  maxPool(x: tf.Tensor4D): tf.Tensor4D;
  /** Restores the images' orientation in the layers' maps. */
  restore(maps: tf.Tensor4D): tf.Tensor4D;
}

/** Runs the layers on flipped images: on every backend and with gradients. */
export const flipped: StridedLayers = {
  prepare: flip,
  convolve: (x, kernel, epilogue) => applyEpilogue(tf.conv2d(x, flipKernel(kernel), 2, "same"), epilogue),
  maxPool: (x) => tf.maxPool(x, 3, 2, "same"),
  restore: flip,
};

/** Runs the layers with explicit padding: on the native backend and without gradients. */
export const explicit: StridedLayers = {
  prepare: (images) => images,
  convolve: (x, kernel, epilogue) => {
    const reach = (kernel.shape[0] - 1) / 2;
    return applyEpilogue(execute("Conv2D", padding(reach, reach - 1), [x, kernel]) as tf.Tensor4D, epilogue);
  },
  maxPool: (x) =>
    execute("MaxPool", [...padding(1, 0), intsAttribute("ksize", [1, 3, 3, 1])], [x]) as tf.Tensor4D,
  restore: (maps) => maps,
};

/** Chooses the cheaper implementation; `learns` if gradients are needed. */
export function chooseStrided({ learns }: { learns: boolean }): StridedLayers {
  return learns || !nativeBackend() ? flipped : explicit;
}

/** Makes the attributes of an operation with stride 2 and this padding at the start and the end. */
function padding(before: number, after: number): Attribute[] {
  return [
    typeAttribute("T", "float32"),
    intsAttribute("strides", [1, 2, 2, 1]),
    stringAttribute("padding", "EXPLICIT"),
    intsAttribute("explicit_paddings", [0, 0, before, after, before, after, 0, 0]),
  ];
}

/** Flips by 180°: reverses the order of the pixels. Reversing one axis is faster than two. */
function flip(maps: tf.Tensor4D): tf.Tensor4D {
  const [B, H, W, C] = maps.shape;
  return tf.reshape(tf.reverse(tf.reshape(maps, [B, H * W, C]), 1), [B, H, W, C]);
}

function flipKernel(kernel: tf.Tensor4D): tf.Tensor4D {
  const [H, W, C, K] = kernel.shape;
  return tf.reshape(tf.reverse(tf.reshape(kernel, [H * W, C * K]), 0), [H, W, C, K]);
}
