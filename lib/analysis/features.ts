import { type Dataset, IMAGE_SIZE } from "../data/dataset.ts";
import { backboneFeatures } from "../model/network.ts";
import { CHANNELS } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { collectOutputs, createImageSource, EVALUATION_BATCH_SIZE } from "../training/batch_source.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

export interface FeatureOptions {
  /**
   * Rows and columns of the grid over which the feature map is averaged, a divisor of its size; 1 averages
   * over everything. @default 1
   */
  grid?: number;
  /** Images are enlarged to this height and width first (bilinear); a multiple of 32. @default 32 */
  size?: number;
}

/** Features of images. */
export interface Features {
  /** `[N,length]` */
  values: Float32Array;
  /** Features per image. */
  length: number;
  labels: Uint8Array;
}

/**
 * The backbone's feature map of each image, averaged over a grid: `[N, grid · grid · 64]`. The backbone
 * runs with its running statistics.
 *
 * @param tensors A network's, or a backbone's alone.
 */
export async function computeFeatures(
  tensors: StateDict,
  dataset: Dataset,
  { grid = 1, size = IMAGE_SIZE }: FeatureOptions = {},
): Promise<Features> {
  const run = compile(
    (tensors: StateDict, images: tf.Tensor4D) => {
      const enlarged = size === IMAGE_SIZE
        ? images
        : tf.image.resizeBilinear(images, [size, size], false, true);
      return averageOverGrid(evaluateBackbone(tensors, enlarged), grid);
    },
    { name: "averagedFeatures" },
  );
  const images = dataset.labels.length;
  const length = grid * grid * CHANNELS;
  const batchSize = Math.max(1, Math.floor(EVALUATION_BATCH_SIZE * (IMAGE_SIZE / size) ** 2)); // views of the same memory
  try {
    const source = createImageSource(dataset);
    const batches = source.batches({ batchSize });
    const values = await collectOutputs(batches, (images) => run(tensors, images), images);
    return { values, length, labels: dataset.labels };
  } finally {
    run.dispose();
  }
}

/** Averages features over a coarser grid, whose rows divide those of the finer one. */
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

/** Computes the backbone's feature map in evaluation mode, `[B,H/4,W/4,64]`. */
export function evaluateBackbone(tensors: StateDict, images: tf.Tensor4D): tf.Tensor4D {
  return backboneFeatures(tensors, images, {
    variant: "dynamic",
    backbone: "frozen",
    adapter: "none",
    mode: "evaluate",
  });
}

/** Averages over a grid of blocks: `[B,H,W,C]` → `[B, grid · grid · C]`. */
function averageOverGrid(maps: tf.Tensor4D, grid: number): tf.Tensor2D {
  const [B, H, W, C] = maps.shape;
  const blocks = tf.reshape(maps, [B, grid, H / grid, grid, W / grid * C]);
  const rows = tf.reshape(tf.mean(blocks, 2), [B, grid, grid, W / grid, C]);
  return tf.reshape(tf.mean(rows, 3), [B, grid * grid * C]);
}

/** A channel that is active, or varies (by the median), less than this fraction is dead. */
const DEAD_SHARE = 0.001;

/**
 * Measures the activity of the channels of feature maps.
 *
 * @param values Feature maps with the channels last, `[…,channels]`, after a ReLU.
 * @returns The number of `dead` channels; the fraction of values above zero, `active`; and the effective
 * `dimensions` (participation ratio): (Σλ)² / Σλ² for the eigenvalues λ of the channels' correlation matrix.
 */
export function describeChannels(values: ArrayLike<number>, channels: number) {
  const places = values.length / channels;
  const [active, mean] = [new Float64Array(channels), new Float64Array(channels)];
  for (let at = 0; at < values.length; at++) {
    if (values[at] > 0) active[at % channels]++;
    mean[at % channels] += values[at] / places;
  }
  const covariance = new Float64Array(channels * channels);
  const centred = new Float64Array(channels);
  for (let place = 0; place < places; place++) {
    for (let channel = 0; channel < channels; channel++) {
      centred[channel] = values[place * channels + channel] - mean[channel];
    }
    for (let row = 0; row < channels; row++) {
      for (let column = 0; column < channels; column++) {
        covariance[row * channels + column] += centred[row] * centred[column] / places;
      }
    }
  }
  const deviations = Array.from(
    { length: channels },
    (_, channel) => Math.sqrt(covariance[channel * (channels + 1)]),
  );
  const flat = DEAD_SHARE * deviations.toSorted((one, other) => one - other)[Math.floor(channels / 2)];
  return {
    channels,
    dead: deviations.filter((deviation, channel) => active[channel] / places < DEAD_SHARE || deviation < flat)
      .length,
    active: active.reduce((sum, count) => sum + count, 0) / values.length,
    dimensions: countDimensions(covariance, deviations),
  };
}

/** trace(R)² / trace(R²) of the correlation matrix R; constant channels are left out. */
function countDimensions(covariance: Float64Array, deviations: readonly number[]): number {
  const channels = deviations.length;
  const live = deviations.flatMap((deviation, channel) => deviation > 0 ? [channel] : []);
  let squares = 0;
  for (const row of live) {
    for (const column of live) {
      squares += (covariance[row * channels + column] / (deviations[row] * deviations[column])) ** 2;
    }
  }
  return squares === 0 ? 0 : live.length ** 2 / squares;
}

/**
 * Computes linear centred kernel alignment (CKA) of two networks' features of the same images, 0–1. It is
 * invariant to orthogonal transformations and isotropic scaling of the features.
 *
 * Source: Kornblith, Norouzi, Lee & Hinton, Similarity of Neural Network Representations Revisited (ICML
 * 2019), section 3.
 *
 * @param one `[N,length]`, row by row.
 * @param other `[N,otherLength]` of the same N images.
 */
export function featureSimilarity(one: ArrayLike<number>, other: ArrayLike<number>, images: number): number {
  const [x, y] = [centre(one, images), centre(other, images)];
  return squaredNorm(x, y) / Math.sqrt(squaredNorm(x, x) * squaredNorm(y, y));
}

interface Centred {
  values: Float64Array;
  length: number;
  images: number;
}

function centre(values: ArrayLike<number>, images: number): Centred {
  const length = values.length / images;
  const centred = Float64Array.from(values);
  for (let column = 0; column < length; column++) {
    let mean = 0;
    for (let image = 0; image < images; image++) mean += centred[image * length + column] / images;
    for (let image = 0; image < images; image++) centred[image * length + column] -= mean;
  }
  return { values: centred, length, images };
}

/** ‖xᵀy‖² (Frobenius). */
function squaredNorm(x: Centred, y: Centred): number {
  const product = new Float64Array(x.length * y.length);
  for (let image = 0; image < x.images; image++) {
    for (let row = 0; row < x.length; row++) {
      const value = x.values[image * x.length + row];
      if (value === 0) continue;
      for (let column = 0; column < y.length; column++) {
        product[row * y.length + column] += value * y.values[image * y.length + column];
      }
    }
  }
  return product.reduce((sum, value) => sum + value * value, 0);
}
