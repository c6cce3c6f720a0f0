import * as tf from "../tensorflow/runtime/tf.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { yieldToEventLoop } from "../support/interrupt.ts";
import { type Batch, batches, type BatchOptions, orderImages } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { backboneFeatures } from "../model/network.ts";
import { CHANNELS, type Execution, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";

/** Images per batch where no gradients are needed: more outgrow a CPU's cache, and 125 divides 10,000. */
export const EVALUATION_BATCH_SIZE = 125;

/** Options of {@linkcode BatchSource.batches}. */
export type SourceOptions = Omit<BatchOptions, "buffers">;

/** Source of batches: images, or a frozen backbone's features of them. */
export interface BatchSource {
  /** Kind of values in the batches. */
  input: "images" | "features";
  /** Labels of the whole set. */
  labels: Uint8Array;
  /** Yields the batches of one epoch; a batch's values are overwritten two batches later. */
  batches(options: SourceOptions): Iterable<Batch>;
}

/** Creates a source of images, cropped, flipped and normalised batch by batch. */
export function createImageSource(dataset: Dataset): BatchSource {
  return {
    input: "images",
    labels: dataset.labels,
    batches: (options) => batches(dataset, { ...options, buffers: 2 }),
  };
}

const FEATURES = MAP_SIZE * MAP_SIZE * CHANNELS; // values per image

/**
 * Creates a source of cached feature maps, in the same order as their images.
 *
 * @param features `[N,8,8,64]`.
 */
export function createFeatureSource(features: Float32Array, labels: Uint8Array): BatchSource {
  return {
    input: "features",
    labels,
    *batches({ batchSize, startStep = 0, ...order }) {
      const indices = orderImages(labels.length, order);
      for (let start = startStep * batchSize; start < indices.length; start += batchSize) {
        const chosen = indices.slice(start, start + batchSize);
        const size = chosen.length;
        const values = new Float32Array(size * FEATURES);
        chosen.forEach((image, position) =>
          values.set(features.subarray(image * FEATURES, (image + 1) * FEATURES), position * FEATURES)
        );
        yield {
          values,
          shape: [size, MAP_SIZE, MAP_SIZE, CHANNELS],
          labels: Int32Array.from(chosen, (image) => labels[image]),
          indices: chosen,
          size,
        };
      }
    },
  };
}

/** Feature maps are cached up to this size: those of all CIFAR-10's training images take 0.8 GB. */
const MOST_FEATURE_BYTES = 1e9;

/** Options of {@linkcode createFrozenSource}. */
export interface FrozenSourceOptions extends NetworkSpec, Partial<Execution> {
  /** Images are cropped and flipped at random, so that their features cannot be cached. */
  augment: boolean;
}

/**
 * Creates a training's source of batches. Where the backbone is frozen and images are not augmented, its
 * feature maps are computed once and replace the images.
 *
 * @param tensors The network's parameters and running statistics.
 */
export async function createFrozenSource(
  tensors: StateDict,
  dataset: Dataset,
  options: FrozenSourceOptions,
): Promise<BatchSource> {
  const { backbone, augment } = options;
  const size = dataset.labels.length * FEATURES;
  const source = createImageSource(dataset);
  if (backbone !== "frozen" || augment || 4 * size > MOST_FEATURE_BYTES) return source;
  const run = compile(
    (tensors: StateDict, images: tf.Tensor4D) =>
      backboneFeatures(tensors, images, { ...options, mode: "evaluate" }),
    { name: "backboneFeatures" },
  );
  try {
    const batches = source.batches({ batchSize: EVALUATION_BATCH_SIZE });
    const features = await collectOutputs(
      batches,
      (images) => run(tensors, images),
      dataset.labels.length,
      yieldToEventLoop,
    );
    return createFeatureSource(features, dataset.labels);
  } finally {
    run.dispose();
  }
}

/**
 * Runs a function over batches and collects its outputs, whose size the first batch tells.
 *
 * @param count Images in all batches.
 * @param onBatch Called after each batch.
 */
export async function collectOutputs(
  batches: Iterable<Batch>,
  run: (images: tf.Tensor4D) => tf.Tensor,
  count: number,
  onBatch?: () => Promise<void> | void,
): Promise<Float32Array<ArrayBuffer>> {
  let into = new Float32Array(0);
  let filled = 0;
  for (const { values, shape } of batches) {
    const images = tf.tensor4d(values, shape);
    const output = run(images);
    if (filled === 0) into = new Float32Array(output.size / output.shape[0] * count);
    into.set(await output.data(), filled);
    filled += output.size;
    tf.dispose([images, output]);
    await onBatch?.();
  }
  return into;
}
