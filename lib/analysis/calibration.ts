import { createRandom } from "../support/random.ts";
import { mean, type MeanInterval } from "../support/statistics.ts";
import { type Confidence, confidences } from "../training/calibration.ts";
import type { Scored } from "../training/evaluate.ts";
import type { Calibration } from "../training/progress.ts";

/** Probability of a prediction, and whether it is correct. */
export type Outcome = Pick<Confidence, "probability" | "isCorrect">;

/** Number of bins, as in Guo et al. (2017). */
export const CALIBRATION_BINS = 15;

/** Groups predictions by their probability: the bins of a reliability diagram; NaN where one is empty. */
export function reliabilityBins(predictions: readonly Outcome[]) {
  const bins = Array.from({ length: CALIBRATION_BINS }, (): Outcome[] => []);
  for (const prediction of predictions) bins[binOf(prediction)].push(prediction);
  return bins.map((members) => ({
    n: members.length,
    probability: mean(members.map(({ probability }) => probability)),
    accuracy: mean(members.map(({ isCorrect }) => Number(isCorrect))),
  }));
}

function binOf({ probability }: Outcome): number {
  return Math.min(CALIBRATION_BINS - 1, Math.floor(CALIBRATION_BINS * probability));
}

const RESAMPLES = 1000;
const RESAMPLE = 0x65636521; // domain constant: an independent random stream for the same seed

/**
 * Computes the expected calibration error: the gap between probability and accuracy, averaged over the bins
 * by their numbers of predictions. Source: Guo et al. (2017, arXiv:1706.04599), after Naeini et al. (2015).
 *
 * Its 95 % interval is the basic bootstrap's (Davison & Hinkley 1997), which subtracts the bias: resampling
 * adds noise, and noise can only raise the error.
 */
export function calibrationError(predictions: readonly Outcome[]): MeanInterval {
  const n = predictions.length;
  const bins = predictions.map(binOf);
  // probability minus correctness: the sum over a bin is its gap
  const gaps = predictions.map(({ probability, isCorrect }) => probability - Number(isCorrect));
  const errorOf = (choose: (index: number) => number) => {
    const sums = new Float64Array(CALIBRATION_BINS);
    for (let index = 0; index < n; index++) {
      const chosen = choose(index);
      sums[bins[chosen]] += gaps[chosen];
    }
    return sums.reduce((total, sum) => total + Math.abs(sum), 0) / n;
  };
  const error = errorOf((index) => index);
  const resampled = Array.from({ length: RESAMPLES }, (_, turn) => {
    const random = createRandom(RESAMPLE, turn);
    return errorOf(() => random.integer(n));
  }).sort((one, other) => one - other);
  const at = (quantile: number) => Math.max(0, 2 * error - resampled[Math.round(quantile * (RESAMPLES - 1))]);
  const centre = mean(resampled);
  const deviation = Math.sqrt(mean(resampled.map((value) => (value - centre) ** 2)));
  return { n, mean: error, deviation, interval: [at(0.975), at(0.025)] };
}

/** Numbers of predictions by correctness and sureness. */
export interface SurenessCounts {
  correct: number;
  /** Correct predictions called unsure. */
  correctUnsure: number;
  wrong: number;
  /** Wrong predictions called sure. */
  wrongSure: number;
}

/** Counts the errors of a threshold below which predictions are unsure. */
export function countSureness(predictions: readonly Outcome[], threshold: number): SurenessCounts {
  const correct = predictions.filter(({ isCorrect }) => isCorrect);
  const wrong = predictions.filter(({ isCorrect }) => !isCorrect);
  return {
    correct: correct.length,
    correctUnsure: correct.filter(({ probability }) => probability < threshold).length,
    wrong: wrong.length,
    wrongSure: wrong.filter(({ probability }) => probability >= threshold).length,
  };
}

/** Calibration of a network as measured on images that it was not fitted to. */
export interface CalibrationReport {
  /** Expected calibration error of the plain softmax. */
  uncalibrated: MeanInterval;
  /** The same with the fitted temperature, and the errors of the threshold; null where none was fitted. */
  calibrated: Calibration & { error: MeanInterval; sureness: SurenessCounts } | null;
}

export function measureCalibration(scored: Scored, calibration: Calibration | null): CalibrationReport {
  const uncalibrated = calibrationError(confidences(scored, 1));
  if (calibration === null) return { uncalibrated, calibrated: null };
  const predictions = confidences(scored, calibration.temperature);
  const sureness = countSureness(predictions, calibration.threshold);
  return {
    uncalibrated,
    calibrated: { ...calibration, error: calibrationError(predictions), sureness },
  };
}
