import * as tf from "../tensorflow/runtime/tf.ts";
import { crossEntropy } from "../tensorflow/operations/cross_entropy.ts";
import { forward, type ForwardOptions } from "../model/network.ts";
import type { Execution, NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { clipGradients, type Optimizer, type Rates } from "./optimizer.ts";

/** What a training step is to do, beside the rule that moves the parameters. */
export interface StepSettings extends NetworkSpec, Partial<Execution> {
  /** Share of the target spread over all classes. */
  labelSmoothing: number;
  /** Longest gradient let through, or null. */
  clipNorm: number | null;
  /** What a batch holds. @default "images" */
  input?: ForwardOptions["input"];
}

/** A training's tensors, which a step replaces. */
export interface TrainState {
  /** Parameters that the optimizer moves, by name. */
  trainable: StateDict;
  /** The network's other tensors: running statistics, and parameters that are frozen. */
  fixed: StateDict;
  /** The optimizer's, as `<parameter>.<slot>`. */
  slots: StateDict;
}

/** A batch as tensors. */
export interface TensorBatch {
  /** Normalised images `[B,32,32,3]`, or the frozen backbone's features of them `[B,8,8,64]`. */
  images: tf.Tensor4D;
  /** Right classes `[B]`, int32. */
  labels: tf.Tensor1D;
}

/** What a step leaves: only tensors that it made anew. */
export interface StepResult {
  trainable: StateDict;
  /** Running statistics that the batch moved. */
  statistics: StateDict;
  slots: StateDict;
  /** Mean loss over the batch before the step, a scalar. */
  loss: tf.Scalar;
  /** Right answers in the batch before the step, a scalar. */
  correct: tf.Scalar;
}

/**
 * One step of training: forward, backward, update.
 *
 * A pure function of tensors, so that it can be run as one graph. Run as it is, it wants a `tf.tidy` around it.
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
  const names = Object.keys(state.trainable);
  const values = Object.values(gradients);
  const clipped = settings.clipNorm === null ? values : clipGradients(values, settings.clipNorm);
  const result: StepResult = { trainable: {}, slots: {}, ...rest };
  names.forEach((name, index) => {
    const slots = optimizer.slots.map((slot) => state.slots[`${name}.${slot}`]);
    const updated = optimizer.update(state.trainable[name], clipped[index], slots, rates);
    result.trainable[name] = updated.parameter;
    optimizer.slots.forEach((slot, k) => result.slots[`${name}.${slot}`] = updated.slots[k]);
  });
  return result;
}

/** The gradient of the loss for each trainable parameter, and what the forward pass left. */
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
    statistics = outputs.statistics; // theirs to keep: see normaliseBatch
    correct = tf.keep(tf.sum(tf.cast(tf.equal(tf.argMax(outputs.scores, 1), labels), "int32")));
    return crossEntropy(outputs.scores, labels, settings.labelSmoothing);
  })(Object.values(trainable));
  const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index]]));
  return { gradients, statistics, loss: loss as tf.Scalar, correct };
}
