import * as tf from "../runtime/tf.ts";
import { executeMany, floatAttribute } from "../runtime/binding.ts";
import { canUseKernels } from "../runtime/kernels.ts";

/** A parameter and its momentum buffer, of one shape. */
export interface ParameterState {
  /** Value of the parameter. */
  parameter: tf.Tensor;
  /** Momentum buffer. */
  momentumBuffer: tf.Tensor;
}

/** Adds weight decay (L2) to a gradient: the gradient of the loss plus weightDecay / 2 · ‖parameter‖². */
export function addDecay(gradient: tf.Tensor, parameter: tf.Tensor, weightDecay: number): tf.Tensor {
  return weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
}

/**
 * Takes a step of gradient descent with Nesterov's momentum, as `torch.optim.SGD(nesterov=True)`: on the CPU
 * one operation, which reads and writes each number once.
 *
 * @param weightDecay Factor of the parameter that is added to the gradient (L2).
 */
export function nesterovStep(
  { parameter, momentumBuffer }: ParameterState,
  gradient: tf.Tensor,
  { learningRate, momentum, weightDecay }: { learningRate: tf.Scalar; momentum: number; weightDecay: number },
): ParameterState {
  for (const { shape } of [gradient, momentumBuffer]) tf.util.assertShapesMatch(shape, parameter.shape);
  if (canUseKernels()) {
    const attributes = [floatAttribute("momentum", momentum), floatAttribute("weight_decay", weightDecay)];
    const inputs = [parameter, gradient, momentumBuffer, learningRate];
    const [moved, next] = executeMany("NesterovStep", attributes, inputs, 2);
    return { parameter: moved, momentumBuffer: next };
  }
  const slope = addDecay(gradient, parameter, weightDecay);
  const next = tf.add(tf.mul(momentumBuffer, momentum), slope);
  const direction = tf.add(slope, tf.mul(next, momentum));
  return { parameter: tf.sub(parameter, tf.mul(direction, learningRate)), momentumBuffer: next };
}
