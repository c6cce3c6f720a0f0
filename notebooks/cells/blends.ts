import { blendClasses } from "../../lib/analysis/blend.ts";
import { leadMaps, leadScores, weighMaps } from "../../lib/analysis/evidence.ts";
import { auroc, compareAuroc } from "../../lib/analysis/auroc.ts";
import { createScorer, joinArrays, MAP_CELLS } from "../../lib/analysis/scorer.ts";
import { CLASS_NAMES, type Dataset, selectImages } from "../../lib/data/dataset.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import type { BlendMaps } from "../../lib/figures/blend_maps.ts";
import type { Curve } from "../../lib/figures/line_panel.ts";
import { type MeanInterval, meanInterval } from "../../lib/support/statistics.ts";
import { pictureAt } from "./network.ts";
import type { OpenModel } from "./open.ts";

/** Options of {@linkcode measureBlend}. */
export interface MeasureBlendOptions {
  from: number;
  to: number;
  /** Images of each class. */
  perClass: number;
  /** Steps from one class to the other; even, so that one blend is half and half. @default 12 */
  steps?: number;
  /** Images to show, one of each of the two classes. */
  shown: readonly number[];
}

/**
 * Scores of blends of two classes on images of the two and of the other eight. Only differences of scores
 * count, so all scores here are leads: the blend's score minus the mean score of the eight classes without a
 * part in it, on the same image.
 */
export interface MeasuredBlend {
  /** For the figure. */
  figure: BlendMaps;
  /** Mean leads of the blend half and half: images of the one class, of the other, and of the rest. */
  half: { from: MeanInterval; to: MeanInterval; rest: MeanInterval };
  /**
   * Area under the ROC curve that separates images of the two classes from the rest: the half-and-half blend,
   * the better one of the two classes' own filters, and the larger of both their scores, which needs no
   * blend.
   */
  separation: { half: number; better: number; larger: number };
  /** The blend's area minus those two, with bootstrapped intervals. */
  gain: { better: MeanInterval; larger: MeanInterval };
  /** Cosine of the half-and-half filter with the straight mixture of the two filters. */
  straight: number;
}

/** A score made of an image's leads through all blends. */
type Score = (row: readonly number[]) => number;

/** Applies filters generated between two classes to the first `perClass` test images of each class. */
export async function measureBlend(
  { network, config }: Pick<OpenModel, "network" | "config">,
  dataset: Dataset,
  { from, to, perClass, steps = 12, shown }: MeasureBlendOptions,
): Promise<MeasuredBlend> {
  const shares = Array.from({ length: steps + 1 }, (_, step) => step / steps);
  const scorer = createScorer(network, config);
  const parts = [from, to];
  const apply = async (indices: readonly number[]) => {
    const images = normaliseImages(selectImages(dataset, indices).images);
    const blends = await blendClasses(network, config, { from, to, shares, images });
    const outputs = await scorer.ask(images);
    return { blends, outputs, leads: leadScores(blends.scores, outputs.scores, parts) };
  };
  const groups: number[][][] = []; // leads [class][N][blends]
  for (const label of CLASS_NAMES.keys()) {
    const indices = [...dataset.labels.keys()].filter((index) => dataset.labels[index] === label);
    groups.push((await apply(indices.slice(0, perClass))).leads);
  }
  const { blends, outputs, leads } = await apply(shown);
  scorer.dispose();
  const evidence = leadMaps(
    await weighMaps(network, config, blends.maps),
    await weighMaps(network, config, outputs.maps),
    parts,
  );
  const [one, other] = parts.map((label) => groups[label]);
  const rest = groups.filter((_, label) => !parts.includes(label)).flat();
  const half = steps / 2;
  const meanAt = (scores: readonly (readonly number[])[], at: number) =>
    meanInterval(scores.map((row) => row[at]));
  const pair = [...one, ...other];
  const separate = (score: Score) => auroc(pair.map(score), rest.map(score));
  const ends: Score[] = [(row) => row[0], (row) => row[steps]];
  const better = separate(ends[0]) > separate(ends[1]) ? ends[0] : ends[1];
  const larger: Score = (row) => Math.max(row[0], row[steps]);
  const compare = (score: Score) => {
    const both = (row: readonly number[]): [number, number] => [row[half], score(row)];
    return compareAuroc({ inside: pair.map(both), outside: rest.map(both) }, { seed: 0 });
  };
  const columns = [...shares.keys()].filter((at) => at % 2 === 0); // every other blend is drawn
  const mapAt = (row: number, at: number) => {
    const start = (row * shares.length + at) * MAP_CELLS;
    return evidence.subarray(start, start + MAP_CELLS);
  };
  return {
    figure: {
      from: CLASS_NAMES[from],
      to: CLASS_NAMES[to],
      weights: columns.map((at) => shares[at]),
      examples: shown.map((index, row) => ({
        image: pictureAt(dataset, index),
        label: CLASS_NAMES[dataset.labels[index]],
        maps: joinArrays(columns.map((at) => mapAt(row, at))),
        leads: columns.map((at) => leads[row][at]),
      })),
      curves: [
        makeCurve(`${CLASS_NAMES[from]} images`, shares, one),
        makeCurve(`${CLASS_NAMES[to]} images`, shares, other),
        makeCurve("images of other classes", shares, rest),
      ],
    },
    half: { from: meanAt(one, half), to: meanAt(other, half), rest: meanAt(rest, half) },
    separation: { half: separate((row) => row[half]), better: separate(better), larger: separate(larger) },
    gain: { better: compare(better), larger: compare(larger) },
    straight: blends.straight[half],
  };
}

function makeCurve(
  name: string,
  fraction: readonly number[],
  scores: readonly (readonly number[])[],
): Curve {
  const points = fraction.map((_, at) => meanInterval(scores.map((row) => row[at])));
  const [low, high] = [0, 1].map((end) => points.map(({ mean, interval }) => interval?.[end] ?? mean));
  return { name, fraction, value: points.map(({ mean }) => mean), low, high };
}
