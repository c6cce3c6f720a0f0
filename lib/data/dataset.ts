import { InputError } from "../support/errors.ts";

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

/** Names that a class may have: they stand in tables, figures, pages and Python files. */
export const CLASS_NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.'-]{0,39}$/u;

/** Most classes: labels are bytes. */
export const MAXIMUM_CLASSES = 256;

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
  /** Labels `[N]`, 0 to K − 1. */
  labels: Uint8Array;
  /** Names of the K classes. @default {CLASS_NAMES} */
  classNames?: readonly string[];
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
 * @param labels Labels `[N]`, 0 to K − 1.
 * @returns K counts.
 */
export function countClasses(labels: Uint8Array, classes: number = CLASS_NAMES.length): number[] {
  const counts = new Array<number>(classes).fill(0);
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
  return { ...dataset, images, labels };
}

/** Names of a data set's classes. */
export function classNamesOf({ classNames = CLASS_NAMES }: Pick<Dataset, "classNames">): readonly string[] {
  return classNames;
}

/**
 * Gives a data set the labels of a network that knows its classes, by their names, and perhaps more.
 *
 * @throws {InputError} If the network does not know a class of the data set.
 */
export function relabel(dataset: Dataset, classNames: readonly string[]): Dataset {
  const names = classNamesOf(dataset);
  const labels = names.map((name) => classNames.indexOf(name));
  const unknown = names.filter((_, label) => labels[label] < 0);
  if (unknown.length > 0) {
    throw new InputError({
      what: `test a network on ${dataset.name}`,
      why: `of that data set's classes it does not know ${unknown.join(", ")} (it knows ${
        classNames.join(", ")
      })`,
      next: [{ advice: "choose a network that was trained on all of them" }],
    });
  }
  return { ...dataset, labels: dataset.labels.map((label) => labels[label]), classNames };
}
