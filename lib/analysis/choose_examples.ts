import { splitRows } from "../support/arrays.ts";
import { argMax } from "../support/statistics.ts";

export interface ChooseOptions {
  /** Scores `[N,K]`. */
  scores: Float32Array;
  /** True classes `[N]`. */
  labels: ArrayLike<number>;
  /** Maximum number of correct examples, each of another class. @default 5 */
  correct?: number;
  /** Maximum number of misclassified examples. @default 1 */
  wrong?: number;
}

/**
 * Chooses images by a fixed rule, the first ones in the set, so that the choice is not biased towards the
 * network.
 *
 * @returns Positions: `first` of all correct ones, −1 for none; `correct`, the first of each class; `wrong`.
 */
export function chooseExamples(
  { scores, labels, correct: most = 5, wrong: mostWrong = 1 }: ChooseOptions,
) {
  const predicted = predictClasses(scores, labels.length);
  const indices = predicted.map((_, index) => index);
  const right = indices.filter((index) => predicted[index] === labels[index]);
  const seen = new Set<number>();
  const correct = right.filter((index) => !seen.has(labels[index]) && seen.add(labels[index]));
  return {
    first: right[0] ?? -1,
    correct: correct.slice(0, most),
    wrong: indices.filter((index) => predicted[index] !== labels[index]).slice(0, mostWrong),
  };
}

/** The class with the highest score for each of `images` images, from scores `[N,K]`. */
export function predictClasses(scores: Float32Array, images: number): number[] {
  return splitRows(scores, images).map(argMax);
}

/** The class with the second-highest score. */
export function runnerUp(scores: ArrayLike<number>): number {
  const predicted = argMax(scores);
  return argMax(Array.from(scores, (score, index) => index === predicted ? -Infinity : score));
}
