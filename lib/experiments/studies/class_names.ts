import { markdownTable } from "markdown-table";
import { z } from "zod";
import { auroc } from "../../analysis/auroc.ts";
import { cosineSimilarity } from "../../analysis/class_vectors.ts";
import { CLASS_NAMES, type Dataset } from "../../data/dataset.ts";
import { nameVectors, OTHER_WORDS } from "../../model/name_vectors.ts";
import { NAME_VECTOR_LENGTH } from "../../model/spec.ts";
import { disposeAll } from "../../model/state_dict.ts";
import { toRows } from "../../support/arrays.ts";
import { createRandom } from "../../support/random.ts";
import { choice, integer, share } from "../../support/schema.ts";
import {
  argMax,
  formatInterval,
  formatSpread,
  mean,
  meanInterval,
  meanIntervalOrNone,
} from "../../support/statistics.ts";
import * as tf from "../../tensorflow/runtime/tf.ts";
import type { Checkpoint } from "../../training/checkpoint.ts";
import { evaluate, type Scored } from "../../training/evaluate.ts";
import { type Study, trainExperiment } from "../study.ts";
import { type LeftOut, planLeftOut, trainLeftOut } from "./left_out.ts";

/** Vectors that a class which was never seen is scored with, and what they are called in the table. */
const VECTORS = {
  name: "its own name",
  words: "another word",
  random: "a random vector",
  nearest: "the nearest known name",
  trained: "its own name, seen in training",
};
type VectorKind = keyof typeof VECTORS;

const ROW = z.strictObject({
  seed: integer({ from: 0 }),
  class: choice(CLASS_NAMES),
  vector: choice(Object.keys(VECTORS) as VectorKind[]),
  newAccuracy: share(),
  allAccuracy: share(),
  auroc: share(),
});

/** Scores of a class that was never seen in training: one row per seed, class and kind of vector. */
export type NameRow = z.infer<typeof ROW>;

/**
 * Measures of a class that is added to others: accuracy on its images among all classes, accuracy on all
 * images, AUROC of its score on its images against the others.
 */
const MEASURES = ["newAccuracy", "allAccuracy", "auroc"] as const;
type AddedClass = Record<typeof MEASURES[number], number>;

/** Measures what a class gets from its name alone. */
export const CLASS_NAMES_STUDY: Study<LeftOut, NameRow> = {
  name: "class-names",
  about: "What does a class that was never seen get from its name alone?",
  seeds: 2,
  units: planLeftOut,
  row: ROW,
  async measure(unit, context) {
    const { seed, left } = unit;
    const { checkpoint, names, test } = await trainLeftOut(context, unit, "dynamic-names");
    const { labels } = test;
    const [added, count] = [names.length - 1, OTHER_WORDS.length];
    const vectors = [...nameVectors([CLASS_NAMES[left], ...OTHER_WORDS]), ...randomVectors(seed, left)];
    const scores = await scoreVectors(checkpoint, test, vectors);
    const measure = (column: number) =>
      measureAdded({ scores, labels }, [...names.keys()].slice(0, -1), column);
    const average = (from: number) => {
      const each = Array.from({ length: count }, (_, at) => measure(from + at));
      const means = MEASURES.map((name) => [name, mean(each.map((one) => one[name]))]);
      return Object.fromEntries(means) as AddedClass;
    };
    const all = await trainExperiment(context, "dynamic-names", seed);
    const columns = names.map((name) => all.classNames.indexOf(name));
    const seen = { scores: await scoreVectors(all, test, []), labels };
    const measured: Record<VectorKind, AddedClass> = {
      name: measure(added),
      words: average(added + 1),
      random: average(added + 1 + count),
      nearest: measure(nearestName(names)),
      trained: measureAdded(seen, columns.slice(0, -1), columns[added]),
    };
    return (Object.keys(measured) as VectorKind[]).map((vector) => ({
      seed,
      class: CLASS_NAMES[left],
      vector,
      ...measured[vector],
    }));
  },
  format: formatNames,
};

const RANDOM = 0x6e616d65; // domain constant: an independent random stream for the same seed

/** Draws as many random vectors as there are other words, as long as those of names. */
function randomVectors(seed: number, left: number): number[] {
  const random = createRandom(RANDOM, seed, left);
  return OTHER_WORDS.flatMap(() => {
    const vector = Array.from({ length: NAME_VECTOR_LENGTH }, () => random.normal());
    const scale = Math.sqrt(NAME_VECTOR_LENGTH) / Math.hypot(...vector);
    return vector.map((value) => scale * value);
  });
}

