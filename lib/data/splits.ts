import { createRandom } from "../support/random.ts";
import { CLASS_NAMES, type Dataset, selectImages } from "./dataset.ts";

/**
 * Takes a part of a data set that holds as many images of each class as can be: the first of each class, in the set's order.
 *
 * Equal classes, rather than simply the first `size` images: then guessing is right in exactly 10 %, and even a handful shows every
 * class. If `size` is no multiple of ten, the first classes have one image more; a class that has too few is made up for by others.
 *
 * @param size How many images; all where there are no more.
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
  return selectImages(dataset, chooseBalanced(dataset.labels, order, size));
}

/** A training set without the images that were held out of it, and those. */
export interface HeldOut {
  /** What is left to learn from. */
  train: Dataset;
  /** What was held out. */
  validation: Dataset;
}

/**
 * Holds images out of a training set, to choose the best epoch by: as many of each class as can be, drawn at random by `seed`.
 *
 * @param size How many to hold out; fewer than there are.
 * @throws {RangeError} If nothing would be left to train on.
 */
export function holdOut(train: Dataset, size: number, seed: number): HeldOut {
  const total = train.labels.length;
  if (size >= total) throw new RangeError(`Cannot hold ${size} images out of ${total}: none would be left.`);
  const order = Uint32Array.from(train.labels, (_, index) => index);
  createRandom(seed, HOLD_OUT).shuffle(order);
  const held = chooseBalanced(train.labels, order, size);
  const isHeld = new Uint8Array(total);
  for (const index of held) isHeld[index] = 1;
  const kept = order.sort().filter((index) => !isHeld[index]);
  return { train: selectImages(train, kept), validation: selectImages(train, held) };
}

const HOLD_OUT = 0x686f6c64; // keeps this draw apart from others with the same seed

/** Chooses `size` indices, the first of each class in `order`; returns them ascending. */
function chooseBalanced(labels: Uint8Array, order: Uint32Array, size: number): Uint32Array {
  const classes = CLASS_NAMES.length;
  const wanted = CLASS_NAMES.map((_, label) => Math.floor(size / classes) + (label < size % classes ? 1 : 0));
  const chosen: number[] = [];
  const passedOver: number[] = [];
  for (const index of order) {
    if (wanted[labels[index]]-- > 0) chosen.push(index);
    else passedOver.push(index);
  }
  chosen.push(...passedOver.slice(0, Math.max(0, size - chosen.length)));
  return Uint32Array.from(chosen).sort();
}
