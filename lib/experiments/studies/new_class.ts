import { markdownTable } from "markdown-table";
import { z } from "zod";
import { CLASS_NAMES } from "../../data/dataset.ts";
import { disposeAll } from "../../model/state_dict.ts";
import { formatCount, formatPercent } from "../../support/format.ts";
import { throwIfInterrupted } from "../../support/interrupt.ts";
import { choice, integer, share } from "../../support/schema.ts";
import { mean, type MeanInterval, meanInterval } from "../../support/statistics.ts";
import { evaluate } from "../../training/evaluate.ts";
import { formatPoints } from "../markdown.ts";
import { type Study, type StudyContext, trainExperiment } from "../study.ts";
import { type LeftOut, planLeftOut, trainLeftOut } from "./left_out.ts";
import {
  compareMethods,
  type MethodResult,
  NEW_CLASS_METHODS,
  type NewClassAccuracy,
  type NewClassMethod,
} from "./new_class_methods.ts";

/** Accuracies of one method for one class, seed and number of images. */
export interface NewClassRow extends MethodResult {
  /** The class that was left out of the training. */
  class: string;
  seed: number;
}

const COUNTS = [1, 5, 10, 50, 500];
const KNOWN_IMAGES = 500;

/** Leaves each class out of a training, and then learns it from few images. */
export const NEW_CLASS: Study<LeftOut, NewClassRow> = {
  name: "new-class",
  about:
    "Can a class that the network was not trained on be learned as an embedding alone, and is that better than storing its filter?",
  seeds: 5,
  units: planLeftOut,
  row: z.strictObject({
    class: choice(CLASS_NAMES),
    seed: integer({ from: 0 }),
    method: choice(NEW_CLASS_METHODS),
    images: integer({ from: 0 }),
    ...{ newClass: share(), others: share(), all: share() },
  }),
  measure,
  format,
};

async function measure(unit: LeftOut, context: StudyContext): Promise<NewClassRow[]> {
  const { seed, left } = unit;
  const { checkpoint, train, test } = await trainLeftOut(context, unit, "dynamic");
  const results = await compareMethods(checkpoint.readTensors().network, checkpoint.config, {
    datasets: { train, test },
    counts: COUNTS,
    knownImages: KNOWN_IMAGES,
    seed,
    onPause: () => throwIfInterrupted(context.signal),
  });
  const ten = await testTen(context, seed, left);
  const all: MethodResult = { method: "all ten trained", images: results.at(-1)!.images, ...ten };
  return [...results, all].map((result) => ({ class: CLASS_NAMES[left], seed, ...result }));
}

/** Tests the network that was trained on all classes. */
async function testTen(context: StudyContext, seed: number, label: number): Promise<NewClassAccuracy> {
  const { config, loadNetwork } = await trainExperiment(context, "dynamic", seed);
  const network = loadNetwork();
  const { perClass, accuracy } = await evaluate(network, context.datasets.test, config);
  disposeAll(network);
  const shares = perClass.map((share) => share ?? 0);
  return { newClass: shares[label], others: mean(shares.filter((_, at) => at !== label)), all: accuracy };
}

/** A method's accuracies, or their differences, by number of images. */
export interface NewClassLine {
  method: NewClassMethod;
  points: { images: number; accuracy: MeanInterval }[];
}

/**
 * Summarises rows: the seeds of a class share that class, so each class counts once, with its mean over
 * seeds, and intervals are over the classes.
 *
 * @param less The method whose accuracy on the same class, seed and images is subtracted, if any.
 */
export function summariseNewClass(
  rows: readonly NewClassRow[],
  measure: keyof NewClassAccuracy,
  less?: NewClassMethod,
): NewClassLine[] {
  const keyOf = (row: NewClassRow, method = row.method) =>
    JSON.stringify([row.class, row.seed, method, row.images]);
  const values = new Map(rows.map((row) => [keyOf(row), row[measure]]));
  return NEW_CLASS_METHODS.flatMap((method) => {
    const own = rows.filter((row) => row.method === method && (!less || values.has(keyOf(row, less))));
    const counts = [...new Set(own.map(({ images }) => images))].sort((one, other) => one - other);
    const points = counts.map((images) => {
      const byClass = Map.groupBy(own.filter((row) => row.images === images), (row) => row.class);
      const means = [...byClass.values()].map((group) =>
        mean(group.map((row) => row[measure] - (less ? values.get(keyOf(row, less))! : 0)))
      );
      return { images, accuracy: meanInterval(means) };
    });
    return points.length === 0 || method === less ? [] : [{ method, points }];
  });
}

function format(rows: readonly NewClassRow[]): string {
  const percent = ({ mean }: MeanInterval) => formatPercent(mean);
  const seeds = new Set(rows.map(({ seed }) => seed)).size;
  const classes = new Set(rows.map((row) => row.class)).size;
  return [
    "Accuracy on the test images of the new class, among all ten scores, by number of its images to learn from:",
    formatLines(summariseNewClass(rows, "newClass"), percent),
    "Accuracy on the test images of all ten classes:",
    formatLines(summariseNewClass(rows, "all"), percent),
    "All ten classes, what the others have more than the embedding (points, with the 95 % interval; below 0 the embedding is better):",
    formatLines(summariseNewClass(rows, "all", "embedding"), formatPoints),
    "The new class alone, what the others have more than the embedding:",
    formatLines(summariseNewClass(rows, "newClass", "embedding"), formatPoints),
    `Means over ${classes} classes, each the mean of its seeds (n = ${seeds}), which share their class: intervals (Student's t) are over the ` +
    `classes, not corrected for the number of comparisons. All learn from the same images, with ${KNOWN_IMAGES} of each known class, ` +
    "on the same balanced batches, by as many steps of Adam; their learning rates were chosen by the test images of two runs that are none of these. " +
    "Embedding and free filter start at the most similar known class and leave the known classes' scores as they are, bit for bit; " +
    "retraining the head changes them. The imprinted filter is the normalised mean feature, as published; the imprinted difference " +
    "is what that has more than the known classes' mean, with a shift fitted to its scores.",
  ].join("\n\n");
}

function formatLines(lines: readonly NewClassLine[], cell: (accuracy: MeanInterval) => string): string {
  const images = lines.flatMap(({ points }) => points.map(({ images }) => images));
  const counts = [...new Set(images)].sort((one, other) => one - other);
  return markdownTable([
    ["method", ...counts.map(formatCount)],
    ...lines.map(({ method, points }) => [
      method,
      ...counts.map((count) => {
        const point = points.find(({ images }) => images === count);
        return point === undefined ? "" : cell(point.accuracy);
      }),
    ]),
  ], { align: ["l", ...counts.map(() => "r")] });
}
