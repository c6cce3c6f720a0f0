/**
 * Remove and retrain (ROAR; Hooker et al. 2019, arXiv:1806.10758): how much of the classes is left to learn
 * when the pixels that come first in an order are missing from all images, training and test?
 */
import { markdownTable } from "markdown-table";
import { z } from "zod";
import { predictClasses } from "../../analysis/choose_examples.ts";
import {
  blurMap,
  centreMap,
  markAtRandom,
  markCells,
  orderByValue,
  randomMap,
} from "../../analysis/deletion.ts";
import { measureEvidence } from "../../analysis/evidence.ts";
import { createScorer, MAP_CELLS, mapOf } from "../../analysis/scorer.ts";
import { type Dataset, type Datasets, IMAGE_BYTES, IMAGE_SIZE } from "../../data/dataset.ts";
import { normaliseImages } from "../../data/normalise.ts";
import { disposeAll } from "../../model/state_dict.ts";
import { integer, share } from "../../support/schema.ts";
import {
  formatInterval,
  formatSpread,
  type MeanInterval,
  meanIntervalOrNone,
} from "../../support/statistics.ts";
import { throwIfInterrupted, yieldToEventLoop } from "../../support/interrupt.ts";
import { averageEvidence } from "../faithfulness.ts";
import { loadExperiment, type Study, type StudyContext, type StudyUnit, trainRun } from "../study.ts";

export const ROAR_ORDERS = [
  "evidence",
  "map, bright first",
  "fixed order",
  "centre",
  "random, blurred",
  "random pixels",
] as const;
const FRACTIONS = [0.5, 0.75];
const EPOCHS = 6; // half the lab's: differences between orders matter here, not the best accuracy
const CONTROL = "random, blurred";

type Order = typeof ROAR_ORDERS[number] | "nothing removed";
interface Removal {
  order: Order;
  /** Fraction of the pixels that is removed. */
  fraction: number;
  seed: number;
}

const ROW = z.strictObject({
  order: z.enum([...ROAR_ORDERS, "nothing removed"]),
  fraction: share(),
  seed: integer({ from: 0 }),
  accuracy: share(),
});

/** The study `roar`. */
export const ROAR: Study<StudyUnit & Removal, z.infer<typeof ROW>> = {
  name: "roar",
  about: "How much is left to learn from images without the pixels that an order removes first?",
  seeds: 3,
  units: (seeds) =>
    seeds.flatMap((seed) => [
      unit("nothing removed", 0, seed),
      ...FRACTIONS.flatMap((fraction) => ROAR_ORDERS.map((order) => unit(order, fraction, seed))),
    ]),
  row: ROW,
  async measure({ name, order, fraction, seed }, context) {
    const datasets = order === "nothing removed"
      ? context.datasets
      : await removePixels(context, { order, fraction, seed });
    const { progress } = await trainRun(context, { epochs: EPOCHS, seed, run: name }, datasets);
    return [{ order, fraction, seed, accuracy: progress.history.at(-1)!.testAccuracy }];
  },
  format(rows) {
    const of = (order: Order, fraction: number) => compareRetrained(rows, order, fraction);
    const whole = of("nothing removed", 0).accuracy;
    return [
      `Test accuracy (%) after training for ${EPOCHS} epochs without the pixels, n = ${whole.n}; low means that ` +
      `what was removed mattered. With nothing removed: ${formatSpread(whole, 1, 100)}.`,
      "",
      markdownTable([
        ["removed first", ...FRACTIONS.flatMap((fraction) => [`${100 * fraction} % removed`, "difference"])],
        ...ROAR_ORDERS.map((order) => [
          order,
          ...FRACTIONS.map((fraction) => of(order, fraction)).flatMap(({ accuracy, difference }) => [
            formatSpread(accuracy, 1, 100),
            order === CONTROL ? "control" : formatInterval(difference, 1, 100),
          ]),
        ]),
      ]),
      "",
      "- The network `dynamic` of the same seed ranks the cells of each image, for the class it predicts; removed pixels get " +
      "the training images' mean colour. ± is the standard deviation over seeds, in brackets 95 % intervals " +
      "(Student's t) of differences paired by seed, not corrected for the number of comparisons.",
      "- Where removed pixels depend on the image, their places tell the class to the new network as well; a fixed order " +
      "and the centre tell nothing. Single pixels leave the shapes to be seen, which cells and blurred maps do not: so the " +
      "control is the blurred random map.",
    ].join("\n");
  },
};

