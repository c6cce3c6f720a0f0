import { createRandom, hash } from "../support/random.ts";
import { AS_IT_IS, type Augmentation, createImageWriter, drawAugmentation } from "./augment.ts";
import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";

/** Options of {@linkcode batches}. */
export interface BatchOptions {
  /** Images in a batch; the last one has what is left. */
  batchSize: number;
  /** Names the run's randomness. @default {0} */
  seed?: number;
  /** Each epoch has another order and other crops. @default {0} */
  epoch?: number;
  /** In random order, else in the set's. @default {false} */
  shuffle?: boolean;
  /** Crop and mirror at random. @default {false} */
  augment?: boolean;
  /** Batches to pass over, to go on within an epoch. @default {0} */
  startStep?: number;
  /**
   * Write into this many buffers in turn, which spares allocating 1.5 MB a batch. A batch's `values` then hold until so many further
   * batches have been asked for: take as many as there can be batches whose tensors are still in use. 0: new arrays each time.
   *
   * @default {0}
   */
  buffers?: number;
}

/** Inputs of the network and their labels, as arrays. */
export interface Batch {
  /** Values of a tensor of this `shape`; yours to keep, unless `buffers` was asked for. */
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

/** How many batches {@linkcode batches} makes of a whole data set. */
export function countBatches(dataset: Pick<Dataset, "labels">, batchSize: number): number {
  return Math.ceil(dataset.labels.length / batchSize);
}

/** The order in which {@linkcode batches} goes through `total` images: their indices. */
export function orderImages(
  total: number,
  { seed = 0, epoch = 0, shuffle = false }: Pick<BatchOptions, "seed" | "epoch" | "shuffle">,
): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: total }, (_, index) => index);
  if (shuffle) createRandom(ORDER, seed, epoch).shuffle(order);
  return order;
}

// keep draws of one seed apart that are for different things
const ORDER = 0x6f726465;
const AUGMENT = 0x61756720;

/**
 * Goes once through a data set in batches.
 *
 * The order depends on (seed, epoch) alone, an image's crop and mirror on (seed, epoch, its index): there is no state to save, and
 * `startStep: k` yields just the batches from the k-th on.
 *
 * @throws {RangeError} If `batchSize` is no positive integer.
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
    throw new RangeError(`Cannot make batches of ${batchSize} images: expected a positive integer.`);
  }
  const total = dataset.labels.length;
  const order = orderImages(total, { seed, epoch, shuffle });

  const writeImage = createImageWriter();
  const drawn: Augmentation = { ...AS_IT_IS };
  const ring = Array.from({ length: buffers }, () => new Float32Array(batchSize * IMAGE_BYTES));
  for (let step = startStep; step * batchSize < total; step++) {
    const indices = order.slice(step * batchSize, (step + 1) * batchSize);
    const size = indices.length;
    const values = buffers
      ? ring[step % buffers].subarray(0, size * IMAGE_BYTES)
      : new Float32Array(size * IMAGE_BYTES);
    const labels = new Int32Array(size);
    for (let position = 0; position < size; position++) {
      const index = indices[position];
      labels[position] = dataset.labels[index];
      if (augment) drawAugmentation(hash(AUGMENT, seed, epoch, index), drawn);
      writeImage(dataset.images, index, drawn, values, position);
    }
    yield { values, shape: [size, IMAGE_SIZE, IMAGE_SIZE, 3], labels, indices, size };
  }
}
