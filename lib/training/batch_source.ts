import { batches, type BatchOptions, orderImages } from "../data/batches.ts";
import { type Dataset, IMAGE_SIZE } from "../data/dataset.ts";
import { CHANNELS, MAP_SIZE } from "../model/spec.ts";

/** How to go through a {@linkcode BatchSource}. */
export type SourceOptions = Omit<BatchOptions, "buffers">;

/** A batch as numbers. */
export interface SourceBatch {
  /** Values of a tensor of this shape; overwritten two batches later. */
  values: Float32Array;
  /** The tensor's shape. */
  shape: [number, number, number, number];
  /** Right classes `[B]`. */
  labels: Int32Array;
  /** B */
  size: number;
}

/** Where batches come from: images, or what a frozen backbone made of them. */
export interface BatchSource {
  /** What the batches hold. */
  input: "images" | "features";
  /** Right classes of the whole set. */
  labels: Uint8Array;
  /** Goes once through the set. */
  batches(options: SourceOptions): Iterable<SourceBatch>;
}

/** Batches of images, made ready on demand. */
export function createImageSource(dataset: Dataset): BatchSource {
  return {
    input: "images",
    labels: dataset.labels,
    *batches(options) {
      for (const { images, labels, size } of batches(dataset, { ...options, buffers: 2 })) {
        yield { values: images, shape: [size, IMAGE_SIZE, IMAGE_SIZE, 3], labels, size };
      }
    },
  };
}

const FEATURES = MAP_SIZE * MAP_SIZE * CHANNELS; // numbers of one image

/**
 * Batches of feature maps that were computed once, in the order in which their images would come.
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
        const chosen = indices.subarray(start, start + batchSize);
        const values = new Float32Array(chosen.length * FEATURES);
        chosen.forEach((image, position) =>
          values.set(features.subarray(image * FEATURES, (image + 1) * FEATURES), position * FEATURES)
        );
        const size = chosen.length;
        yield {
          values,
          shape: [size, MAP_SIZE, MAP_SIZE, CHANNELS],
          labels: Int32Array.from(chosen, (image) => labels[image]),
          size,
        };
      }
    },
  };
}
