import { CLASS_NAMES, type Dataset, IMAGE_BYTES } from "../../lib/data/dataset.ts";
import type { SheetImage } from "../../lib/figures/contact_sheet.ts";

/** An image's bytes `[32,32,3]`. */
export function pictureAt({ images }: Dataset, index: number): Uint8Array {
  return images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
}

/** The index of the first image of a class. */
export function firstOfClass({ labels }: Dataset, label: number): number {
  return labels.indexOf(label);
}

/**
 * The first images of every class, class beside class: row by row for a contact sheet of ten columns. Not chosen by hand, so what is hard
 * to see is among them.
 */
export function sampleClasses(dataset: Dataset, perClass: number): SheetImage[] {
  const found = CLASS_NAMES.map((_, label) =>
    [...dataset.labels.keys()].filter((index) => dataset.labels[index] === label).slice(0, perClass)
  );
  return Array.from({ length: perClass }, (_, row) =>
    CLASS_NAMES.flatMap((label, column) => {
      const index = found[column][row];
      return index === undefined ? [] : [{ image: pictureAt(dataset, index), label }];
    })).flat();
}
