import * as tf from "../runtime/tf.ts";

/** A function of tensors whose gradient is given rather than composed. */
export interface Differentiable {
  /** Computes the value, and what {@linkcode backward} will need of it. */
  forward(...inputs: tf.Tensor[]): { value: tf.Tensor; saved: tf.Tensor[] };
  /** Gradients of the inputs, in their order, from the gradient `dy` of the value. */
  backward(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[];
}

/** Applies `rule` to `inputs`; a typed `tf.customGrad`. */
export function differentiate(rule: Differentiable, inputs: tf.Tensor[]): tf.Tensor {
  const withGradient = tf.customGrad((...received: Array<tf.Tensor | tf.GradSaveFunc>) => {
    const save = received.pop() as tf.GradSaveFunc;
    const { value, saved } = rule.forward(...received as tf.Tensor[]);
    save(saved);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => rule.backward(dy, kept) };
  });
  return withGradient(...inputs);
}
