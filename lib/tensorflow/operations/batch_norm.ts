/** Batch normalisation as `torch.nn.BatchNorm2d` computes it (Ioffe and Szegedy 2015, arXiv:1502.03167). */
import * as tf from "../runtime/tf.ts";
import {
  boolAttribute,
  differentiate,
  executeMany,
  floatAttribute,
  nativeBackend,
  stringAttribute,
  typeAttribute,
} from "../runtime/binding.ts";
import { applyEpilogue, type Epilogue } from "./convolution.ts";
import { canUseKernels } from "../runtime/kernels.ts";

/** Added to the variance before the square root: PyTorch's default. */
export const EPSILON = 1e-5;

/** Weight of the batch in the new running statistics (momentum): PyTorch's default. */
export const MOMENTUM = 0.1;

/** The four vectors of a batch normalisation, `[C]` each. */
export interface NormTensors {
  /** Factor of the normalised values. */
  weight: tf.Tensor1D;
  /** Offset added to the scaled values. */
  bias: tf.Tensor1D;
  /** Mean over the batches so far. */
  runningMean: tf.Tensor1D;
  /** Variance over the batches so far. */
  runningVariance: tf.Tensor1D;
}

/** A normalised batch, and the running statistics after it. */
export interface Normalised {
  /** The normalised batch. */
  y: tf.Tensor4D;
  /** Running mean, updated by the batch's. */
  runningMean: tf.Tensor1D;
  /** Running variance, updated by the batch's. */
  runningVariance: tf.Tensor1D;
}

/**
 * Normalises a batch by its own statistics and updates the running ones (variance unbiased, as in PyTorch).
 *
 * The caller owns the new running statistics also inside `tf.tidy` and gradients.
 *
 * @param x Maps `[B,H,W,C]`.
 * @param epilogue y becomes relu(y + shortcut).
 */
export function normaliseBatch(
  x: tf.Tensor4D,
  norm: NormTensors,
  epilogue: Omit<Epilogue, "bias"> = {},
): Normalised {
  for (const vector of [norm.weight, norm.bias, norm.runningMean, norm.runningVariance]) {
    tf.util.assertShapesMatch(vector.shape, x.shape.slice(3), "normaliseBatch: ");
  }
  if (canUseKernels(x.shape[3])) return normaliseWithEpilogue(x, norm, epilogue);
  const { y, ...statistics } = nativeBackend() ? normaliseNatively(x, norm) : normaliseComposed(x, norm);
  return { y: applyEpilogue(y, epilogue), ...statistics };
}

/** Runs the package's own operation, epilogue included. */
function normaliseWithEpilogue(
  x: tf.Tensor4D,
  { weight, bias, runningMean, runningVariance }: NormTensors,
  { shortcut, relu = false }: Omit<Epilogue, "bias">,
): Normalised {
  let statistics: tf.Tensor[] = [];
  const y = differentiate({
    forward: (x, weight, bias, shortcut = tf.zeros([0])) => {
      const attributes = [
        boolAttribute("relu", relu),
        floatAttribute("epsilon", EPSILON),
        floatAttribute("momentum", MOMENTUM),
      ];
      const inputs = [x, weight, bias, runningMean, runningVariance, shortcut];
      const [value, newMean, newVariance, mean, scale] = executeMany("NormaliseBatch", attributes, inputs, 5);
      statistics = [tf.keep(newMean), tf.keep(newVariance)];
      return { value, saved: [x, value, weight, mean, scale] };
    },
    backward: (dy, saved) => {
      const attributes = [boolAttribute("relu", relu)], inputs = [dy, ...saved];
      if (shortcut && relu) return executeMany("NormaliseBatchShortcutGradient", attributes, inputs, 4);
      return [...executeMany("NormaliseBatchGradient", attributes, inputs, 3), ...(shortcut ? [dy] : [])];
    },
  }, [x, weight, bias, ...(shortcut ? [shortcut] : [])]) as tf.Tensor4D;
  const [mean, variance] = statistics as tf.Tensor1D[];
  return { y, runningMean: mean, runningVariance: variance };
}

const ATTRIBUTES = [
  typeAttribute("T", "float32"),
  typeAttribute("U", "float32"),
  floatAttribute("epsilon", EPSILON),
  stringAttribute("data_format", "NHWC"),
  boolAttribute("is_training", true),
];

function normaliseNatively(
  x: tf.Tensor4D,
  { weight, bias, runningMean, runningVariance }: NormTensors,
): Normalised {
  let statistics: tf.Tensor[] = [];
  const y = differentiate({
    forward: (x, weight, bias) => {
      const attributes = [...ATTRIBUTES, floatAttribute("exponential_avg_factor", MOMENTUM)];
      const inputs = [x, weight, bias, runningMean, runningVariance];
      const [value, mean, variance, ...reserved] = executeMany("FusedBatchNormV3", attributes, inputs, 6);
      statistics = [tf.keep(mean), tf.keep(variance)];
      return { value, saved: [x, weight, ...reserved] };
    },
    backward: (dy, saved) => executeMany("FusedBatchNormGradV3", ATTRIBUTES, [dy, ...saved], 5).slice(0, 3),
  }, [x, weight, bias]) as tf.Tensor4D;
  const [mean, variance] = statistics as tf.Tensor1D[];
  return { y, runningMean: mean, runningVariance: variance };
}

function normaliseComposed(
  x: tf.Tensor4D,
  { weight, bias, runningMean, runningVariance }: NormTensors,
): Normalised {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  const count = x.size / x.shape[3];
  const towards = (running: tf.Tensor, batch: tf.Tensor): tf.Tensor1D =>
    tf.keep(tf.add(tf.mul(running, 1 - MOMENTUM), tf.mul(batch, MOMENTUM)));
  return {
    y: tf.batchNorm4d(x, mean as tf.Tensor1D, variance as tf.Tensor1D, bias, weight, EPSILON),
    runningMean: towards(runningMean, mean),
    runningVariance: towards(runningVariance, tf.mul(variance, count / (count - 1))), // unbiased
  };
}

/**
 * Folds a batch normalisation with fixed statistics to y = x · scale + shift, `[C]` each. Scaling a
 * convolution's kernel instead of its output makes the two one convolution.
 */
export function foldNorm(
  { weight, bias, runningMean, runningVariance }: NormTensors,
): { scale: tf.Tensor1D; shift: tf.Tensor1D } {
  const scale = tf.mul<tf.Tensor1D>(weight, tf.rsqrt(tf.add(runningVariance, EPSILON)));
  return { scale, shift: tf.sub(bias, tf.mul(runningMean, scale)) };
}
