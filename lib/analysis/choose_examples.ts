import { argMax } from "../support/statistics.ts";

/** Images to show, chosen by rule. */
export interface ChosenExamples {
  /** The first image of the set that is labelled correctly; −1 where none is. */
  first: number;
  /** Correctly labelled images in the set's order, the first one of each class; `first` leads them. */
  correct: number[];
  /** Wrongly labelled images in the set's order. */
  wrong: number[];
}

/** Options of {@linkcode chooseExamples}. */
export interface ChooseOptions {
  /** Scores `[N,K]`. */
  scores: Float32Array;
  /** Right classes `[N]`. */
  labels: ArrayLike<number>;
  /** Correct ones at most, each of another class. @default 5 */
  correct?: number;
  /** Wrong ones at most. @default 1 */
  wrong?: number;
}

/**
 * Chooses images by a rule and not by hand: those that come first in the set. Which ones they are says nothing in favour of the network.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chooseExamples } from "./choose_examples.ts";
 * const scores = Float32Array.of(1, 0, 0, 1, 0, 1); // three images, two classes: the answers are 0, 1, 1
 * assert.deepEqual(chooseExamples({ scores, labels: [1, 1, 1] }), { first: 1, correct: [1], wrong: [0] });
 * ```
 */
export function chooseExamples(
  { scores, labels, correct: most = 5, wrong: mostWrong = 1 }: ChooseOptions,
): ChosenExamples {
  const answers = answersOf(scores, labels.length);
  const indices = answers.map((_, index) => index);
  const right = indices.filter((index) => answers[index] === labels[index]);
  const seen = new Set<number>();
  const correct = right.filter((index) => !seen.has(labels[index]) && seen.add(labels[index]));
  return {
    first: right[0] ?? -1,
    correct: correct.slice(0, most),
    wrong: indices.filter((index) => answers[index] !== labels[index]).slice(0, mostWrong),
  };
}

/** The class with the highest score for each of `images` images, from scores `[N,K]`. */
export function answersOf(scores: Float32Array, images: number): number[] {
  const classes = scores.length / images;
  return Array.from(
    { length: images },
    (_, index) => argMax(scores.subarray(index * classes, (index + 1) * classes)),
  );
}

/** The class with the second-highest score. */
export function runnerUp(scores: ArrayLike<number>): number {
  const winner = argMax(scores);
  return argMax(Array.from(scores, (score, index) => index === winner ? -Infinity : score));
}
