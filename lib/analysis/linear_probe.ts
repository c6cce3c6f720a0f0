import { wilsonInterval } from "../support/statistics.ts";
import { CLASSES } from "../model/spec.ts";
import { measure } from "../training/evaluate.ts";
import type { Features } from "./features.ts";
import { applyLinear, collectMoments, solveRidge } from "./ridge.ts";

/** What a linear classifier makes of features. */
export interface Probe {
  /** Share of the test images that it gets right, 0–1, with Wilson's 95 % interval. */
  accuracy: number;
  interval: [number, number];
  /** The same for the images it was fitted to: the distance says how much it overfits. */
  trainAccuracy: number;
  /** The chosen penalty. */
  penalty: number;
  /** Images it was tested on. */
  n: number;
}

/** Penalties that are tried. */
export const PENALTIES: readonly number[] = [1e-3, 1e-2, 1e-1];

/**
 * Fits a linear classifier to features and tests it (a *linear probe*: Alain & Bengio 2016, arXiv:1610.01644): what it gets right can be
 * read off the features by ten weighted sums.
 *
 * The penalty is chosen on the last fifth of the training images; then all are used. The test images choose nothing.
 */
export async function probeFeatures(
  train: Features,
  test: Features,
  penalties: readonly number[] = PENALTIES,
): Promise<Probe> {
  const { length } = train;
  if (test.length !== length) {
    throw new RangeError(`A probe of ${length} features cannot be tested on ${test.length}.`);
  }
  const cut = Math.floor(train.labels.length * 0.8);
  const [inner, outer] = [part(train, 0, cut), part(train, cut)];
  const moments = await collectMoments(inner.values, length, inner.labels, CLASSES);
  const tried = penalties.map((penalty) => accuracyOf(solveRidge(moments, penalty), outer));
  const penalty = penalties[tried.indexOf(Math.max(...tried))];
  const all = await collectMoments(train.values, length, train.labels, CLASSES);
  const classifier = solveRidge(all, penalty);
  const accuracy = accuracyOf(classifier, test);
  const n = test.labels.length;
  return {
    accuracy,
    interval: wilsonInterval(Math.round(accuracy * n), n),
    trainAccuracy: accuracyOf(classifier, train),
    penalty,
    n,
  };
}

function accuracyOf(classifier: Parameters<typeof applyLinear>[0], { values, labels }: Features): number {
  return measure({ scores: applyLinear(classifier, values), labels }).accuracy;
}

function part({ values, length, labels }: Features, from: number, to = labels.length): Features {
  return { values: values.subarray(from * length, to * length), length, labels: labels.subarray(from, to) };
}
