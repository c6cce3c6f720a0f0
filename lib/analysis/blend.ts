import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { dynamicConvolution } from "../model/dynamic_convolution.ts";
import { classEmbeddings, generateFilters, normaliseRows } from "../model/filters.ts";
import { createForwardContext, featureMap } from "../model/network.ts";
import { predictScores } from "../model/score_predictor.ts";
import { isGenerated, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

/** Options of {@linkcode blendClasses}. */
export interface BlendOptions {
  /** Class whose weight falls from 1 … */
  from: number;
  /** … and the one whose weight rises from 0. */
  to: number;
  /** Weights of `to`, 0–1. */
  shares: readonly number[];
  /** Normalised images `[N,32,32,3]` to convolve with the blends. */
  images: Float32Array;
}

/** Filters generated from blends of two class embeddings, and their responses. */
export interface Blends {
  shares: readonly number[];
  /** One normalised filter per blend `[blends][64]`. */
  filters: number[][];
  /** Cosine of each filter with that of `from` and of `to`. */
  cosines: { from: number; to: number }[];
  /**
   * Cosine of each filter with the linear mixture of the two filters: 1 if the generator were linear. Below 1
   * the blend of embeddings gives a filter that no mixture of the two filters gives.
   */
  straight: number[];
  /** Response maps `[N,blends,8,8]`. */
  maps: Float32Array;
  /** Score of each blend's map `[N][blends]`: the score of a class with that embedding. */
  scores: number[][];
}

/**
 * Generates filters from blends of two class embeddings, (1 − share) · from + share · to, and convolves
 * images with them. The network was never trained on such an embedding.
 *
 * @throws {RangeError} If the network has no embeddings.
 */
export async function blendClasses(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
  { from, to, shares, images }: BlendOptions,
): Promise<Blends> {
  if (!isGenerated(variant)) throw new RangeError(`A network ${variant} has no embeddings to blend.`);
  const options = { variant, backbone, adapter, mode: "evaluate" } as const;
  const context = createForwardContext(tensors, options);
  const count = images.length / IMAGE_BYTES;
  const [filters, ends, maps, scores] = tf.tidy(() => {
    const embeddings = classEmbeddings(context);
    const [one, other] = [from, to].map((label) => tf.slice(embeddings, [label, 0], [1, -1]));
    const share = tf.tensor2d([...shares], [shares.length, 1]);
    const blended = tf.add(tf.mul(tf.sub(1, share), one), tf.mul(share, other)) as tf.Tensor2D; // [blends,128]
    const filters = normaliseRows(generateFilters(context, blended)); // [blends,64]
    const ends = normaliseRows(generateFilters(context, tf.concat([one, other]) as tf.Tensor2D));
    const v = featureMap(tensors, tf.tensor4d(images, [count, IMAGE_SIZE, IMAGE_SIZE, 3]), options);
    const maps = dynamicConvolution(v, filters); // [N,blends,8,8]
    // one map per row, so that the predictor scores each
    const single = tf.reshape(maps, [count * shares.length, 1, MAP_SIZE, MAP_SIZE]) as tf.Tensor4D;
    const scores = tf.reshape(tf.slice(predictScores(context, single), [0, 0], [-1, 1]), [
      count,
      shares.length,
    ]);
    return [filters, ends, maps, scores];
  });
  try {
    const rows = await filters.array() as number[][];
    const [first, last] = await ends.array() as number[][];
    const dot = (x: readonly number[], y: readonly number[]) =>
      x.reduce((sum, value, at) => sum + value * y[at], 0);
    return {
      shares,
      filters: rows,
      cosines: rows.map((row) => ({ from: dot(row, first), to: dot(row, last) })),
      straight: rows.map((row, blend) => {
        const mixture = first.map((value, at) => (1 - shares[blend]) * value + shares[blend] * last[at]);
        return dot(row, mixture) / Math.hypot(...mixture);
      }),
      maps: await maps.data() as Float32Array,
      scores: await scores.array() as number[][],
    };
  } finally {
    tf.dispose([filters, ends, maps, scores]);
  }
}
