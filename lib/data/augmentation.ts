import { hash } from "../support/random.ts";
import { IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";
import { createLookup } from "./normalise.ts";

/** Random changes of the training images. */
export interface AugmentationOptions {
  /** Largest shift in pixels in each direction: torchvision's `RandomCrop(32, padding=shift)`. @default {4} */
  shift?: number;
  /**
   * `random` flips an image in half of the epochs; `alternating` in every other one, half of the images in the
   * first (Jordan 2024, arXiv:2404.00498, section 3.6).
   *
   * @default {"random"}
   */
  flip?: "random" | "alternating";
  /** Side in pixels of a square that is blanked (DeVries and Taylor 2017, arXiv:1708.04552). @default {0} */
  cutout?: number;
}

/** The lab's recipe: crops of padded images, and flips. */
export const LAB_AUGMENTATION = { shift: 4, flip: "random", cutout: 0 } as const;

/** Crop, flip and blanked square of an image. */
export interface Augmentation {
  /** Offset of the crop, −shift … shift. */
  left: number;
  top: number;
  /** Flip horizontally, after the crop. */
  flip: boolean;
  /** First column and row of the blanked square, which may begin or end outside the image. */
  blankLeft: number;
  blankTop: number;
  /** Side of the blanked square. */
  blank: number;
}

/** Changes nothing. */
export const NO_AUGMENTATION: Readonly<Augmentation> = {
  left: 0,
  top: 0,
  flip: false,
  blankLeft: 0,
  blankTop: 0,
  blank: 0,
};

// domain constants: independent random streams for the same seed
const AUGMENT = 0x61756720;
const FIRST_FLIP = 0x666c6970;
const BLANK = 0x626c616e;

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
  {
    shift = LAB_AUGMENTATION.shift,
    flip = LAB_AUGMENTATION.flip,
    cutout = LAB_AUGMENTATION.cutout,
  }: AugmentationOptions,
  into: Augmentation,
): void {
  const bits = hash(AUGMENT, seed, epoch, index);
  const shifts = 2 * shift + 1;
  into.left = ((bits & 0xffff) * shifts >>> 16) - shift;
  into.top = ((bits >>> 16 & 0x7fff) * shifts >>> 15) - shift;
  into.flip = (flip === "random" ? bits >>> 31 : hash(FIRST_FLIP, seed, index) >>> 31 ^ epoch & 1) === 1;
  if (cutout === 0) return;
  const place = hash(BLANK, seed, epoch, index);
  into.blankLeft = ((place & 0xffff) * IMAGE_SIZE >>> 16) - (cutout >> 1);
  into.blankTop = ((place >>> 16) * IMAGE_SIZE >>> 16) - (cutout >> 1);
  into.blank = cutout;
}

const ROW = IMAGE_SIZE * 3;

/** Writes one image, cropped, flipped and normalised. */
export type ImageWriter = (
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
export function createImageWriter(): ImageWriter {
  const [red, green, blue] = [0, 1, 2].map(createLookup);
  const black = Float32Array.from({ length: ROW }, (_, at) => [red, green, blue][at % 3][0]);

  return (images, index, { left, top, flip, blankLeft, blankTop, blank }, values, position) => {
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
    const [start, end] = [blankLeft, blankLeft + blank].map((x) => 3 * Math.min(Math.max(x, 0), IMAGE_SIZE));
    for (let y = Math.max(0, blankTop); y < Math.min(IMAGE_SIZE, blankTop + blank); y++) {
      const row = position * IMAGE_BYTES + y * ROW;
      values.fill(0, row + start, row + end); // the mean colour
    }
  };
}
