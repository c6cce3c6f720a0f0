import { type Dataset, IMAGE_BYTES } from "./dataset.ts";

const WORDS = IMAGE_BYTES / 4;
const MOST_REPEATED = 0.01; // of a file's images; CIFAR-10 has hardly any

/**
 * Finds a file whose images occur before, in it or in an earlier one: a copy under another name, test images
 * to train on, records of nothing but zeros.
 *
 * @param datasets Images in the order of the files.
 * @param files Their names and numbers of images, the same for all.
 * @returns A clause on the first such file, or null.
 */
export function findRepeated(
  datasets: readonly Dataset[],
  files: readonly { file: string; records: number }[],
): string | null {
  const hashes = hashImages(datasets);
  const first = new Map<number, number>();
  for (const [number, { file, records }] of files.entries()) {
    const repeated: [index: number, before: number][] = [];
    for (let index = number * records; index < (number + 1) * records; index++) {
      const before = first.get(hashes[index]);
      if (before === undefined) first.set(hashes[index], index);
      else repeated.push([index, before]);
    }
    if (repeated.length <= records * MOST_REPEATED) continue;
    const [one, other] = repeated[0].map((index) =>
      `record ${index % records} of ${files[Math.floor(index / records)].file}`
    );
    const [count, all] = [repeated.length, records].map((count) => count.toLocaleString("en"));
    return `${count} of the ${all} images of ${file} occur twice (${one} is the same as ${other})`;
  }
  return null;
}

/** Hashes each image in 32 bits: in 60,000 about one pair is equal by chance. */
function hashImages(datasets: readonly Dataset[]): Uint32Array {
  const hashes = new Uint32Array(datasets.reduce((sum, { labels }) => sum + labels.length, 0));
  let index = 0;
  for (const { images, labels } of datasets) {
    const words = new Uint32Array(images.buffer, images.byteOffset, labels.length * WORDS);
    for (let at = 0; at < words.length; index++) {
      let hash = 0x811c9dc5;
      for (const end = at + WORDS; at < end; at++) hash = Math.imul(hash ^ words[at], 0x01000193);
      hashes[index] = hash ^ hash >>> 15;
    }
  }
  return hashes;
}
