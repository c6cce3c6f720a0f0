import { splitRows } from "../support/arrays.ts";
import { argMax, softmax } from "../support/statistics.ts";
import type { Scored } from "./evaluate.ts";
import type { Calibration } from "./progress.ts";

/** Share of the correct predictions on held-out images that stay sure. */
export const SURE_SHARE = 0.95;

/** Range of the temperature: at its ends the images say that scores mean nothing, or everything. */
const [LOWEST, HIGHEST] = [1 / 20, 20];

/**
 * Fits the temperature, and sets the threshold below which a prediction is unsure such that
 * {@linkcode SURE_SHARE} of the correct ones stay sure.
 *
 * @param heldOut Scores `[N,K]` of images that the network was not trained on, and their labels.
 */
export function fitCalibration(heldOut: Scored): Calibration {
  const temperature = fitTemperature(heldOut);
  const correct = confidences(heldOut, temperature).filter(({ isCorrect }) => isCorrect)
    .map(({ probability }) => probability).sort((one, other) => one - other);
  const threshold = correct[Math.floor((1 - SURE_SHARE) * correct.length)] ?? 1; // none is correct: all unsure
  return { temperature, threshold, images: heldOut.labels.length };
}

/**
 * Fits the temperature that minimises the cross-entropy, which changes no prediction.
 *
 * Source: Guo et al., On calibration of modern neural networks (2017, arXiv:1706.04599).
 */
export function fitTemperature({ scores, labels }: Scored): number {
  const classes = scores.length / labels.length;
  // the cross-entropy is convex in 1 / temperature; this is its derivative
  const slope = (temperature: number) => {
    let slope = 0;
    for (let start = 0; start < scores.length; start += classes) {
      const row = scores.subarray(start, start + classes);
      const largest = row[argMax(row)];
      let [sum, weighted] = [0, 0];
      for (const score of row) {
        const weight = Math.exp((score - largest) / temperature);
        sum += weight;
        weighted += weight * score;
      }
      slope += weighted / sum - row[labels[start / classes]];
    }
    return slope;
  };
  if (slope(1) === 0) return 1; // as from equal scores
  let [low, high] = [LOWEST, HIGHEST];
  for (let turn = 0; turn < 30; turn++) {
    const middle = Math.sqrt(low * high);
    if (slope(middle) > 0) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}

/** A prediction's probability, and whether it is correct. */
export interface Confidence {
  /** 0–1. */
  probability: number;
  /** Class with the highest score. */
  predictedClass: number;
  /** True if the predicted class is the label. */
  isCorrect: boolean;
}

/** Lists the probability of each image's predicted class. */
export function confidences({ scores, labels }: Scored, temperature: number): Confidence[] {
  return splitRows(scores, labels.length).map((row, image) => {
    const predictedClass = argMax(row);
    const probability = softmax(row, temperature)[predictedClass];
    return { probability, predictedClass, isCorrect: predictedClass === labels[image] };
  });
}
