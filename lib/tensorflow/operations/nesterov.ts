import * as tf from "../runtime/tf.ts";
import { executeMany, floatAttribute } from "../runtime/binding.ts";
import { canUseKernels } from "../runtime/kernels.ts";

/** A parameter and what moves it, all of one shape. */
export interface ParameterState {
  /** What is learned. */
  parameter: tf.Tensor;
  /** The running sum of gradients. */
  velocity: tf.Tensor;
}

/** The gradient of a loss to which the parameter's square, times half the decay, was added (L2). */
export function addDecay(gradient: tf.Tensor, parameter: tf.Tensor, weightDecay: number): tf.Tensor {
  return weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
}

/**
 * A step of gradient descent with Nesterov's momentum, as `torch.optim.SGD(nesterov=True)` takes it: on the
 * CPU one operation, which reads and writes each number once.
 *
 * @param weightDecay Share of the parameter that is added to the gradient.
 */
export function nesterovStep(
  { parameter, velocity }: ParameterState,
  gradient: tf.Tensor,
  { learningRate, momentum, weightDecay }: { learningRate: tf.Scalar; momentum: number; weightDecay: number },
): ParameterState {
  if (canUseKernels()) {
    const attributes = [floatAttribute("momentum", momentum), floatAttribute("weight_decay", weightDecay)];
    const inputs = [parameter, gradient, velocity, learningRate];
    const [moved, next] = executeMany("NesterovStep", attributes, inputs, 2);
    return { parameter: moved, velocity: next };
  }
  const slope = addDecay(gradient, parameter, weightDecay);
  const next = tf.add(tf.mul(velocity, momentum), slope);
  const direction = tf.add(slope, tf.mul(next, momentum));
  return { parameter: tf.sub(parameter, tf.mul(direction, learningRate)), velocity: next };
}
