import { hash } from "../support/random.ts";
import { CROP_NUMBERS, cropImages } from "../tensorflow/runtime/library.ts";
import { IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";
import { createLookup } from "./normalise.ts";

/** Random changes of the training images. */
export interface AugmentationOptions {
  /** Largest shift in pixels in each direction: torchvision's `RandomCrop(32, padding=shift)`. @default {4} */
  shift?: number;
}

/** The lab's recipe: crops of padded images, and flips. */
export const LAB_AUGMENTATION = { shift: 4 } as const;

/** Crop and flip of an image. */
export interface Augmentation {
  /** Offset of the crop, −shift … shift. */
  left: number;
  top: number;
  /** Flip horizontally, after the crop. */
  flip: boolean;
}

/** Changes nothing. */
export const NO_AUGMENTATION: Readonly<Augmentation> = { left: 0, top: 0, flip: false };

// domain constant: an independent random stream for the same seed
const AUGMENT = 0x61756720;

/** An image in an epoch of a training. */
export interface AugmentationKey {
  seed: number;
  epoch: number;
  /** Of the image in its set. */
  index: number;
}

/** Draws the augmentation of an image: each crop about equally often. */
export function drawAugmentation(
  { seed, epoch, index }: AugmentationKey,
  { shift = LAB_AUGMENTATION.shift }: AugmentationOptions,
  into: Augmentation,
): void {
  const bits = hash(AUGMENT, seed, epoch, index);
  const shifts = 2 * shift + 1;
  into.left = ((bits & 0xffff) * shifts >>> 16) - shift;
  into.top = ((bits >>> 16 & 0x7fff) * shifts >>> 15) - shift;
  into.flip = bits >>> 31 === 1;
}

const ROW = IMAGE_SIZE * 3;

/** Writes a batch of images `[N,32,32,3]`, as `crops` says, to `values` `[B,32,32,3]`: see `CropOptions`. */
export type BatchWriter = (
  images: Uint8Array,
  crops: Int32Array<ArrayBuffer>,
  values: Float32Array<ArrayBuffer>,
) => void;

/** Encodes an image and its augmentation as row `position` of a batch's crops. */
export function encodeCrop(
  index: number,
  { left, top, flip }: Readonly<Augmentation>,
  crops: Int32Array<ArrayBuffer>,
  position: number,
): void {
  crops.set([index, left, top, flip ? 1 : 0], position * CROP_NUMBERS);
}

/**
 * Creates the function that writes the images of a batch, cropped, flipped and normalised. Outside the image a
 * crop is black: byte 0, normalised.
 *
 * Beside the native runtime it is C++ on all threads, with the same result.
 */
export function createBatchWriter(): BatchWriter {
  const lookup = new Float32Array(3 * 256);
  for (const channel of [0, 1, 2]) lookup.set(createLookup(channel), channel * 256);
  return (images, crops, values) => {
    if (cropImages({ images, crops, lookup, values, size: IMAGE_SIZE })) return;
    for (let position = 0; position < crops.length / CROP_NUMBERS; position++) {
      writeImage(images, crops.subarray(position * CROP_NUMBERS), lookup, values, position * IMAGE_BYTES);
    }
  };
}

/** Writes one image to `values` from `at` on. */
function writeImage(
  images: Uint8Array,
  [index, left, top, flip]: Int32Array,
  lookup: Float32Array,
  values: Float32Array,
  at: number,
): void {
  const first = Math.max(0, -left); // columns of the crop from `first` to before `last` lie in the image
  const last = Math.min(IMAGE_SIZE, IMAGE_SIZE - left);
  for (let y = 0; y < IMAGE_SIZE; y++) {
    const row = at + y * ROW;
    for (let to = 0; to < ROW; to++) values[row + to] = lookup[to % 3 * 256];
    if (y + top < 0 || y + top >= IMAGE_SIZE) continue;
    for (let x = first; x < last; x++) {
      const from = index * IMAGE_BYTES + (y + top) * ROW + (x + left) * 3;
      const to = row + (flip ? IMAGE_SIZE - 1 - x : x) * 3;
      for (let c = 0; c < 3; c++) values[to + c] = lookup[c * 256 + images[from + c]];
    }
  }
}
