import { type Batch, batches, type BatchOptions, orderImages } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { CHANNELS, MAP_SIZE } from "../model/spec.ts";

/** Options of {@linkcode BatchSource.batches}. */
export type SourceOptions = Omit<BatchOptions, "buffers">;

/** Source of batches: images, or a frozen backbone's features of them. */
export interface BatchSource {
  /** Kind of values in the batches. */
  input: "images" | "features";
  /** Labels of the whole set. */
  labels: Uint8Array;
  /** Goes once through the set; a batch's values are overwritten two batches later. */
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

const FEATURES = MAP_SIZE * MAP_SIZE * CHANNELS; // values of one image

/**
 * Creates a source of feature maps computed once, in the order in which their images would come.
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
