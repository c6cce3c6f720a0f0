import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { createRandom } from "../support/random.ts";

const PIXELS = IMAGE_SIZE * IMAGE_SIZE;
/** Weights of a pixel's neighbours: those at its sides count twice those at its corners. */
const OFFSETS = [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => ({ y, x, weight: y && x ? 1 / 12 : 1 / 6 })))
  .filter(({ y, x }) => y || x);
const RELAXATION = 1.8;
const TOLERANCE = 1e-6;
const NOISE = 0x6e6f6973; // domain constant: an independent random stream for the same seed

export interface ImputationOptions {
  /** Standard deviation of the noise added to each removed pixel. @default 0.01 */
  noise?: number;
  seed: number;
}

/**
 * Replaces removed pixels by noisy linear imputation (Rong et al. 2022, arXiv:2202.00449): each is the
 * weighted mean of its neighbours, removed ones included, plus noise. So the replacement does not show which
 * pixels were removed, as a flat colour does.
 *
 * @param images Normalised images `[N,32,32,3]`.
 * @param removed Pixels to replace, per image `[1024]`; at least one must stay.
 */
export function imputePixels(
  images: Float32Array,
  removed: readonly Uint8Array[],
  { noise = 0.01, seed }: ImputationOptions,
): Float32Array {
  const [result, neighbours] = [images.slice(), listNeighbours()];
  removed.forEach((mask, image) => {
    const pixels = result.subarray(image * IMAGE_BYTES, (image + 1) * IMAGE_BYTES);
    solve(pixels, mask, neighbours);
    const random = createRandom(NOISE, seed, image);
    mask.forEach((isRemoved, pixel) => {
      if (!isRemoved) return;
      for (let channel = 0; channel < 3; channel++) pixels[3 * pixel + channel] += noise * random.normal();
    });
  });
  return result;
}

interface Neighbours {
  around: Int32Array;
  shares: Float64Array;
}

/** Lists the neighbours of each pixel, eight places each, and their parts of the weights' sum; 0 outside. */
function listNeighbours(): Neighbours {
  const [around, shares] = [new Int32Array(8 * PIXELS), new Float64Array(8 * PIXELS)];
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const [row, column] = [Math.floor(pixel / IMAGE_SIZE), pixel % IMAGE_SIZE];
    const isInside = (at: number) => at >= 0 && at < IMAGE_SIZE;
    const inside = OFFSETS.filter(({ y, x }) => isInside(row + y) && isInside(column + x));
    const total = inside.reduce((sum, { weight }) => sum + weight, 0);
    inside.forEach(({ y, x, weight }, place) => {
      around[8 * pixel + place] = 3 * (pixel + y * IMAGE_SIZE + x);
      shares[8 * pixel + place] = weight / total;
    });
  }
  return { around, shares };
}

/** Solves for the removed pixels by successive over-relaxation, in place. */
function solve(pixels: Float32Array, mask: Uint8Array, { around, shares }: Neighbours): void {
  const values = Float64Array.from(pixels);
  for (let largest = Infinity; largest > TOLERANCE;) {
    largest = 0;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      if (!mask[pixel]) continue;
      for (let channel = 0; channel < 3; channel++) {
        let change = -values[3 * pixel + channel];
        for (let at = 8 * pixel; at < 8 * pixel + 8; at++) {
          change += shares[at] * values[around[at] + channel];
        }
        values[3 * pixel + channel] += RELAXATION * change;
        if (Math.abs(change) > largest) largest = Math.abs(change);
      }
    }
  }
  pixels.set(values);
}
