import { type Dataset, IMAGE_SIZE } from "../data/dataset.ts";
import { backboneFeatures } from "../model/network.ts";
import { CHANNELS } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { collectOutputs, createImageSource, EVALUATION_BATCH_SIZE } from "../training/batch_source.ts";

/** Options of {@linkcode computeFeatures}. */
export interface FeatureOptions {
  /** The feature map is averaged over a grid of so many rows and columns: 1 averages over everything. A divisor of its size. @default 1 */
  grid?: number;
  /** Images are enlarged to this height and width first (bilinear); a multiple of 32. @default 32 */
  size?: number;
  /** Run the backbone as one graph. @default true */
  compile?: boolean;
}

/** Features of images: numbers to tell the classes by. */
export interface Features {
  /** `[N,length]` */
  values: Float32Array;
  /** Numbers an image. */
  length: number;
  labels: Uint8Array;
}

/**
 * The backbone's feature map of each image, averaged over a grid: `[N, grid · grid · 64]`. The backbone is used as it is, its running
 * statistics included.
 *
 * @param tensors A network's, or a backbone's alone.
 */
export async function computeFeatures(
  tensors: StateDict,
  dataset: Dataset,
  { grid = 1, size = IMAGE_SIZE, compile: compiled = true }: FeatureOptions = {},
): Promise<Features> {
  const run = compile(
    (tensors: StateDict, images: tf.Tensor4D) => {
      const enlarged = size === IMAGE_SIZE
        ? images
        : tf.image.resizeBilinear(images, [size, size], false, true);
      return averageOverGrid(evaluateBackbone(tensors, enlarged), grid);
    },
    { name: "averagedFeatures", eager: !compiled },
  );
  const images = dataset.labels.length;
  const length = grid * grid * CHANNELS;
  const values = new Float32Array(images * length);
  const batchSize = Math.max(1, Math.floor(EVALUATION_BATCH_SIZE * (IMAGE_SIZE / size) ** 2)); // of the same memory
  try {
    const source = createImageSource(dataset);
    await collectOutputs(source.batches({ batchSize }), (images) => run(tensors, images), values);
  } finally {
    run.dispose();
  }
  return { values, length, labels: dataset.labels };
}

/** Features over a grid, averaged over a coarser one; the numbers of rows divide each other. */
export function coarsenFeatures({ values, length, labels }: Features, grid: number): Features {
  const fine = Math.sqrt(length / CHANNELS);
  const ratio = fine / grid;
  const coarse = new Float32Array(labels.length * grid * grid * CHANNELS);
  for (let at = 0; at < values.length; at++) {
    const place = Math.floor(at % length / CHANNELS);
    const [row, column] = [Math.floor(Math.floor(place / fine) / ratio), Math.floor(place % fine / ratio)];
    const image = Math.floor(at / length);
    coarse[((image * grid + row) * grid + column) * CHANNELS + at % CHANNELS] += values[at] / ratio ** 2;
  }
  return { values: coarse, length: grid * grid * CHANNELS, labels };
}

/** The backbone's feature map as a network that is evaluated has it, `[B,H/4,W/4,64]`. */
export function evaluateBackbone(tensors: StateDict, images: tf.Tensor4D): tf.Tensor4D {
  return backboneFeatures(tensors, images, {
    variant: "dynamic",
    backbone: "frozen",
    adapter: "none",
    mode: "evaluate",
  });
}

/** Means over a grid of blocks: `[B,H,W,C]` → `[B, grid · grid · C]`. */
export function averageOverGrid(maps: tf.Tensor4D, grid: number): tf.Tensor2D {
  const [B, H, W, C] = maps.shape;
  const blocks = tf.reshape(maps, [B, grid, H / grid, grid, W / grid * C]);
  const rows = tf.reshape(tf.mean(blocks, 2), [B, grid, grid, W / grid, C]);
  return tf.reshape(tf.mean(rows, 3), [B, grid * grid * C]);
}
