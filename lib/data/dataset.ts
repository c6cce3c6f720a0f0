/** The ten classes of CIFAR-10, in the order of their labels 0–9. */
export const CLASS_NAMES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

/** Height and width of an image in pixels. */
export const IMAGE_SIZE = 32;

/** Bytes of one image: 32 rows × 32 columns × 3 channels. */
export const IMAGE_BYTES = IMAGE_SIZE * IMAGE_SIZE * 3;

/** Images and their labels, kept as bytes; {@linkcode batches} makes the floating-point batches. */
export interface Dataset {
  /** What the images are, as every output that depends on them names it: `CIFAR-10`, `CIFAR-10 (…)` or `synthetic`. */
  name: string;
  /** Pixels `[N,32,32,3]`, row by row from the top left, red, green, blue. */
  images: Uint8Array;
  /** Labels `[N]`, 0–9. */
  labels: Uint8Array;
}

/** The two halves of a data set. */
export interface Datasets {
  /** To learn from. */
  train: Dataset;
  /** To be tested on. */
  test: Dataset;
}

/**
 * Counts the images of each class.
 *
 * @param labels Labels `[N]`, 0–9.
 * @returns Ten counts.
 */
export function countClasses(labels: Uint8Array): number[] {
  const counts = new Array<number>(CLASS_NAMES.length).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/**
 * Makes a data set of some images of another (a copy).
 *
 * @param indices Which images, in the order wanted.
 */
export function selectImages(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const images = new Uint8Array(indices.length * IMAGE_BYTES);
  const labels = new Uint8Array(indices.length);
  for (let position = 0; position < indices.length; position++) {
    const start = indices[position] * IMAGE_BYTES;
    images.set(dataset.images.subarray(start, start + IMAGE_BYTES), position * IMAGE_BYTES);
    labels[position] = dataset.labels[indices[position]];
  }
  return { name: dataset.name, images, labels };
}
