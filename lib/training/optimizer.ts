import * as tf from "../tensorflow/runtime/tf.ts";
import { addDecay, nesterovStep, type ParameterState } from "../tensorflow/operations/nesterov.ts";
import type { TrainConfig } from "./config.ts";
import { LAB } from "./options.ts";
import { isKernel3x3, MUON_MOMENTUM, muonStep } from "./muon.ts";

/** Learning rate and other hyperparameters of a step, as tensors: numbers would be constants of the graph. */
export type Rates = Record<string, tf.Scalar>;

/** Update rule of a parameter by its gradient: a pure function, whose state goes in and comes out. */
export interface Optimizer {
  /** Names of its state tensors per parameter, which start at zero. */
  readonly slots: readonly string[];
  /** Returns the hyperparameters of a step for {@linkcode Optimizer.update}; `step` is 1 for the first. */
  rates(learningRate: number, step: number): Record<string, number>;
  /** Returns the parameter and its slots after the step. */
  update(
    parameter: tf.Tensor,
    gradient: tf.Tensor,
    slots: tf.Tensor[],
    rates: Rates,
  ): { parameter: tf.Tensor; slots: tf.Tensor[] };
}

/** The optimizer's part of a configuration. */
export type OptimizerConfig =
  & Pick<TrainConfig, "optimizer" | "momentum" | "weightDecay" | "decoupledWeightDecay">
  & Partial<Pick<TrainConfig, "kernelRate">>;

/** An optimizer without its state's names. */
export type Rule = Omit<Optimizer, "slots">;

/** Creates the optimizer of a configuration. Weight decay is added to the gradient unless decoupled. */
export function createOptimizer(config: OptimizerConfig): Optimizer {
  const { optimizer, kernelRate = LAB.kernelRate } = config;
  const rule = createRule(config);
  return { slots: slotNames(config), ...optimizer === "muon" ? muonForKernels(rule, kernelRate) : rule };
}

/** Muon for 3×3 kernels at a multiple of the learning rate, and another rule for the other parameters. */
function muonForKernels(others: Rule, factor: number): Rule {
  const muon = withMomentum((state, gradient, learningRate) =>
    muonStep(state, gradient, { learningRate, momentum: MUON_MOMENTUM })
  );
  return {
    rates: (learningRate, step) => ({
      ...others.rates(learningRate, step),
      kernelRate: factor * learningRate,
    }),
    update: (parameter, gradient, slots, { kernelRate, ...rates }) =>
      isKernel3x3(parameter)
        ? muon.update(parameter, gradient, slots, { learningRate: kernelRate })
        : others.update(parameter, gradient, slots, rates),
  };
}

function createRule({ optimizer, momentum, weightDecay, decoupledWeightDecay }: OptimizerConfig): Rule {
  const create = (decay: number) =>
    optimizer === "adam"
      ? adam(decay)
      : optimizer === "sgd" && momentum === 0
      ? plainSgd(decay)
      : nesterovSgd(momentum, decay);
  const isDecoupled = decoupledWeightDecay && weightDecay > 0;
  return isDecoupled ? decouple(create(0), weightDecay) : create(weightDecay);
}

/** Returns the names of an optimizer's state tensors per parameter. */
export function slotNames(
  { optimizer, momentum }: Pick<OptimizerConfig, "optimizer" | "momentum">,
): readonly string[] {
  if (optimizer === "adam") return ["m", "v"];
  return optimizer === "sgd" && momentum === 0 ? [] : ["momentum"];
}

/** Decouples weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101): `torch.optim.AdamW`. */
function decouple(rule: Rule, weightDecay: number): Rule {
  return {
    rates: (learningRate, step) => ({
      ...rule.rates(learningRate, step),
      shrink: 1 - learningRate * weightDecay,
    }),
    update: (parameter, gradient, slots, rates) =>
      rule.update(tf.mul(parameter, rates.shrink), gradient, slots, rates),
  };
}

