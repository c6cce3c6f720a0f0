import { IMAGE_BYTES, IMAGE_SIZE } from "./dataset.ts";
import { createLookup } from "./normalise.ts";

/** Black pixels around the picture before it is cropped, as in torchvision's `RandomCrop(32, padding=4)`. */
export const PADDING = 4;

const ROW = IMAGE_SIZE * 3;
const SHIFTS = 2 * PADDING + 1; // 9 positions of the crop in each direction

/** How an image is cropped and mirrored. */
export interface Augmentation {
  /** Where the crop begins in the picture, −4 … 4. */
  left: number;
  top: number;
  /** Left and right are exchanged (after the crop). */
  mirror: boolean;
}

/** No crop, no mirror. */
export const AS_IT_IS: Readonly<Augmentation> = { left: 0, top: 0, mirror: false };

/**
 * Draws a crop and a mirror: each of the 9×9×2 about equally often.
 *
 * @param bits A hash of 32 bits.
 */
export function drawAugmentation(bits: number, into: Augmentation): void {
  into.left = ((bits & 0xffff) * SHIFTS >>> 16) - PADDING;
  into.top = ((bits >>> 16 & 0x7fff) * SHIFTS >>> 15) - PADDING;
  into.mirror = bits >>> 31 === 1;
}

/** Writes one image, cropped, mirrored and normalised. */
export type ImageWriter = (
  images: Uint8Array,
  index: number,
  augmentation: Readonly<Augmentation>,
  values: Float32Array,
  position: number,
) => void;

/**
 * Creates the function that writes image `index` of `images` [N,32,32,3] to `position` of `values` [B,32,32,3]. What the crop takes
 * from outside the picture is black: byte 0, normalised.
 *
 * This is where the time goes that a batch takes: plain loops over rows, one look-up a value, nothing allocated.
 */
export function createImageWriter(): ImageWriter {
  const [red, green, blue] = [0, 1, 2].map(createLookup);
  const black = Float32Array.from({ length: ROW }, (_, at) => [red, green, blue][at % 3][0]);

  return (images, index, { left, top, mirror }, values, position) => {
    const first = Math.max(0, -left); // columns of the crop from `first` to before `last` lie in the picture
    const last = Math.min(IMAGE_SIZE, IMAGE_SIZE - left);
    const step = mirror ? -3 : 3;
    for (let y = 0; y < IMAGE_SIZE; y++) {
      const row = position * IMAGE_BYTES + y * ROW;
      if (left || y + top < 0 || y + top >= IMAGE_SIZE) {
        for (let at = 0; at < ROW; at++) values[row + at] = black[at];
        if (y + top < 0 || y + top >= IMAGE_SIZE) continue;
      }
      let from = index * IMAGE_BYTES + (y + top) * ROW + (first + left) * 3;
      let to = row + (mirror ? IMAGE_SIZE - 1 - first : first) * 3;
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
