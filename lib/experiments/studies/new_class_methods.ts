import {
  addClass,
  type ExtractedFeatures,
  extractFeatures,
  fit,
  LEARNING_RATES,
  type LearningImages,
  learnVector,
  nearestClass,
  poolByClass,
  scoreFeatures,
  scoreFilters,
  scoreVector,
  vectorOf,
} from "../../analysis/new_class.ts";
import { createScorer } from "../../analysis/scorer.ts";
import { type Dataset, type Datasets, IMAGE_BYTES, selectImages } from "../../data/dataset.ts";
import { normaliseImages } from "../../data/normalise.ts";
import { normaliseRows } from "../../model/filters.ts";
import { forward } from "../../model/network.ts";
import { CHANNELS, type NetworkSpec } from "../../model/spec.ts";
import { disposeAll, type StateDict } from "../../model/state_dict.ts";
import { splitRows } from "../../support/arrays.ts";
import { createRandom } from "../../support/random.ts";
import { argMax } from "../../support/statistics.ts";
import * as tf from "../../tensorflow/runtime/tf.ts";
import { makeTensors, type StoredTensors } from "../../training/checkpoint.ts";

/** Ways to a filter for a class that the network was not trained on, and to that class without one. */
export const NEW_CLASS_METHODS = [
  ...["embedding", "free filter", "imprinted", "imprinted difference", "nearest class"] as const,
  ...["head retrained", "all ten trained", "nine trained"] as const,
];

/** A way to a new class. */
export type NewClassMethod = typeof NEW_CLASS_METHODS[number];

/** Accuracies after learning a new class, 0–1. */
export interface NewClassAccuracy {
  /** On its test images, among all scores. */
  newClass: number;
  /** On the other classes' test images, among all scores. */
  others: number;
  /** On all test images. */
  all: number;
}

/** A method that has learned from so many images of the new class. */
export interface MethodResult extends NewClassAccuracy {
  method: NewClassMethod;
  images: number;
}

export interface CompareMethodsOptions {
  /** All images: those of the new class have the last label. */
  datasets: Datasets;
  /** Numbers of images of the new class to learn from; all of them are one more. */
  counts: readonly number[];
  /** Images of each known class to learn from. */
  knownImages: number;
  /** Seed of the choice of images and of the batches. */
  seed: number;
  /** Throws to stop between two methods. */
  onPause(): void;
}

/**
 * Learns a class that a network does not know in several ways, from the same images and the same batches, and
 * tests each.
 *
 * @param network A network `dynamic` of the other classes.
 */
export async function compareMethods(
  network: StoredTensors,
  spec: NetworkSpec,
  options: CompareMethodsOptions,
): Promise<MethodResult[]> {
  const { datasets: { train, test }, counts, knownImages, seed, onPause } = options;
  const tensors = makeTensors(network);
  const known = network.get("class_embeddings.weight")!.shape[0];
  const chosen = chooseImages(train, known, knownImages, seed);
  const seen = await extractFeatures(tensors, spec, selectImages(train, chosen));
  const tested = await extractFeatures(tensors, spec, test);
  const pools = poolByClass(seen.labels, known + 1);
  const own = pools[known];
  const results: MethodResult[] = [{ method: "nine trained", images: 0, ...judge(tested, null) }];
  for (const count of [...counts.filter((count) => count < own.length), own.length]) {
    const images: LearningImages = { seen, pools: [...pools.slice(0, known), own.slice(0, count)], seed };
    const add = (method: NewClassMethod, accuracy: NewClassAccuracy) =>
      results.push({ method, images: count, ...accuracy });
    for (const [method, kind] of [["embedding", "embedding"], ["free filter", "filter"]] as const) {
      onPause();
      const vector = await learnVector(tensors, spec, kind, images);
      const { features } = tested;
      add(method, judge(tested, await scoreVector(tensors, spec, kind, { features, vector })));
      if (kind === "embedding") await requireSameScores(network, addClass(network, vector), spec, test);
    }
    onPause();
    for (const method of ["imprinted", "imprinted difference"] as const) {
      const filter = imprint(images, method === "imprinted difference");
      const score = ({ features }: ExtractedFeatures) => scoreFilters(tensors, spec, features, filter);
      const shift = method === "imprinted" ? 0 : fitShift(images, await score(seen));
      add(method, judge(tested, (await score(tested)).map((value) => value + shift)));
      filter.dispose();
    }
    const nearest = nearestClass(images);
    const copied = Float32Array.from(tested.labels, (_, image) => tested.scores[image * known + nearest]);
    add("nearest class", judge(tested, copied));
    onPause();
    add("head retrained", await retrainHead(tensors, spec, images, tested));
  }
  disposeAll(tensors);
  return results;
}

const CHOICE = 0x63686f69; // domain constant: an independent random stream for the same seed

/** Chooses so many images of each known class and all of the new one, in random order. */
function chooseImages({ labels }: Dataset, known: number, perClass: number, seed: number): number[] {
  const order = Uint32Array.from(labels.keys());
  createRandom(CHOICE, seed).shuffle(order);
  const left = new Array<number>(known).fill(perClass);
  return [...order].filter((image) => labels[image] === known || left[labels[image]]-- > 0);
}

