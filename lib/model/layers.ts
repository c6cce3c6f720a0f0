/** Layers of the network. Each reads its tensors from a {@linkcode ForwardContext} by PyTorch's names. */
import * as tf from "../tensorflow/runtime/tf.ts";
import {
  foldNorm,
  normaliseBatch,
  type Normalised,
  type NormTensors,
} from "../tensorflow/operations/batch_norm.ts";
import type { Convolution, Epilogue } from "../tensorflow/operations/convolution.ts";
import { addBias, matMul } from "../tensorflow/operations/dense.ts";
import { normaliseStem, runStem } from "../tensorflow/operations/stem.ts";
import type { StridedLayers } from "../tensorflow/operations/strided.ts";
import type { StateDict } from "./state_dict.ts";

/** State of one forward pass: the tensors it reads, and the running statistics it updates. */
export interface ForwardContext {
  /** Parameters and running statistics. */
  tensors: StateDict;
  /** Number of classes that a score of all of them is broadcast to. */
  classes: number;
  /** Running statistics updated by this batch. */
  statistics: StateDict;
  /** True if this batch normalisation uses the batch's statistics and updates the running ones. */
  learnsStatistics(name: string): boolean;
  /** Implementation of the layers with stride 2: layer by layer, or the whole stem as one operation. */
  strided: StridedLayers | "fused";
  /** Implementation of 3×3 convolutions. */
  convolve3x3: Convolution;
}

/**
 * A convolution without bias and its batch normalisation (`torch.nn.Conv2d`, `torch.nn.BatchNorm2d`).
 *
 * Where the statistics are fixed the two are one convolution with a scaled kernel and a bias.
 *
 * @param convName Names the kernel: `<convName>.weight`.
 * @param normName Names `<normName>.weight`, `.bias`, `.running_mean` and `.running_var`.
 * @param epilogue Shortcut to add, and whether a ReLU follows.
 */
export function convolveAndNormalise(
  context: ForwardContext,
  x: tf.Tensor4D,
  convolve: Convolution,
  convName: string,
  normName: string,
  epilogue: Omit<Epilogue, "bias">,
): tf.Tensor4D {
  const kernel = context.tensors[`${convName}.weight`] as tf.Tensor4D;
  const norm = readNorm(context, normName);
  if (!context.learnsStatistics(normName)) {
    const { scale, shift } = foldNorm(norm);
    return convolve(x, tf.mul(kernel, scale), { bias: shift, ...epilogue });
  }
  return keepStatistics(context, normName, normaliseBatch(convolve(x, kernel), norm, epilogue));
}

/** The stem as one operation, see {@linkcode canFuseStem}: images `[B,32,32,3]` to `[B,8,8,64]`. */
export function fusedStem(
  context: ForwardContext,
  images: tf.Tensor4D,
  convName: string,
  normName: string,
): tf.Tensor4D {
  const kernel = context.tensors[`${convName}.weight`] as tf.Tensor4D;
  const norm = readNorm(context, normName);
  if (!context.learnsStatistics(normName)) {
    const { scale, shift } = foldNorm(norm);
    return runStem(images, tf.mul(kernel, scale), shift);
  }
  return keepStatistics(context, normName, normaliseStem(images, kernel, norm));
}

function readNorm({ tensors }: ForwardContext, name: string): NormTensors {
  return {
    weight: tensors[`${name}.weight`] as tf.Tensor1D,
    bias: tensors[`${name}.bias`] as tf.Tensor1D,
    runningMean: tensors[`${name}.running_mean`] as tf.Tensor1D,
    runningVariance: tensors[`${name}.running_var`] as tf.Tensor1D,
  };
}

function keepStatistics(
  context: ForwardContext,
  name: string,
  { y, runningMean, runningVariance }: Normalised,
): tf.Tensor4D {
  context.statistics[`${name}.running_mean`] = runningMean;
  context.statistics[`${name}.running_var`] = runningVariance;
  return y;
}

/**
 * Fully connected layer (`torch.nn.Linear`) on `[N,in]`, by `<name>.weight` `[out,in]` and `.bias` `[out]`.
 */
export function linear({ tensors }: ForwardContext, x: tf.Tensor2D, name: string): tf.Tensor2D {
  const product = matMul(x, tensors[`${name}.weight`] as tf.Tensor2D, false, true);
  return addBias(product, tensors[`${name}.bias`] as tf.Tensor1D);
}
