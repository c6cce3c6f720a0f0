import * as tf from "../tensorflow/runtime/tf.ts";
import { crossEntropy } from "../tensorflow/operations/cross_entropy.ts";
import { forward, type ForwardOptions } from "../model/network.ts";
import type { Execution, NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { clipGradients, type Optimizer, type Rates, updateParameters } from "./optimizer.ts";

/** Settings of a training step other than the optimizer. */
export interface StepSettings extends NetworkSpec, Partial<Execution> {
  /** Label smoothing, [0, 1). */
  labelSmoothing: number;
  /** Clip gradients to this global L2 norm; null does not. */
  clipNorm: number | null;
  /** Kind of values in a batch. @default "images" */
  input?: ForwardOptions["input"];
}

/** Tensors of a training, which a step replaces. */
export interface TrainState {
  /** Parameters that the optimizer updates, by name. */
  trainable: StateDict;
  /** The network's other tensors: running statistics and frozen parameters. */
  fixed: StateDict;
  /** The optimizer's state, as `<parameter>.<slot>`. */
  slots: StateDict;
}

export interface TensorBatch {
  /** Normalised images `[B,32,32,3]`, or a frozen backbone's features of them `[B,8,8,64]`. */
  images: tf.Tensor4D;
  /** Labels `[B]`, int32. */
  labels: tf.Tensor1D;
}

/** Result of a step: new tensors only. */
export interface StepResult {
  trainable: StateDict;
  /** Running statistics updated by the batch. */
  statistics: StateDict;
  slots: StateDict;
  /** Mean loss over the batch before the step, a scalar. */
  loss: tf.Scalar;
  /** Correct predictions in the batch before the step, a scalar. */
  correct: tf.Scalar;
}

/**
 * Takes one training step: forward, backward, update.
 *
 * A pure function of tensors, so that it compiles to one graph. Wrap it in `tf.tidy` to run it eagerly.
 *
 * @param rates From {@linkcode Optimizer.rates}.
 */
export function trainStep(
  settings: StepSettings,
  optimizer: Optimizer,
  state: TrainState,
  batch: TensorBatch,
  rates: Rates,
): StepResult {
  const { gradients, ...rest } = computeGradients(settings, state, batch);
  const values = Object.values(gradients);
  const clipped = settings.clipNorm === null ? values : clipGradients(values, settings.clipNorm);
  const before = { parameters: state.trainable, slots: state.slots };
  const { parameters: trainable, slots } = updateParameters(optimizer, before, clipped, rates);
  return { trainable, slots, ...rest };
}

/** Computes the gradient of the loss for each trainable parameter, and the forward pass's other results. */
export function computeGradients(
  settings: StepSettings,
  { trainable, fixed }: Pick<TrainState, "trainable" | "fixed">,
  { images, labels }: TensorBatch,
): Pick<StepResult, "statistics" | "loss" | "correct"> & { gradients: StateDict } {
  const names = Object.keys(trainable);
  let statistics: StateDict = {};
  let correct!: tf.Scalar;
  const { value: loss, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const tensors = { ...fixed, ...Object.fromEntries(names.map((name, index) => [name, values[index]])) };
    const outputs = forward(tensors, images, { ...settings, mode: "train" });
    statistics = outputs.statistics; // outlive the tidy: see normaliseBatch
    correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(outputs.scores, 1), labels), "int32")));
    return crossEntropy(outputs.scores, labels, settings.labelSmoothing);
  })(Object.values(trainable));
  const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index]]));
  return { gradients, statistics, loss: loss as tf.Scalar, correct };
}
