/**
 * The order of a feature map's axes while `layer1` and what follows it compute. Channels are last in each, so that whatever works on
 * channels (batch normalisation, ReLU, sums, the 1×1 filters) need not know.
 *
 * @module
 */
import * as tf from "../tensorflow/tf.ts";
import { nativeBackend } from "../tensorflow/binding.ts";
import { convolve3x3Winograd } from "../tensorflow/winograd.ts";

/** An order of axes, and what depends on it. */
export interface Layout {
  /** Brings maps `[B,H,W,C]` into this order. */
  enter(maps: tf.Tensor4D): tf.Tensor4D;
  /** Brings them back: `[B,H,W,C]`. */
  leave(maps: tf.Tensor4D): tf.Tensor4D;
  /** Brings them back channels first: `[B,C,H,W]`. */
  leaveChannelsFirst(maps: tf.Tensor4D): tf.Tensor4D;
  /** A 3×3 convolution with padding 1 by a kernel `[3,3,C,K]`. */
  convolve3x3(maps: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D;
}

/** `[B,H,W,C]`, with the convolutions of the backend. */
export const batchMajor: Layout = {
  enter: (maps) => maps,
  leave: (maps) => maps,
  leaveChannelsFirst: (maps) => tf.transpose(maps, [0, 3, 1, 2]),
  convolve3x3: (maps, kernel) => tf.conv2d(maps, kernel, 1, "same"),
};

/** `[H,W,B,C]`, with Winograd's algorithm, whose transforms are then one matrix product each. */
export const pixelMajor: Layout = {
  enter: (maps) => tf.transpose(maps, [1, 2, 0, 3]),
  leave: (maps) => tf.transpose(maps, [2, 0, 1, 3]),
  leaveChannelsFirst: (maps) => tf.transpose(maps, [2, 3, 0, 1]),
  convolve3x3: convolve3x3Winograd,
};

/**
 * Winograd's for convolutions that learn on a CPU: backwards it takes half the arithmetic. Forwards alone direct convolution is as fast, and
 * TensorFlow joins it with bias and ReLU; a GPU's library knows better in any case.
 */
export function chooseLayout({ winograd, learns }: { winograd: boolean; learns: boolean }): Layout {
  const backend = nativeBackend();
  return winograd && learns && backend !== null && !backend.isUsingGpuDevice ? pixelMajor : batchMajor;
}

/** Brings maps from one layout into another. */
export function changeLayout(maps: tf.Tensor4D, from: Layout, to: Layout): tf.Tensor4D {
  return from === to ? maps : to.enter(from.leave(maps));
}