/** Stochastic gradient descent: `torch.optim.SGD`. */
function plainSgd(weightDecay: number): Rule {
  return {
    rates: (learningRate) => ({ learningRate }),
    update: (parameter, gradient, _slots, { learningRate }) => ({
      parameter: tf.sub(parameter, tf.mul(addDecay(gradient, parameter, weightDecay), learningRate)),
      slots: [],
    }),
  };
}

/** … with Nesterov momentum (Sutskever et al. 2013): `torch.optim.SGD(nesterov=True)`. */
function nesterovSgd(momentum: number, weightDecay: number): Rule {
  return withMomentum((state, gradient, learningRate) =>
    nesterovStep(state, gradient, { learningRate, momentum, weightDecay })
  );
}

/** A rule whose state is a momentum buffer. */
function withMomentum(
  step: (state: ParameterState, gradient: tf.Tensor, learningRate: tf.Scalar) => ParameterState,
): Rule {
  return {
    rates: (learningRate) => ({ learningRate }),
    update: (parameter, gradient, [momentumBuffer], { learningRate }) => {
      const next = step({ parameter, momentumBuffer }, gradient, learningRate);
      return { parameter: next.parameter, slots: [next.momentumBuffer] };
    },
  };
}

const BETA_1 = 0.9, BETA_2 = 0.999, ADAM_EPSILON = 1e-8;

/** Adam (Kingma and Ba 2015, arXiv:1412.6980): `torch.optim.Adam`, with bias corrections in float64. */
function adam(weightDecay: number): Rule {
  return {
    rates: (learningRate, step) => ({
      stepSize: learningRate / (1 - BETA_1 ** step),
      correction: 1 / Math.sqrt(1 - BETA_2 ** step),
    }),
    update: (parameter, gradient, [m, v], { stepSize, correction }) => {
      const slope = addDecay(gradient, parameter, weightDecay);
      const mean = tf.add(tf.mul(m, BETA_1), tf.mul(slope, 1 - BETA_1));
      const square = tf.add(tf.mul(v, BETA_2), tf.mul(tf.square(slope), 1 - BETA_2));
      const scale = tf.add(tf.mul(tf.sqrt(square), correction), ADAM_EPSILON);
      return { parameter: tf.sub(parameter, tf.mul(tf.div(mean, scale), stepSize)), slots: [mean, square] };
    },
  };
}

/** Creates an optimizer's initial state, zeros as `<parameter>.<slot>`. */
export function createSlots(
  optimizer: Optimizer,
  parameters: Record<string, tf.Tensor>,
): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, parameter]) =>
      optimizer.slots.map((slot) => [`${name}.${slot}`, tf.zerosLike(parameter)])
    ),
  );
}

/** Makes tensors of the hyperparameters of a step. */
export function toRates(numbers: Record<string, number>): Rates {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, tf.scalar(value)]));
}

/** Parameters, and an optimizer's state as `<parameter>.<slot>`. */
export interface Optimized {
  parameters: Record<string, tf.Tensor>;
  slots: Record<string, tf.Tensor>;
}

/**
 * Updates parameters by their gradients.
 *
 * @param gradients In the order of the parameters.
 * @returns New tensors only.
 */
export function updateParameters(
  optimizer: Optimizer,
  { parameters, slots }: Optimized,
  gradients: readonly tf.Tensor[],
  rates: Rates,
): Optimized {
  const result: Optimized = { parameters: {}, slots: {} };
  Object.entries(parameters).forEach(([name, parameter], index) => {
    const own = optimizer.slots.map((slot) => slots[`${name}.${slot}`]);
    const updated = optimizer.update(parameter, gradients[index], own, rates);
    result.parameters[name] = updated.parameter;
    optimizer.slots.forEach((slot, k) => result.slots[`${name}.${slot}`] = updated.slots[k]);
  });
  return result;
}

/**
 * Clips gradients to a global L2 norm, as `torch.nn.utils.clip_grad_norm_` does.
 *
 * @param limit Largest L2 norm over all of them.
 */
export function clipGradients(gradients: tf.Tensor[], limit: number): tf.Tensor[] {
  const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))));
  const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
  return gradients.map((gradient) => tf.mul(gradient, factor));
}
