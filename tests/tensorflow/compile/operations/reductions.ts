import * as tf from "../../../../lib/tensorflow/runtime/tf.ts";
import { rows } from "./table.ts";

/** Reductions and related operations. */
export const reductions = [
  ...rows((samples) => [samples.unit<tf.Rank.R2>(4, 6)], {
    sum: (x) => tf.sum(x),
    "sum of rows": (x) => tf.sum(x, 1),
    "sum of rows, kept": (x) => tf.sum(x, 1, true),
    mean: (x) => tf.mean(x),
    "mean of columns": (x) => tf.mean(x, 0),
    prod: (x) => tf.prod(x, 1),
    max: (x) => tf.max(x, 1),
    min: (x) => tf.min(x, 0),
    argMax: (x) => tf.argMax(x, 1),
    argMin: (x) => tf.argMin(x, 0),
    logSumExp: (x) => tf.logSumExp(x, 1),
    cumsum: (x) => tf.cumsum(x, 1),
    "cumsum backwards": (x) => tf.cumsum(x, 0, true, true),
    cumprod: (x) => tf.cumprod(x, 1),
    moments: (x) => ({ ...tf.moments(x, [0]) }),
    norm: (x) => [tf.norm(x), tf.norm(x, 1), tf.norm(x, 2, 1, true)],
    softmax: (x) => tf.softmax(x),
    logSoftmax: (x) => tf.logSoftmax(x),
    topk: (x) => ({ ...tf.topk(x, 2) }),
    euclideanNorm: (x) => tf.euclideanNorm(x, 1),
  }),
  ...rows((samples) => [samples.whole<tf.Rank.R2>(9, 2, 3)], {
    "int32 sum": (x) => tf.sum(x, 1),
    "int32 mean": (x) => tf.mean(x),
    "int32 max": (x) => tf.max(x),
    "int32 prod": (x) => tf.prod(x),
    "int32 cumsum": (x) => tf.cumsum(x, 1),
  }),
  ...rows((samples) => [samples.flags<tf.Rank.R2>(3, 4)], {
    all: (x) => tf.all(x, 0),
    any: (x) => tf.any(x, 1),
    "bool sum": (x) => tf.sum(x),
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R2>(6, 3), samples.whole<tf.Rank.R1>(3, 6)], {
    unsortedSegmentSum: (x, segments) => tf.unsortedSegmentSum(x, segments, 3),
    bincount: (_, values) => tf.bincount(values, tf.tensor1d([]), 3),
    confusionMatrix: (_, values) => tf.math.confusionMatrix(values, tf.reverse(values), 3),
  }),
  ...rows((samples) => [samples.unit<tf.Rank.R2>(4, 6), samples.unit<tf.Rank.R2>(4, 6)], {
    absoluteDifference: (x, y) => tf.losses.absoluteDifference(x, y),
    cosineDistance: (x, y) => tf.losses.cosineDistance(x, y, 1),
    hingeLoss: (x, y) => tf.losses.hingeLoss(tf.round(x), y),
    huberLoss: (x, y) => tf.losses.huberLoss(x, y),
    logLoss: (x, y) => tf.losses.logLoss(x, y),
    meanSquaredError: (x, y) => tf.losses.meanSquaredError(x, y),
    sigmoidCrossEntropy: (x, y) => tf.losses.sigmoidCrossEntropy(x, y),
    softmaxCrossEntropy: (x, y) => tf.losses.softmaxCrossEntropy(x, y),
    "weighted loss": (x, y) => tf.losses.meanSquaredError(x, y, tf.slice(y, [0, 0], [4, 1])),
  }),
];