/**
 * Computes accuracies among the known classes' scores and the new class's `[N]`, or without the latter. Where
 * the new class's score equals the highest one, the image counts half for each.
 */
function judge({ scores, labels }: ExtractedFeatures, added: Float32Array | null): NewClassAccuracy {
  const known = scores.length / labels.length;
  const [correct, total] = [[0, 0], [0, 0]];
  splitRows(scores, labels.length).forEach((row, image) => {
    const label = labels[image];
    const best = argMax(row);
    const difference = added === null ? -1 : added[image] - row[best];
    const share = difference > 0 ? 1 : difference === 0 ? 0.5 : 0; // of the new class
    const isNew = Number(label === known);
    total[isNew]++;
    correct[isNew] += isNew ? share : best === label ? 1 - share : 0;
  });
  const [others, newClass] = correct.map((count, at) => count / total[at]);
  return { newClass, others, all: (correct[0] + correct[1]) / (total[0] + total[1]) };
}

/**
 * Imprints a filter: the normalised mean of the new class's feature maps over images and positions (Qi, Brown
 * and Lowe 2018, arXiv:1712.07136). As a stronger opponent, what it has more than the mean of the known
 * classes.
 */
function imprint({ seen: { features, labels }, pools }: LearningImages, isDifference: boolean): tf.Tensor2D {
  const length = features.length / labels.length;
  const average = (pool: readonly number[]) => {
    const sums = new Float64Array(CHANNELS);
    for (const image of pool) {
      for (let at = 0; at < length; at++) sums[at % CHANNELS] += features[image * length + at];
    }
    const norm = Math.hypot(...sums);
    return sums.map((sum) => sum / norm);
  };
  const own = average(pools.at(-1)!);
  const known = average(pools.slice(0, -1).flat());
  const direction = own.map((value, channel) => isDifference ? value - known[channel] : value);
  return tf.tidy(() => normaliseRows(tf.tensor2d(Float32Array.from(direction), [1, CHANNELS])));
}

/**
 * Fits a number that is added to the new class's scores `[N]`, by the cross-entropy with all classes of equal
 * weight: what learning calibrates by itself.
 */
function fitShift({ seen: { scores, labels }, pools }: LearningImages, added: Float32Array): number {
  const rows = splitRows(scores, labels.length);
  const margins = added.map((score, image) => {
    const row = rows[image];
    const largest = row[argMax(row)];
    return score - largest - Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
  const slope = (shift: number) =>
    pools.reduce(
      (sum, pool) =>
        sum + pool.reduce((sum, image) => sum + 1 / (1 + Math.exp(-margins[image] - shift)), 0) / pool.length,
      -1,
    );
  let [low, high] = [-1e3, 1e3];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  return low;
}

/** Trains all that follows the feature map again, with one class more: the known scores change. */
async function retrainHead(
  tensors: StateDict,
  spec: NetworkSpec,
  images: LearningImages,
  tested: ExtractedFeatures,
): Promise<NewClassAccuracy> {
  const isHead = (name: string) => !/^(backbone|adapter)\./.test(name);
  const start = tf.tidy(() => {
    const copies = Object.entries(tensors).filter(([name]) => isHead(name))
      .map(([name, tensor]) => [name, tf.clone(tensor)]);
    const embeddings = tensors["class_embeddings.weight"];
    const added = vectorOf(tensors, spec, "embedding", nearestClass(images));
    return { ...Object.fromEntries(copies), "class_embeddings.weight": tf.concat([embeddings, added]) };
  });
  const fixed = Object.fromEntries(Object.entries(tensors).filter(([name]) => !isHead(name)));
  const head = await fit({
    start,
    fixed,
    learningRate: LEARNING_RATES.head,
    images,
    score: (parameters, fixed, { v }) =>
      forward({ ...fixed, ...parameters }, v, { ...spec, input: "features", mode: "evaluate" }).scores,
  });
  const scores = await scoreFeatures({ ...tensors, ...head }, spec, tested.features);
  disposeAll(head);
  const classes = scores.length / tested.labels.length;
  const known = scores.filter((_, at) => at % classes < classes - 1);
  return judge({ ...tested, scores: known }, scores.filter((_, at) => at % classes === classes - 1));
}

/** @throws {Error} If a class more has changed a bit of the others' scores. */
async function requireSameScores(
  before: StoredTensors,
  after: StoredTensors,
  spec: NetworkSpec,
  test: Dataset,
): Promise<void> {
  const images = normaliseImages(test.images.subarray(0, 250 * IMAGE_BYTES));
  const score = async (network: StoredTensors) => {
    const tensors = makeTensors(network);
    const scorer = createScorer(tensors, spec);
    const { scores } = await scorer.ask(images);
    scorer.dispose();
    disposeAll(tensors);
    return scores;
  };
  const [old, all] = [await score(before), await score(after)];
  const classes = all.length / (images.length / IMAGE_BYTES);
  const kept = all.filter((_, at) => at % classes < classes - 1);
  if (!kept.every((value, at) => Object.is(value, old[at]))) {
    throw new Error("A class more has changed the scores of the known classes.");
  }
}
