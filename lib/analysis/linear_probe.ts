import { wilsonInterval } from "../support/statistics.ts";
import { measure } from "../training/evaluate.ts";
import type { Features } from "./features.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

/** Accuracy of a linear classifier on features. */
export interface Probe {
  /** Test accuracy, 0–1, with Wilson's 95 % interval. */
  accuracy: number;
  interval: [number, number];
  /** Training accuracy, 0–1, with its interval: the gap shows overfitting. */
  trainAccuracy: number;
  /** The chosen penalty. */
  penalty: number;
  /** Number of test images. */
  n: number;
}

/** Candidate penalties. */
const PENALTIES: readonly number[] = [1e-3, 1e-2, 1e-1];

/**
 * Fits a linear classifier to features and tests it (a *linear probe*: Alain & Bengio 2016,
 * arXiv:1610.01644): its accuracy measures the linear separability of the classes.
 *
 * The penalty is chosen on the last fifth of the training images; then all are used. The test images are
 * used only for the result.
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
  const classes = 1 + [...train.labels, ...test.labels].reduce((most, label) => Math.max(most, label));
  const cut = Math.floor(train.labels.length * 0.8);
  const [inner, outer] = [part(train, 0, cut), part(train, cut)];
  const moments = await collectMoments(inner.values, length, inner.labels, classes);
  const tried = penalties.map((penalty) => accuracyOf(solveRidge(moments, penalty), outer));
  const penalty = penalties[tried.indexOf(Math.max(...tried))];
  const all = await collectMoments(train.values, length, train.labels, classes);
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

/** A linear map to one value per class: `x · weights + intercept`. */
export interface LinearClassifier {
  /** `[length,K]` */
  weights: Float64Array;
  intercept: Float64Array;
  /** Number of features. */
  length: number;
  classes: number;
}

/** Sufficient statistics of ridge regression, for any penalty. */
export interface Moments {
  /** Means of the features `[length]`. */
  mean: Float64Array;
  /** Covariance of the features `[length,length]`. */
  covariance: Float64Array;
  /** Covariance of features and targets `[length,K]`. */
  cross: Float64Array;
  /** Frequency of each class `[K]`, 0–1. */
  frequencies: Float64Array;
  length: number;
  classes: number;
}

/**
 * Computes the moments for {@linkcode solveRidge} of standardised features, so that the penalty weighs
 * equally on all.
 *
 * @param values Features `[N,length]`.
 */
export async function collectMoments(
  values: Float32Array,
  length: number,
  labels: Uint8Array,
  classes: number,
): Promise<Moments> {
  const count = labels.length;
  const [mean, covariance, cross, frequencies] = tf.tidy(() => {
    const x = tf.tensor2d(values, [count, length]);
    const y = tf.cast(
      tf.oneHot(tf.tensor1d(Int32Array.from(labels), "int32"), classes),
      "float32",
    ) as tf.Tensor2D;
    const [meanX, meanY] = [tf.mean(x, 0), tf.mean(y, 0)];
    const centred = tf.sub(x, meanX) as tf.Tensor2D;
    const covariance = tf.div(tf.matMul(centred, centred, true), count);
    const cross = tf.div(tf.matMul(centred, tf.sub(y, meanY) as tf.Tensor2D, true), count);
    return [meanX, covariance, cross, meanY];
  });
  try {
    const [m, c, x, s] = await Promise.all(
      [mean, covariance, cross, frequencies].map((tensor) => tensor.data()),
    );
    const [a, b, d, e] = [m, c, x, s].map((data) => Float64Array.from(data));
    return { mean: a, covariance: b, cross: d, frequencies: e, length, classes };
  } finally {
    tf.dispose([mean, covariance, cross, frequencies]);
  }
}

/**
 * Solves ridge regression, (S + λI) B = C for standardised features.
 *
 * @param penalty λ, in units of a feature's variance.
 */
export function solveRidge(moments: Moments, penalty: number): LinearClassifier {
  const { mean, covariance, cross, frequencies, length, classes } = moments;
  const deviation = Float64Array.from(mean, (_, at) => Math.sqrt(covariance[at * length + at]) || 1); // the weight of a dead feature stays 0
  const matrix = covariance.map((value, at) => {
    const [row, column] = [Math.floor(at / length), at % length];
    return value / (deviation[row] * deviation[column]) + (row === column ? penalty : 0);
  });
  const right = cross.map((value, at) => value / deviation[Math.floor(at / classes)]);
  const weights = solveSymmetric(matrix, right, length, classes)
    .map((value, at) => value / deviation[Math.floor(at / classes)]);
  const intercept = frequencies.map((frequency, label) => {
    let sum = frequency;
    for (let at = 0; at < length; at++) sum -= mean[at] * weights[at * classes + label];
    return sum;
  });
  return { weights, intercept, length, classes };
}

/**
 * Solves A X = B for a symmetric, positive definite A by Cholesky's decomposition.
 *
 * @param matrix `[size,size]`; its lower half is read.
 * @param right `[size,columns]`
 * @throws {RangeError} If A is not positive definite.
 */
export function solveSymmetric(
  matrix: Float64Array,
  right: Float64Array,
  size: number,
  columns: number,
): Float64Array {
  const lower = matrix.slice();
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = lower[row * size + column];
      for (let at = 0; at < column; at++) sum -= lower[row * size + at] * lower[column * size + at];
      if (row > column) lower[row * size + column] = sum / lower[column * size + column];
      else if (sum > 0) lower[row * size + row] = Math.sqrt(sum);
      else throw new RangeError("The matrix is not positive definite.");
    }
  }
  const solution = right.slice();
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < size; row++) {
      let sum = solution[row * columns + column];
      for (let at = 0; at < row; at++) sum -= lower[row * size + at] * solution[at * columns + column];
      solution[row * columns + column] = sum / lower[row * size + row];
    }
    for (let row = size - 1; row >= 0; row--) {
      let sum = solution[row * columns + column];
      for (let at = row + 1; at < size; at++) sum -= lower[at * size + row] * solution[at * columns + column];
      solution[row * columns + column] = sum / lower[row * size + row];
    }
  }
  return solution;
}

/** Values of the classes `[N,K]` for features `[N,length]`. */
export function applyLinear(
  { weights, intercept, length, classes }: LinearClassifier,
  values: Float32Array,
): Float32Array {
  const count = values.length / length;
  const result = new Float32Array(count * classes);
  const row = new Float64Array(classes);
  for (let image = 0; image < count; image++) {
    row.set(intercept);
    for (let at = 0; at < length; at++) {
      const value = values[image * length + at];
      if (value === 0) continue;
      for (let label = 0; label < classes; label++) row[label] += value * weights[at * classes + label];
    }
    result.set(row, image * classes);
  }
  return result;
}
