import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { MAP_SIZE } from "../model/spec.ts";

/**
 * What stands where pixels were removed: the image's own mean colour, or the image blurred (Gaussian, deviation 5 pixels).
 *
 * The mean colour leaves nothing of the shape but has sharp edges; the blur has none, but leaves large shapes visible.
 */
export type Baseline = "mean" | "blur";

/** Pixels along a side of the block that a cell of the map stands over. */
export const BLOCK = IMAGE_SIZE / MAP_SIZE;

const DEVIATION = 5; // pixels
const REACH = 15;

/** What images look like when everything is removed: values `[N,32,32,3]`. */
export function makeBaseline(images: Float32Array, baseline: Baseline): Float32Array {
  return baseline === "mean" ? fillWithMean(images) : blur(blur(images, 3), 3 * IMAGE_SIZE);
}

/**
 * Replaces the blocks of the first `count` cells of an order, image by image.
 *
 * @param images Values `[N,32,32,3]`.
 * @param replacement What is put in, `[N,32,32,3]`.
 * @param orders An order of the 64 cells for each image.
 * @returns New values `[N,32,32,3]`.
 */
export function replaceCells(
  images: Float32Array,
  replacement: Float32Array,
  orders: readonly ArrayLike<number>[],
  count: number,
): Float32Array {
  const result = images.slice();
  orders.forEach((order, image) => {
    for (let place = 0; place < count; place++) {
      const top = Math.floor(order[place] / MAP_SIZE) * BLOCK;
      const left = order[place] % MAP_SIZE * BLOCK;
      for (let row = top; row < top + BLOCK; row++) {
        const start = image * IMAGE_BYTES + (row * IMAGE_SIZE + left) * 3;
        result.set(replacement.subarray(start, start + 3 * BLOCK), start);
      }
    }
  });
  return result;
}

function fillWithMean(images: Float32Array): Float32Array {
  const result = new Float32Array(images.length);
  for (let start = 0; start < images.length; start += IMAGE_BYTES) {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let at = channel; at < IMAGE_BYTES; at += 3) sum += images[start + at];
      const mean = sum / (IMAGE_SIZE * IMAGE_SIZE);
      for (let at = channel; at < IMAGE_BYTES; at += 3) result[start + at] = mean;
    }
  }
  return result;
}

/** Blurs along one axis, whose pixels are `step` values apart; beyond the edge there is nothing, not black. */
function blur(images: Float32Array, step: number): Float32Array {
  const weights = Array.from(
    { length: 2 * REACH + 1 },
    (_, at) => Math.exp(-((at - REACH) ** 2) / (2 * DEVIATION ** 2)),
  );
  const result = new Float32Array(images.length);
  for (let at = 0; at < images.length; at++) {
    const position = Math.floor(at / step) % IMAGE_SIZE;
    const first = Math.max(-REACH, -position), last = Math.min(REACH, IMAGE_SIZE - 1 - position);
    let sum = 0, total = 0;
    for (let offset = first; offset <= last; offset++) {
      sum += weights[offset + REACH] * images[at + offset * step];
      total += weights[offset + REACH];
    }
    result[at] = sum / total;
  }
  return result;
}
