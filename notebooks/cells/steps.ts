import { batches } from "../../lib/data/batches.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import type { StepLosses } from "../../lib/figures/step_losses.ts";
import { createNetwork, type CreateNetworkOptions } from "../../lib/model/create_network.ts";
import { disposeAll, type StateDict } from "../../lib/model/state_dict.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { createOptimizer, createSlots, toRates } from "../../lib/training/optimizer.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { createStepper } from "../../lib/training/stepper.ts";
import type { TensorBatch } from "../../lib/training/train_step.ts";

/** Starts the library's training step by step, on tensors of its own. */
export function createTrainer(config: TrainConfig, network: StateDict) {
  const optimizer = createOptimizer(config);
  const { trainable, fixed } = splitState(
    Object.fromEntries(Object.entries(network).map(([name, tensor]) => [name, tf.clone(tensor)])),
    config,
  );
  const state = { trainable, fixed, slots: createSlots(optimizer, trainable) };
  const stepper = createStepper({ settings: config, optimizer, state, compile: config.compile });
  let steps = 0;
  return {
    /** Takes a step; returns the loss before it. */
    async step(batch: TensorBatch, learningRate: number): Promise<number> {
      const rates = toRates(optimizer.rates(learningRate, ++steps));
      const { loss, correct } = stepper.advance(batch, rates);
      const [value] = await loss.data();
      tf.dispose([loss, correct, rates]);
      return value;
    },
    /** The trained parameters as they are now, by name. */
    parameters(): StateDict {
      stepper.settle();
      return state.trainable;
    },
    [Symbol.dispose]() {
      stepper.dispose();
      disposeAll(state.trainable, state.fixed, state.slots);
    },
  };
}

export interface SweepOptions extends CreateNetworkOptions {
  /** Learning rates of the first and of the last step. */
  from: number;
  to: number;
}

/**
 * Learning-rate range test (Smith 2017, arXiv:1506.01186): trains a new network for one epoch, whose learning
 * rate rises by the same factor from step to step. It ends where the loss is four times the lowest.
 */
export async function sweepLearningRate(
  config: TrainConfig,
  dataset: Dataset,
  { from, to, ...start }: SweepOptions,
): Promise<StepLosses> {
  const network = createNetwork(config, start);
  using trainer = createTrainer(config, network);
  disposeAll(network);
  const steps = Math.ceil(dataset.labels.length / config.batchSize);
  const losses: number[] = [];
  const learningRates: number[] = [];
  const order = { ...config, seed: start.seed, shuffle: true };
  for (const { values, shape, labels } of batches(dataset, order)) {
    const batch = { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
    const learningRate = from * (to / from) ** (losses.length / (steps - 1));
    const loss = await trainer.step(batch, learningRate);
    tf.dispose([batch.images, batch.labels]);
    if (!(loss < 4 * Math.min(...losses, Infinity))) break;
    losses.push(loss);
    learningRates.push(learningRate);
  }
  return { losses, learningRates };
}
