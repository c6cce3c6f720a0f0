import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { createRandom } from "../support/random.ts";

/** Images of four parts, each from an image of another class. */
export interface Mosaics {
  /** Bytes `[M,32,32,3]`. */
  images: Uint8Array;
  /** Classes of the parts: top left, top right, bottom left, bottom right. */
  classes: number[][];
  /** Where in the data set the parts come from, in the same order. */
  sources: number[][];
}

/** How an image is made to fit a quarter: shrunk to half its size, or its middle cut out as it is. */
export type Fitting = "shrink" | "crop";

/** Options of {@linkcode createMosaics}. */
export interface MosaicOptions {
  /** How many. */
  count: number;
  seed: number;
  /** @default "shrink" */
  fitting?: Fitting;
  /** Images that may be taken (default: all). */
  eligible?: readonly number[];
}

/** Height and width of a part. */
export const PART_SIZE = IMAGE_SIZE / 2;

const MOSAIC = 0x6d6f7361; // keeps these draws apart from others with the same seed
const PARTS = 4;

/**
 * Makes mosaics of four images of four different classes, drawn by (seed, mosaic): the classes first, then an image of each.
 *
 * @throws {RangeError} If there are fewer than four classes to draw from.
 */
export function createMosaics(dataset: Dataset, options: MosaicOptions): Mosaics {
  const { count, seed, fitting = "shrink", eligible = Array.from(dataset.labels, (_, index) => index) } =
    options;
  const byClass = new Map<number, number[]>();
  for (const index of eligible) {
    const label = dataset.labels[index];
    byClass.set(label, [...byClass.get(label) ?? [], index]);
  }
  if (byClass.size < PARTS) {
    throw new RangeError(`A mosaic needs images of ${PARTS} classes; there are ${byClass.size}.`);
  }
  const images = new Uint8Array(count * IMAGE_BYTES);
  const classes: number[][] = [], sources: number[][] = [];
  for (let mosaic = 0; mosaic < count; mosaic++) {
    const random = createRandom(MOSAIC, seed, mosaic);
    const labels = Uint32Array.from([...byClass.keys()].sort((one, other) => one - other));
    random.shuffle(labels);
    const chosen = [...labels.subarray(0, PARTS)];
    classes.push(chosen);
    sources.push(chosen.map((label) => byClass.get(label)![random.integer(byClass.get(label)!.length)]));
    sources[mosaic].forEach((source, part) => {
      const image = dataset.images.subarray(source * IMAGE_BYTES, (source + 1) * IMAGE_BYTES);
      pastePart(images, mosaic, part, fitImage(image, fitting));
    });
  }
  return { images, classes, sources };
}

/**
 * Makes an image fit a quarter: the mean of every 2×2 pixels, or its middle.
 *
 * @param image Bytes `[32,32,3]`.
 * @returns Bytes `[16,16,3]`.
 */
export function fitImage(image: Uint8Array, fitting: Fitting): Uint8Array {
  const result = new Uint8Array(PART_SIZE * PART_SIZE * 3);
  const margin = (IMAGE_SIZE - PART_SIZE) / 2;
  for (let row = 0, at = 0; row < PART_SIZE; row++) {
    for (let column = 0; column < PART_SIZE; column++) {
      for (let channel = 0; channel < 3; channel++, at++) {
        const pixel = (y: number, x: number) => image[(y * IMAGE_SIZE + x) * 3 + channel];
        const [y, x] = [2 * row, 2 * column];
        result[at] = fitting === "crop"
          ? pixel(row + margin, column + margin)
          : Math.round((pixel(y, x) + pixel(y, x + 1) + pixel(y + 1, x) + pixel(y + 1, x + 1)) / 4);
      }
    }
  }
  return result;
}

function pastePart(images: Uint8Array, mosaic: number, part: number, pixels: Uint8Array): void {
  const top = Math.floor(part / 2) * PART_SIZE, left = part % 2 * PART_SIZE;
  for (let row = 0; row < PART_SIZE; row++) {
    const start = mosaic * IMAGE_BYTES + ((top + row) * IMAGE_SIZE + left) * 3;
    images.set(pixels.subarray(row * PART_SIZE * 3, (row + 1) * PART_SIZE * 3), start);
  }
}
