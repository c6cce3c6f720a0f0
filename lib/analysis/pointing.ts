/**
 * Pointing game on mosaics of four images of four classes: does each class's response map point at its own
 * quarter? The positions are random, so chance is a quarter, also for a map that marks the centre or whatever
 * is salient.
 *
 * After Zhang et al., Top-down Neural Attention by Excitation Backprop (ECCV 2016, arXiv:1608.00507), section
 * 4.1, and Rao, Böhle & Schiele, Towards Better Understanding Attribution Methods (CVPR 2022,
 * arXiv:2205.10435), section 3.
 */
import { type Dataset, IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { MAP_SIZE } from "../model/spec.ts";
import { splitRows } from "../support/arrays.ts";
import { createRandom } from "../support/random.ts";
import { argMax, mean, type MeanInterval, meanInterval } from "../support/statistics.ts";

/** Chance level. */
export const POINTING_CHANCE = 0.25;

/**
 * Measures pointing accuracy: the fraction of a mosaic's four classes whose map has its maximum in the
 * class's quarter, mean over mosaics. The interval is over mosaics, because the four maps of one are not
 * independent.
 *
 * @param maps `[64]` each, high where the class is: four per mosaic, in the order of its parts.
 */
export function measurePointing(maps: readonly ArrayLike<number>[]): MeanInterval {
  const hits = maps.map((map, at) => quarterOf(argMax(map)) === at % PARTS ? 1 : 0);
  return meanInterval(splitRows(Float32Array.from(hits), maps.length / PARTS).map(mean));
}

/** Returns the quarter of a cell: 0 top left, 1 top right, 2 bottom left, 3 bottom right. */
export function quarterOf(cell: number): number {
  const half = MAP_SIZE / 2;
  return 2 * Math.floor(Math.floor(cell / MAP_SIZE) / half) + Math.floor(cell % MAP_SIZE / half);
}

/** Height and width of a part. */
const PART_SIZE = IMAGE_SIZE / 2;

const MOSAIC = 0x6d6f7361; // domain constant: an independent random stream for the same seed
const PARTS = 4;

/**
 * Makes mosaics of four images of four different classes, sampled by (seed, mosaic): the classes first, then
 * an image of each.
 *
 * @returns Bytes `[M,32,32,3]`; the parts' classes (top left, top right, bottom left, bottom right) and indices.
 * @throws {RangeError} If there are images of fewer than four classes.
 */
export function createMosaics(dataset: Dataset, { count, seed }: { count: number; seed: number }) {
  const byClass = Map.groupBy(
    Array.from(dataset.labels, (_, index) => index),
    (index) => dataset.labels[index],
  );
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
      pastePart(images, mosaic, part, shrinkImage(image));
    });
  }
  return { images, classes, sources };
}

/**
 * Shrinks an image to half its size: the mean of every 2×2 pixels.
 *
 * @param image Bytes `[32,32,3]`.
 * @returns Bytes `[16,16,3]`.
 */
export function shrinkImage(image: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: PART_SIZE * PART_SIZE * 3 }, (_, at) => {
    const [row, column] = [Math.floor(at / (3 * PART_SIZE)), Math.floor(at / 3) % PART_SIZE];
    const first = 2 * (row * IMAGE_SIZE + column) * 3 + at % 3;
    const parts = [0, 3, 3 * IMAGE_SIZE, 3 * IMAGE_SIZE + 3].map((offset) => image[first + offset]);
    return Math.round(mean(parts));
  });
}

function pastePart(images: Uint8Array, mosaic: number, part: number, pixels: Uint8Array): void {
  const top = Math.floor(part / 2) * PART_SIZE, left = part % 2 * PART_SIZE;
  for (let row = 0; row < PART_SIZE; row++) {
    const start = mosaic * IMAGE_BYTES + ((top + row) * IMAGE_SIZE + left) * 3;
    images.set(pixels.subarray(row * PART_SIZE * 3, (row + 1) * PART_SIZE * 3), start);
  }
}
