/**
 * What scores are worth, computed from the scores of all images at once.
 *
 * @module
 */

import { argMax } from "../support/statistics.ts";

/** Scores of a set of images, and the right answers. */
export interface Scored {
  /** Unnormalised scores `[N,K]`, row by row. */
  scores: Float32Array;
  /** Right classes `[N]`. */
  labels: ArrayLike<number>;
}

/** Measures of a network on a set of images. */
export interface Metrics {
  /** Mean cross-entropy in nats. */
  loss: number;
  /** Share of right answers, 0–1. */
  accuracy: number;
  /** Share of right answers within each class, 0–1; `null` where the set has none of that class. */
  perClass: (number | null)[];
  /** How often class `row` was taken for class `column`. */
  confusion: number[][];
}

/** Measures scores `[N,K]` against the right answers. Of equal scores the first counts as the answer. */
export function measure({ scores, labels }: Scored): Metrics {
  const images = labels.length;
  const classes = scores.length / images;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  for (let image = 0; image < images; image++) {
    const row = scores.subarray(image * classes, (image + 1) * classes);
    confusion[labels[image]][argMax(row)]++;
    loss += crossEntropyOf(row, labels[image]);
  }
  const right = confusion.map((row, label) => row[label]);
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  return {
    loss: loss / images,
    accuracy: right.reduce((sum, count) => sum + count, 0) / images,
    perClass: right.map((count, label) => totals[label] === 0 ? null : count / totals[label]),
    confusion,
  };
}

/** −log softmax(scores)[label], in nats. */
function crossEntropyOf(scores: ArrayLike<number>, label: number): number {
  const largest = scores[argMax(scores)];
  let sum = 0;
  for (let index = 0; index < scores.length; index++) sum += Math.exp(scores[index] - largest);
  return Math.log(sum) + largest - scores[label];
}
