import type { AreaComparison } from "../../lib/analysis/deletion.ts";
import { type Pointing, POINTING_CHANCE } from "../../lib/analysis/pointing.ts";
import { type Answers, MAP_CELLS } from "../../lib/analysis/scorer.ts";
import { type Dataset, IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { formatCount, formatPercent } from "../../lib/support/format.ts";
import type { ResponseExample } from "../../lib/figures/response_maps.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";
import { CLASSES } from "../../lib/model/spec.ts";
import { formatDifference, formatMeanInterval, formatShare, signOf } from "./intervals.ts";
import { type Cell, displayTable } from "./text.ts";

/** Takes an image and what a network answered to it out of a data set, for a figure. */
export function pickExample(
  { images, labels }: Dataset,
  { scores, maps }: Answers,
  index: number,
): ResponseExample {
  return {
    image: images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES),
    scores: scores.subarray(index * CLASSES, (index + 1) * CLASSES),
    maps: maps.subarray(index * CLASSES * MAP_CELLS, (index + 1) * CLASSES * MAP_CELLS),
    trueClass: labels[index],
    label: `test image ${index}`,
  };
}

/** Shows the areas under deletion and insertion curves, and their paired differences from the first order's. */
export async function displayAreas(areas: readonly AreaComparison[]): Promise<void> {
  await displayTable({
    header: ["order", "deletion: area", "difference", "insertion: area", "difference"],
    rows: areas.map(({ name, deletion, insertion, difference }): Cell[] => [
      name,
      formatMeanInterval(deletion),
      difference === null ? "–" : formatDifference(difference.deletion),
      formatMeanInterval(insertion),
      difference === null ? "–" : formatDifference(difference.insertion),
    ]),
  });
}

/** How the first order compares with another, test by test. */
export interface OrderVerdict {
  name: string;
  deletion: Verdict;
  insertion: Verdict;
}

/** Whether the first order is shown to be better or worse, or neither. */
export type Verdict = "better" | "worse" | "undecided";

/** Judges the first order against the others. A map is the better the *smaller* its deletion area and the *larger* its insertion area. */
export function judgeAreas(areas: readonly AreaComparison[]): OrderVerdict[] {
  return areas.flatMap(({ name, difference }) =>
    difference === null ? [] : [{
      name,
      deletion: judge(difference.deletion, "above"),
      insertion: judge(difference.insertion, "below"),
    }]
  );
}

/** @param good On which side of zero the *other* order's area lies if the first one is better. */
function judge(difference: MeanInterval, good: "above" | "below"): Verdict {
  const side = signOf(difference);
  return side === null ? "undecided" : side === good ? "better" : "worse";
}

/** The verdicts in words, a sentence each. */
export function describeAreas(areas: readonly AreaComparison[]): string[] {
  const words: Record<Verdict, string> = {
    better: "better",
    worse: "worse",
    undecided: "no difference shown",
  };
  return judgeAreas(areas).map(({ name, deletion, insertion }) => {
    const { difference } = areas.find((area) => area.name === name)!;
    const verdict = deletion === insertion
      ? deletion === "undecided" ? "no difference is shown" : `**${words[deletion]}** by both tests`
      : `deletion: **${words[deletion]}**, insertion: **${words[insertion]}**`;
    return `Against *${name}*: ${verdict} (their areas differ by ${
      formatDifference(difference!.deletion)
    } and ` +
      `${formatDifference(difference!.insertion)}).`;
  });
}

/** Shows how often maps point at their class, by kind of map and mosaic. */
export async function displayPointing(
  kinds: readonly { name: string; pointing: Pointing }[],
): Promise<void> {
  await displayTable({
    header: [
      "maps and mosaics",
      "mosaics",
      "greatest value in the right quarter",
      "greatest mean in the right quarter",
    ],
    rows: kinds.map(({ name, pointing: { mosaics, peak, mean } }): Cell[] => [
      name,
      mosaics,
      formatShare(peak),
      formatShare(mean),
    ]),
  });
}

/** What the pointing test says. */
export function describePointing({ peak, mosaics }: Pointing): string {
  const chance = formatPercent(POINTING_CHANCE, 0);
  const [low, high] = peak.interval ?? [0, 1];
  const verdict = low > POINTING_CHANCE
    ? `**more often than chance** (${chance}): it tells *where*, and for which class`
    : high < POINTING_CHANCE
    ? `less often than chance (${chance})`
    : `which is not shown to differ from chance (${chance})`;
  return `In ${
    formatShare(peak)
  } of the cases a class's evidence has its greatest value in the quarter where the class is ` +
    `(${formatCount(mosaics)} mosaics of four classes; the interval is over mosaics), ${verdict}.`;
}