/** Finds the known name, of all but the last, whose vector is the nearest to the last one's. */
function nearestName(names: readonly string[]): number {
  const cosines = cosineSimilarity(toRows(nameVectors(names), names.length)).at(-1)!;
  return argMax(cosines.slice(0, -1));
}

/** Scores images with a network's own names and then with further vectors, `[N,K+M]`. */
async function scoreVectors(
  { loadNetwork, config }: Checkpoint,
  images: Dataset,
  vectors: number[],
): Promise<Float32Array> {
  const network = loadNetwork();
  const own = network["class_names.weight"] as tf.Tensor2D;
  const more = tf.tensor2d(vectors, [vectors.length / NAME_VECTOR_LENGTH, NAME_VECTOR_LENGTH]);
  network["class_names.weight"] = tf.concat([own, more]);
  try {
    return (await evaluate(network, images, config)).scores;
  } finally {
    disposeAll(network, { own, more });
  }
}

/**
 * Measures a class that is added to known ones.
 *
 * @param scored Scores `[N,C]`, and labels: positions in `known`, or its length for the added class.
 * @param known Columns of the known classes' scores. Ties go to them.
 * @param added Column of the added class's score.
 */
export function measureAdded(
  { scores, labels }: Scored,
  known: readonly number[],
  added: number,
): AddedClass {
  const columns = scores.length / labels.length;
  const [inside, outside]: [number[], number[]] = [[], []];
  let [correct, found] = [0, 0];
  for (let image = 0; image < labels.length; image++) {
    const row = scores.subarray(image * columns, (image + 1) * columns);
    const isNew = labels[image] === known.length;
    const isRight = argMax([...known, added].map((column) => row[column])) === labels[image];
    correct += Number(isRight);
    found += Number(isRight && isNew);
    (isNew ? inside : outside).push(row[added]);
  }
  return {
    newAccuracy: found / inside.length,
    allAccuracy: correct / labels.length,
    auroc: auroc(inside, outside),
  };
}

/** Means over seeds of a measure, a value per class, and what its own name gives beyond another vector. */
export function summariseNames(rows: readonly NameRow[], measure: keyof AddedClass) {
  const classes = CLASS_NAMES.filter((name) => rows.some((row) => row.class === name));
  const values = (vector: VectorKind) =>
    classes.map((name) =>
      mean(rows.filter((row) => row.vector === vector && row.class === name).map((row) => row[measure]))
    );
  const gain = (vector: VectorKind) => {
    const others = values(vector);
    return meanIntervalOrNone(values("name").map((value, at) => value - others[at]));
  };
  return { classes, values, mean: (vector: VectorKind) => mean(values(vector)), gain };
}

function formatNames(rows: readonly NameRow[]): string {
  const [found, all, separated] = MEASURES.map((measure) => summariseNames(rows, measure));
  const kinds = Object.keys(VECTORS) as VectorKind[];
  const seeds = new Set(rows.map(({ seed }) => seed)).size;
  return [
    markdownTable([
      [
        "vector of the new class",
        "accuracy on it (%)",
        "accuracy on all (%)",
        "AUROC",
        "AUROC by its own name, minus this",
      ],
      ...kinds.map((kind) => [
        VECTORS[kind],
        ...[found, all].map(({ values }) => formatSpread(meanInterval(values(kind)), 1, 100)),
        formatSpread(meanInterval(separated.values(kind)), 3),
        kind === "name" || kind === "trained" ? "–" : formatInterval(separated.gain(kind), 3),
      ]),
    ], { align: ["l", "r", "r", "r", "r"] }),
    "",
    `- A network learns ${
      CLASS_NAMES.length - 1
    } classes; the other one's filter is then generated from a vector alone. ` +
    `± is the standard deviation over the classes (n = ${separated.classes.length}), each the mean of ${seeds} ${
      seeds === 1 ? "seed" : "seeds"
    }; an interval is 95 %, Student's t over the classes.`,
    `- Other words: ${
      OTHER_WORDS.join(", ")
    } (CIFAR-100's first classes by the alphabet). Their row, and that of as many ` +
    "random vectors of the same length, is the mean over them.",
    "- AUROC: how often an image of the new class scores higher for it than an image of another class; 0.5 is chance. " +
    "Chance for the accuracies is 10 %. The nearest known name scores as that class does and loses ties, so its accuracies are also those of " +
    "a network without the new class.",
  ].join("\n");
}