/** Accuracy without the pixels that an order removes, and its difference from the control's, by seed. */
export function compareRetrained(
  rows: readonly z.infer<typeof ROW>[],
  order: Order,
  fraction: number,
): { accuracy: MeanInterval; difference: MeanInterval } {
  const of = (name: Order) =>
    rows.filter((row) => row.order === name && row.fraction === fraction).map(({ accuracy }) => accuracy);
  const [own, control] = [of(order), of(CONTROL)];
  return {
    accuracy: meanIntervalOrNone(own),
    difference: meanIntervalOrNone(control.length === 0 ? [] : own.map((each, seed) => each - control[seed])),
  };
}

function unit(order: Order, fraction: number, seed: number): StudyUnit & Removal {
  const name = `${order.replaceAll(/[^a-z]+/g, "-")}-${100 * fraction}-seed${seed}`;
  return { name, order, fraction, seed };
}

const CHUNK = 2500; // images

/** Replaces the pixels that an order removes first by the training images' mean colour. */
export async function removePixels(
  context: StudyContext,
  { order, fraction, seed }: Removal,
): Promise<Datasets> {
  const { datasets: { train, test }, signal } = context;
  const colour = [0, 1, 2].map((channel) => {
    let sum = 0;
    for (let at = channel; at < train.images.length; at += 3) sum += train.images[at];
    return Math.round(sum / (train.images.length / 3));
  });
  const name = `${train.name}, ${100 * fraction} % removed by ${order}`;
  const ranking = await createRanking(context, order, seed);
  const remove = async (dataset: Dataset): Promise<Dataset> => {
    const images = dataset.images.slice();
    for (let first = 0; first < dataset.labels.length; first += CHUNK) {
      await yieldToEventLoop();
      throwIfInterrupted(signal);
      const part = dataset.images.subarray(first * IMAGE_BYTES, (first + CHUNK) * IMAGE_BYTES);
      const maps = await ranking.rank(part, first);
      for (let image = first; image < first + part.length / IMAGE_BYTES; image++) {
        const marks = order === "random pixels"
          ? markAtRandom(fraction * IMAGE_SIZE ** 2, seed, image)
          : markCells(orderByValue(maps(image - first), seed, image).slice(0, fraction * MAP_CELLS));
        marks.forEach((isMarked, pixel) => {
          if (isMarked) images.set(colour, image * IMAGE_BYTES + 3 * pixel);
        });
      }
    }
    return { ...dataset, name, images };
  };
  try {
    return { train: await remove(train), test: await remove(test) };
  } finally {
    ranking.dispose();
  }
}

/** Ranks the cells of a part of the images, whose first has the number `first`: returns each image's map. */
interface Ranking {
  rank(images: Uint8Array, first: number): Promise<(image: number) => Float32Array>;
  dispose(): void;
}

async function createRanking(context: StudyContext, order: Order, seed: number): Promise<Ranking> {
  const constant = (map: (image: number) => Float32Array): Ranking => ({
    rank: (_, first) => Promise.resolve((image) => map(first + image)),
    dispose: () => {},
  });
  if (order === "centre") return constant(centreMap);
  if (order === "random, blurred" || order === "random pixels") {
    return constant((image) => blurMap(randomMap(seed, image)));
  }
  const { tensors, spec } = await loadExperiment(context, "dynamic", seed);
  if (order === "fixed order") {
    const fixed = await averageEvidence({ tensors, spec, datasets: context.datasets });
    disposeAll(tensors);
    return constant(() => fixed);
  }
  const scorer = createScorer(tensors, spec);
  return {
    async rank(images) {
      const { scores, maps } = await scorer.ask(normaliseImages(images));
      const predicted = predictClasses(scores, images.length / IMAGE_BYTES);
      const all = order === "evidence" ? await measureEvidence(tensors, spec, maps) : maps;
      return (image) => mapOf(all, image, predicted[image]);
    },
    dispose: () => {
      scorer.dispose();
      disposeAll(tensors);
    },
  };
}
