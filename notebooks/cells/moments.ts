import type { MomentsDrift } from "../../lib/analysis/drift.ts";
import { formatNumber } from "../../lib/support/format.ts";
import { displayTable } from "./text.ts";

/** Moments that fit as well as this were estimated on such images: shift in standard deviations, factor of the variances less one. */
const FITS = 0.05;

/** Whether the stored statistics are those of the images. */
export function fitsStored(moments: ReadonlyMap<string, MomentsDrift>): boolean {
  return [...moments.values()].every(({ shift, factor }) => shift < FITS && factor < 1 + FITS);
}

/** Shows how the input of each batch normalisation differs from what it has in store. */
export async function displayMoments(moments: ReadonlyMap<string, MomentsDrift>): Promise<void> {
  await displayTable({
    header: [
      "batch normalisation",
      "mean: off by (standard deviations)",
      "variance: times the stored one",
      "factor either way",
    ],
    rows: [...moments].map(([layer, { shift, ratio, factor }]) => [
      `\`${layer}\``,
      formatNumber(shift, 3),
      formatNumber(ratio, 3),
      formatNumber(factor, 3),
    ]),
  });
}

/** What that says. @param file What the weights are called. */
export function describeMoments(moments: ReadonlyMap<string, MomentsDrift>, file: string): string {
  const shift = Math.max(...[...moments.values()].map(({ shift }) => shift));
  const factor = Math.max(...[...moments.values()].map(({ factor }) => factor));
  const size = `The means are off by ${
    formatNumber(shift, 3)
  } standard deviations at most, the variances by a factor of ${formatNumber(factor, 3)} at most`;
  return fitsStored(moments)
    ? `${size}: **the stored statistics are already those of these images.** Statistics from ImageNet's training could not fit so ` +
      `well, so in this file (${file}) they were estimated anew on images like ours, and scale and shift set so that the network ` +
      "computes the same as before. With this file statistics explain nothing of the loss, and what ImageNet's own would cost cannot be seen."
    : `${size}: a frozen backbone normalises these images by statistics that are not theirs. What adapting the statistics alone ` +
      "brings stands in the table of probes below.";
}
