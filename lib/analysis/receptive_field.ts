import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { adapter as adapt, backbone } from "../model/backbone.ts";
import { makeFilters } from "../model/filters.ts";
import { createForwardContext } from "../model/network.ts";
import { CHANNELS, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { convolve3x3Direct } from "../tensorflow/operations/convolution.ts";
import { flipped } from "../tensorflow/operations/strided.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

/** A convolution or a pooling. */
export interface WindowLayer {
  /** Height and width of its kernel. */
  kernel: number;
  /** @default 1 */
  stride?: number;
  /** Rows and columns of padding at each end. @default 0 */
  padding?: number;
}

/** Receptive field of the cells of a feature map. */
export interface ReceptiveField {
  /** Height and width of the window in pixels. */
  size: number;
  /** Pixels from one cell's window to the next one's. */
  jump: number;
  /** Centre of the first cell's window, in pixels from the image's edge (pixel 0 is at 0.5). */
  start: number;
}

/** The windows of ResNet-18 up to `layer1`, in forward order (`torchvision.models.resnet18`). */
export const BACKBONE_WINDOWS: readonly WindowLayer[] = [
  { kernel: 7, stride: 2, padding: 3 },
  { kernel: 3, stride: 2, padding: 1 }, // max-pooling
  ...Array.from({ length: 4 }, () => ({ kernel: 3, padding: 1 })), // two basic blocks
];

/**
 * Computes the receptive field of a chain of layers: each widens it by `kernel − 1` steps, and its stride
 * lengthens the steps of all that follow.
 *
 * Source: Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks (Distill, 2019).
 */
export function receptiveField(layers: readonly WindowLayer[]): ReceptiveField {
  let [size, jump, start] = [1, 1, 0.5];
  for (const { kernel, stride = 1, padding = 0 } of layers) {
    size += (kernel - 1) * jump;
    start += ((kernel - 1) / 2 - padding) * jump;
    jump *= stride;
  }
  return { size, jump, start };
}

/**
 * Computes the visible pixels of a cell along one side: its window, clipped at the image's edges.
 *
 * @param cell Its row or column, the first being 0.
 */
export function visiblePixels(
  { size, jump, start }: ReceptiveField,
  cell: number,
  imageSize: number,
): number {
  const middle = start + cell * jump;
  return Math.max(0, Math.min(imageSize, middle + size / 2) - Math.max(0, middle - size / 2));
}

/** Cell of the response maps. */
export interface InfluenceOptions {
  /** Normalised values `[N,32,32,3]`. */
  images: Float32Array;
  /** Class of the map, per image `[N]`. */
  classes: ArrayLike<number>;
  row: number;
  column: number;
}

/**
 * Measures the influence of each pixel on one cell of a response map: |∂ response / ∂ pixel|, summed over
 * colours, mean over images: the effective receptive field (Luo et al. 2016, arXiv:1701.04128).
 *
 * @returns Influences `[32,32]` that sum to 1.
 */
export async function measureInfluence(
  tensors: StateDict,
  { variant, backbone: mode, adapter }: NetworkSpec,
  { images, classes, row, column }: InfluenceOptions,
): Promise<Float32Array> {
  const count = images.length / IMAGE_BYTES;
  const gradient = tf.tidy(() => {
    const evaluated = createForwardContext(tensors, { variant, backbone: mode, adapter, mode: "evaluate" });
    // explicit padding has no gradient; Winograd's rounding would show influence where there is none
    const context = { ...evaluated, strided: flipped, convolve3x3: convolve3x3Direct };
    const filters = makeFilters(context, variant); // [10,64]
    const own = tf.gather(filters, Array.from(classes, (label) => label % filters.shape[0])); // [N,64]
    return tf.grad((pixels) => {
      const features = backbone(context, pixels as tf.Tensor4D);
      const v = adapt(context, features, adapter); // [N,8,8,64]
      const cell = tf.reshape(tf.slice(v, [0, row, column, 0], [-1, 1, 1, -1]), [count, CHANNELS]);
      return tf.sum(tf.mul(cell, own));
    })(tf.tensor4d(images, [count, IMAGE_SIZE, IMAGE_SIZE, 3]));
  });
  const values = await gradient.data();
  gradient.dispose();
  const influence = new Float32Array(IMAGE_SIZE * IMAGE_SIZE);
  let total = 0;
  for (let at = 0; at < values.length; at++) {
    influence[Math.floor(at % IMAGE_BYTES / 3)] += Math.abs(values[at]);
    total += Math.abs(values[at]);
  }
  return influence.map((value) => value / total);
}

/**
 * Finds the side, in pixels, of the smallest square around a cell's block of 4×4 pixels that holds a fraction
 * of all influence; it is clipped at the image's edges.
 */
export function findWindow(
  influence: ArrayLike<number>,
  { row, column }: Pick<InfluenceOptions, "row" | "column">,
  fraction: number,
): number {
  const block = IMAGE_SIZE / MAP_SIZE;
  for (let margin = 0; margin < IMAGE_SIZE; margin++) {
    let sum = 0;
    for (let y = row * block - margin; y < (row + 1) * block + margin; y++) {
      for (let x = column * block - margin; x < (column + 1) * block + margin; x++) {
        if (y >= 0 && y < IMAGE_SIZE && x >= 0 && x < IMAGE_SIZE) sum += influence[y * IMAGE_SIZE + x];
      }
    }
    if (sum >= fraction - 1e-6) return block + 2 * margin;
  }
  return 2 * IMAGE_SIZE;
}
