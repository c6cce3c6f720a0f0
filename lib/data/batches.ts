import { createRandom } from "../support/random.ts";
import { CROP_NUMBERS } from "../tensorflow/runtime/library.ts";
import {
  type Augmentation,
  type AugmentationOptions,
  createBatchWriter,
  drawAugmentation,
  encodeCrop,
  NO_AUGMENTATION,
} from "./augmentation.ts";
import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";

/** Options of {@linkcode batches}. */
export interface BatchOptions extends AugmentationOptions {
  /** Images per batch; the last batch may be smaller. */
  batchSize: number;
  /** Random seed of order and augmentation. @default {0} */
  seed?: number;
  /** Epoch number; each has its own order and crops. @default {0} */
  epoch?: number;
  /** Shuffle, else keep the set's order. @default {false} */
  shuffle?: boolean;
  /** Crop and flip at random. @default {false} */
  augment?: boolean;
  /** Batches to skip, to resume within an epoch. @default {0} */
  startStep?: number;
  /**
   * Write into this many buffers in turn, which saves allocating 1.5 MB per batch. A batch's `values` are
   * then overwritten `buffers` batches later, so choose at least the number of batches in use at once.
   * With 0, each batch has new arrays.
   *
   * @default {0}
   */
  buffers?: number;
}

/** Inputs of the network and their labels, as arrays. */
export interface Batch {
  /** Values of a tensor of this `shape`. They belong to the caller unless `buffers` is set. */
  values: Float32Array<ArrayBuffer>;
  /** Normalised images `[B,32,32,3]`, or a frozen backbone's features of them `[B,8,8,64]`. */
  shape: [number, number, number, number];
  /** Labels `[B]`. */
  labels: Int32Array<ArrayBuffer>;
  /** Positions in the data set `[B]`. */
  indices: Uint32Array<ArrayBuffer>;
  /** B */
  size: number;
}

/** Counts the batches of a whole data set. */
export function countBatches(dataset: Pick<Dataset, "labels">, batchSize: number): number {
  return Math.ceil(dataset.labels.length / batchSize);
}

/** Returns the order in which {@linkcode batches} visits `total` images: their indices. */
export function orderImages(
  total: number,
  { seed = 0, epoch = 0, shuffle = false }: Pick<BatchOptions, "seed" | "epoch" | "shuffle">,
): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: total }, (_, index) => index);
  if (shuffle) createRandom(ORDER, seed, epoch).shuffle(order);
  return order;
}

const ORDER = 0x6f726465; // an independent random stream for the same seed

/**
 * Yields the batches of one epoch.
 *
 * The order depends on (seed, epoch) alone, an image's crop and flip on (seed, epoch, its index): there is no
 * state to save, and `startStep: k` yields the batches from the k-th on.
 *
 * @throws {RangeError} If `batchSize` is not a positive integer.
 *
 * @example
 * ```ts
 * import { batches } from "./batches.ts";
 * import { createSynthetic } from "./synthetic.ts";
 * const { train } = createSynthetic({ trainSize: 100, testSize: 0 });
 * for (const { values, labels, size } of batches(train, { batchSize: 32, shuffle: true, augment: true })) {
 *   console.log(values.length === size * 32 * 32 * 3, labels.length === size);
 * }
 * ```
 */
export function* batches(dataset: Dataset, options: BatchOptions): Generator<Batch, void, void> {
  const { batchSize, seed = 0, epoch = 0, shuffle = false, augment = false, startStep = 0, buffers = 0 } =
    options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Cannot create batches of ${batchSize} images: expected a positive integer.`);
  }
  const total = dataset.labels.length;
  const order = orderImages(total, { seed, epoch, shuffle });

  const writeImages = createBatchWriter();
  const drawn: Augmentation = { ...NO_AUGMENTATION };
  const ring = Array.from(
    { length: buffers },
    () => new Float32Array(Math.min(batchSize, total) * IMAGE_BYTES),
  );
  for (let step = startStep; step * batchSize < total; step++) {
    const indices = order.slice(step * batchSize, (step + 1) * batchSize);
    const size = indices.length;
    const values = buffers
      ? ring[step % buffers].subarray(0, size * IMAGE_BYTES)
      : new Float32Array(size * IMAGE_BYTES);
    const labels = new Int32Array(size), crops = new Int32Array(size * CROP_NUMBERS);
    for (let position = 0; position < size; position++) {
      const index = indices[position];
      labels[position] = dataset.labels[index];
      if (augment) drawAugmentation({ seed, epoch, index }, options, drawn);
      encodeCrop(index, drawn, crops, position);
    }
    writeImages(dataset.images, crops, values);
    yield { values, shape: [size, IMAGE_SIZE, IMAGE_SIZE, 3], labels, indices, size };
  }
}
