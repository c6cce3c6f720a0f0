/**
 * The stem of a residual network as one operation: a 7×7 convolution with stride 2, batch normalisation, ReLU
 * and 3×3 max-pooling with stride 2, with PyTorch's padding (He et al. 2016, arXiv:1512.03385).
 *
 * It computes the convolution by minimal filtering, with a quarter of the multiplications
 * (`kernels/vectors/stem.cc`), and pools before it normalises, so that the maps of full size are written once
 * and read once, for the kernel's gradient.
 */
import * as tf from "../runtime/tf.ts";
import { differentiate, execute, executeMany, floatAttribute } from "../runtime/binding.ts";
import { canUseKernels } from "../runtime/kernels.ts";
import { EPSILON, MOMENTUM, type Normalised, type NormTensors } from "./batch_norm.ts";

/** Largest number of an image's channels. */
const IMAGE_CHANNELS = 4;

/** Tells whether the stem's operations can be used for a kernel `[7,7,C,K]`. */
export function canFuseStem([H, W, C, K]: number[]): boolean {
  return H === 7 && W === 7 && C <= IMAGE_CHANNELS && canUseKernels(K);
}

/**
 * Runs the stem with batch normalisation by the batch's own statistics, as `normaliseBatch`.
 *
 * Has gradients for the kernel and the normalisation's weight and bias, none for the images.
 *
 * @param images `[B,H,W,C]`, C at most 4.
 * @param kernel `[7,7,C,K]`, K a multiple of 16.
 * @returns y `[B,⌈H/4⌉,⌈W/4⌉,K]`.
 */
export function normaliseStem(images: tf.Tensor4D, kernel: tf.Tensor4D, norm: NormTensors): Normalised {
  const { weight, bias, runningMean, runningVariance } = norm;
  let statistics: tf.Tensor[] = [];
  const y = differentiate({
    forward: (kernel, weight, bias) => {
      const attributes = [floatAttribute("epsilon", EPSILON), floatAttribute("momentum", MOMENTUM)];
      const inputs = [images, kernel, weight, bias, runningMean, runningVariance];
      const [y, maxima, x, newMean, newVariance, mean, scale] = executeMany("Stem", attributes, inputs, 7);
      statistics = [tf.keep(newMean), tf.keep(newVariance)];
      return { value: y, saved: [images, x, maxima, y, weight, mean, scale] };
    },
    backward: (dy, [images, x, maxima, y, weight, mean, scale]) => {
      const [dWeight, dBias] = executeMany("StemNormGradient", [], [dy, y, maxima, mean, scale], 2);
      const inputs = [images, x, maxima, dy, y, weight, mean, scale, dWeight, dBias];
      return [execute("StemKernelGradient", [], inputs), dWeight, dBias];
    },
  }, [kernel, weight, bias]) as tf.Tensor4D;
  const [mean, variance] = statistics as tf.Tensor1D[];
  return { y, runningMean: mean, runningVariance: variance };
}

/**
 * Runs the stem where a normalisation by fixed statistics is part of the kernel and the bias `[K]`. Has no
 * gradients.
 */
export function runStem(images: tf.Tensor4D, kernel: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D {
  return execute("StemFused", [], [images, kernel, bias]) as tf.Tensor4D;
}
