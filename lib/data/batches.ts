import { createRandom, hash } from "../support/random.ts";
import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";
import { createLookup } from "./normalise.ts";

/** Options of {@linkcode batches}. */
export interface BatchOptions {
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

// domain constants: independent random streams for the same seed
const ORDER = 0x6f726465;
const AUGMENT = 0x61756720;

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

  const writeImage = createImageWriter();
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

const PADDING = 4; // black pixels around the image, as in torchvision's RandomCrop(32, padding=4)
const SHIFTS = 2 * PADDING + 1; // 9 positions of the crop in each direction
const ROW = IMAGE_SIZE * 3;

/** Crop and flip of an image. */
interface Augmentation {
  /** Offset of the crop, −4 … 4. */
  left: number;
  top: number;
  /** Flip horizontally, after the crop. */
  flip: boolean;
}

const NO_AUGMENTATION: Readonly<Augmentation> = { left: 0, top: 0, flip: false };

/**
 * Draws a crop and a flip: each of the 9×9×2 about equally often.
 *
 * @param bits A hash of 32 bits.
 */
export function drawAugmentation(bits: number, into: Augmentation): void {
  into.left = ((bits & 0xffff) * SHIFTS >>> 16) - PADDING;
  into.top = ((bits >>> 16 & 0x7fff) * SHIFTS >>> 15) - PADDING;
  into.flip = bits >>> 31 === 1;
}

/** Writes one image, cropped, flipped and normalised. */
type ImageWriter = (
  images: Uint8Array,
  index: number,
  augmentation: Readonly<Augmentation>,
  values: Float32Array,
  position: number,
) => void;

/**
 * Creates the function that writes image `index` of `images` `[N,32,32,3]` to `position` of `values`
 * `[B,32,32,3]`. Outside the image a crop is black: byte 0, normalised.
 *
 * Most of a batch's time is spent here: plain loops over rows, one lookup per value, nothing allocated.
 */
function createImageWriter(): ImageWriter {
  const [red, green, blue] = [0, 1, 2].map(createLookup);
  const black = Float32Array.from({ length: ROW }, (_, at) => [red, green, blue][at % 3][0]);

  return (images, index, { left, top, flip }, values, position) => {
    const first = Math.max(0, -left); // columns of the crop from `first` to before `last` lie in the image
    const last = Math.min(IMAGE_SIZE, IMAGE_SIZE - left);
    const step = flip ? -3 : 3;
    for (let y = 0; y < IMAGE_SIZE; y++) {
      const row = position * IMAGE_BYTES + y * ROW;
      if (left || y + top < 0 || y + top >= IMAGE_SIZE) {
        for (let at = 0; at < ROW; at++) values[row + at] = black[at];
        if (y + top < 0 || y + top >= IMAGE_SIZE) continue;
      }
      let from = index * IMAGE_BYTES + (y + top) * ROW + (first + left) * 3;
      let to = row + (flip ? IMAGE_SIZE - 1 - first : first) * 3;
      for (let x = first; x < last; x++) {
        values[to] = red[images[from]];
        values[to + 1] = green[images[from + 1]];
        values[to + 2] = blue[images[from + 2]];
        from += 3;
        to += step;
      }
    }
  };
}
