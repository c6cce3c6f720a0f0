/**
 * TensorFlow's native runtime for TensorFlow.js in Deno: current TensorFlow, CUDA 12, functions compiled to
 * graphs, and any of TensorFlow's operations with a custom gradient. `./setup` installs it; README.md
 * explains it.
 *
 * @example
 * ```ts
 * import { compile, tf, useNativeTensorFlow } from "@dynamic-filters/tensorflow";
 *
 * const { device, version } = await useNativeTensorFlow();
 * console.log(`TensorFlow ${version} on ${device}`);
 * const norm = compile((x: tf.Tensor) => tf.sqrt(tf.sum(tf.square(x))));
 * console.log(await norm(tf.tensor1d([3, 4])).data()); // 5
 * ```
 *
 * @module
 */
export * as tf from "./runtime/tf.ts";
export { type NativeOptions, type NativeTensorFlow, useNativeTensorFlow } from "./runtime/native.ts";
export { type DeviceChoice, tensorflowFolder } from "./runtime/installation.ts";
export { CompileError, TensorFlowError, type TensorFlowErrorCode, type TensorFlowProblem } from "./errors.ts";
export {
  type AnyFunction,
  compile,
  type Compiled,
  type CompileOptions,
  type CompileStatistics,
  type GraphStatistics,
} from "./compile/compile.ts";
export { keepState, type KeepStateOptions, type StateKeeper } from "./compile/keep_state.ts";
export {
  type Attribute,
  boolAttribute,
  type DataTypeName,
  type Differentiable,
  differentiate,
  DTYPE,
  execute,
  executeMany,
  floatAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  typeAttribute,
} from "./runtime/binding.ts";
export { openSummaryWriter, type SummaryWriter } from "./runtime/summary_writer.ts";
export { addBias, matMul, relu } from "./operations/dense.ts";
export { foldNorm, normaliseBatch, type Normalised, type NormTensors } from "./operations/batch_norm.ts";
export { crossEntropy } from "./operations/cross_entropy.ts";
export {
  applyEpilogue,
  type Convolution,
  convolve3x3Direct,
  convolve3x3Winograd,
  type Epilogue,
} from "./operations/convolution.ts";
export { nesterovStep, type ParameterState } from "./operations/nesterov.ts";
export type { StridedLayers } from "./operations/strided.ts";
