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

/** Images and their labels as bytes; {@linkcode batches} makes float batches of them. */
export interface Dataset {
  /** Name in every output that depends on the images: `CIFAR-10`, `CIFAR-10 (…)` or `synthetic`. */
  name: string;
  /** Pixels `[N,32,32,3]`, row by row from the top left, red, green, blue. */
  images: Uint8Array;
  /** Labels `[N]`, 0–9. */
  labels: Uint8Array;
}

/** Training and test set. */
export interface Datasets {
  /** Training set. */
  train: Dataset;
  /** Test set. */
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
 * Copies some images of a data set.
 *
 * @param indices Their positions, in the order wanted.
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
