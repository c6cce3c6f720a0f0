import { createRandom } from "../support/random.ts";
import { classNamesOf, type Dataset, selectImages } from "./dataset.ts";

/**
 * Takes a class-balanced subset: the first images of each class, in the set's order.
 *
 * With balanced classes chance is exactly 10 %, and even a handful of images has every class. If `size` is no
 * multiple of their number, the first classes have one image more; images of other classes replace those that
 * a class lacks.
 *
 * @param size Number of images; all of them if the set is smaller.
 *
 * @example
 * ```ts
 * import { countClasses } from "./dataset.ts";
 * import { takeSubset } from "./splits.ts";
 * import { createSynthetic } from "./synthetic.ts";
 * const { test } = createSynthetic({ trainSize: 0, testSize: 100 });
 * console.log(countClasses(takeSubset(test, 20).labels)); // two of each
 * ```
 */
export function takeSubset(dataset: Dataset, size: number): Dataset {
  const order = Uint32Array.from(dataset.labels, (_, index) => index);
  return selectImages(dataset, chooseBalanced(dataset, order, size));
}

/** Leaves one class out of a data set: the others keep their order and get the labels 0 to K − 2. */
export function leaveOut(dataset: Dataset, left: number): Dataset {
  const kept = [...dataset.labels.keys()].filter((index) => dataset.labels[index] !== left);
  const { labels, ...others } = selectImages(dataset, kept);
  return {
    ...others,
    labels: labels.map((label) => label - Number(label > left)),
    classNames: classNamesOf(dataset).filter((_, label) => label !== left),
  };
}

/** A training set split in two. */
export interface HeldOut {
  /** Images to train on. */
  train: Dataset;
  /** Images held out. */
  validation: Dataset;
}

/**
 * Holds out a class-balanced validation set, sampled from a training set by `seed`.
 *
 * @param size Number of images to hold out; smaller than the set.
 * @throws {RangeError} If nothing would be left to train on.
 */
export function holdOut(train: Dataset, size: number, seed: number): HeldOut {
  const total = train.labels.length;
  if (size >= total) throw new RangeError(`Cannot hold ${size} images out of ${total}: none would be left.`);
  const order = Uint32Array.from(train.labels, (_, index) => index);
  createRandom(seed, HOLD_OUT).shuffle(order);
  const held = chooseBalanced(train, order, size);
  const isHeld = new Uint8Array(total);
  for (const index of held) isHeld[index] = 1;
  const kept = order.sort().filter((index) => !isHeld[index]);
  return { train: selectImages(train, kept), validation: selectImages(train, held) };
}

const HOLD_OUT = 0x686f6c64; // domain constant: an independent random stream for the same seed

/** Chooses `size` indices, the first of each class in `order`; returns them ascending. */
function chooseBalanced(dataset: Dataset, order: Uint32Array, size: number): Uint32Array {
  const { labels } = dataset;
  const classes = classNamesOf(dataset).length;
  const wanted = Array.from(
    { length: classes },
    (_, label) => Math.floor(size / classes) + (label < size % classes ? 1 : 0),
  );
  const chosen: number[] = [];
  const passedOver: number[] = [];
  for (const index of order) {
    if (wanted[labels[index]]-- > 0) chosen.push(index);
    else passedOver.push(index);
  }
  chosen.push(...passedOver.slice(0, Math.max(0, size - chosen.length)));
  return Uint32Array.from(chosen).sort();
}
