/** A network and its operations as the benchmark times them. */
import { createScorer, type Scorer } from "../lib/analysis/scorer.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import type { NetworkSpec } from "../lib/model/spec.ts";
import { disposeAll, type StateDict } from "../lib/model/state_dict.ts";
import { compile, type Compiled } from "../lib/tensorflow/compile/compile.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";
import { type BatchSource, createImageSource } from "../lib/training/batch_source.ts";
import { resolveConfig, type TrainConfig } from "../lib/training/config.ts";
import { createEvaluator, type Evaluator } from "../lib/training/evaluate.ts";
import { createOptimizer, createSlots, type Optimizer } from "../lib/training/optimizer.ts";
import { joinState, splitState } from "../lib/training/start_training.ts";
import { createStepper, type Stepper } from "../lib/training/stepper.ts";
import { trainEpoch } from "../lib/training/train_epoch.ts";
import { computeGradients, type TensorBatch, type TrainState } from "../lib/training/train_step.ts";

/** Optimizer settings of all rows; `RECIPE` in `pytorch/forms.py` says the same. */
export const RECIPE = { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 };

/** Operations that are timed. The work is complete when the promise resolves. */
export interface Learner extends Disposable {
  /** Trains `count` steps on the same batch; the last loss. */
  step(batch: TensorBatch, count: number): Promise<number>;
  /** Trains on `images` shuffled and augmented images; the mean loss. */
  epoch(dataset: Dataset, batchSize: number, images: number): Promise<number>;
  /** Computes the scores of the same images `count` times; the milliseconds that each time took. */
  score(images: tf.Tensor4D, count: number): Promise<number[]>;
  /** Evaluates loss and accuracy on all images. */
  test(dataset: Dataset, batchSize: number): Promise<{ loss: number; accuracy: number }>;
  /** Computes the loss of a batch and its gradients, which the caller disposes. */
  gradients(batch: TensorBatch): { loss: tf.Scalar; gradients: StateDict };
}

/** The library itself: the functions that training calls. */
export class OwnLearner implements Learner {
  readonly #config: TrainConfig;
  readonly #state: TrainState;
  readonly #optimizer: Optimizer;
  readonly #stepper: Stepper;
  readonly #eager: boolean;
  #scorer: Scorer | null = null;
  readonly #gradients: Compiled<
    (state: TrainState, batch: TensorBatch) => ReturnType<typeof computeGradients>
  >;
  readonly #evaluators = new Map<number, Evaluator>();
  #epochs = 0;

  constructor(row: "ours" | "eager", spec: NetworkSpec, network: StateDict) {
    const eager = row === "eager";
    const config = this.#config = resolveConfig({
      flags: { ...spec, ...RECIPE, compile: !eager, schedule: "constant", epochs: 1 },
    });
    const optimizer = this.#optimizer = createOptimizer(config);
    const own = Object.fromEntries(Object.entries(network).map(([name, tensor]) => [name, tf.clone(tensor)]));
    const { trainable, fixed } = splitState(own, spec);
    this.#state = { trainable, fixed, slots: createSlots(optimizer, trainable) };
    this.#stepper = createStepper({ settings: config, optimizer, state: this.#state, compile: !eager });
    this.#eager = eager;
    this.#gradients = compile(
      (state: TrainState, batch: TensorBatch) => computeGradients(config, state, batch),
      { name: "computeGradients", eager },
    );
  }

  async step(batch: TensorBatch, count: number): Promise<number> {
    this.#forgetScorer();
    const rates = { learningRate: tf.scalar(RECIPE.learningRate) };
    let last: tf.Scalar | null = null;
    for (let done = 0; done < count; done++) {
      const { loss, correct } = this.#stepper.advance(batch, rates);
      tf.dispose([correct, last ?? []]);
      last = loss;
    }
    const [value] = await last!.data();
    tf.dispose([last!, rates.learningRate]);
    return value;
  }

  async epoch(dataset: Dataset, batchSize: number, images: number): Promise<number> {
    this.#forgetScorer();
    const sums = { loss: 0, correct: 0, images: 0, seconds: 0 };
    await trainEpoch({
      config: { ...this.#config, batchSize },
      source: takeImages(createImageSource(dataset), images),
      optimizer: this.#optimizer,
      stepper: this.#stepper,
      progress: { epochs: this.#epochs++, steps: 0, totalSteps: 0, sums, best: null, history: [] },
      observer: {},
      onPause: () => Promise.resolve(true),
    });
    return sums.loss / sums.images;
  }

  async score(images: tf.Tensor4D, count: number): Promise<number[]> {
    const scorer = this.#scorer ??= createScorer(this.#tensors(), { ...this.#config, compile: !this.#eager });
    const values = await images.data() as Float32Array;
    return await timeEach(count, () => scorer.ask(values));
  }

  async test(dataset: Dataset, batchSize: number): Promise<{ loss: number; accuracy: number }> {
    let evaluator = this.#evaluators.get(batchSize);
    if (!evaluator) {
      evaluator = createEvaluator({ ...this.#config, batchSize });
      this.#evaluators.set(batchSize, evaluator);
    }
    const { loss, accuracy } = await evaluator.evaluate(this.#tensors(), createImageSource(dataset));
    return { loss, accuracy };
  }

  /** Returns the network's tensors after the last step. */
  #tensors(): StateDict {
    this.#stepper.settle();
    return joinState(this.#state);
  }

  gradients(batch: TensorBatch): { loss: tf.Scalar; gradients: StateDict } {
    this.#stepper.settle();
    const { loss, gradients, statistics, correct } = this.#gradients(this.#state, batch);
    tf.dispose([Object.values(statistics), correct]);
    return { loss, gradients };
  }

  /** Frees the graph of the weights as they were. */
  #forgetScorer(): void {
    this.#scorer?.dispose();
    this.#scorer = null;
  }

  [Symbol.dispose](): void {
    this.#stepper.dispose();
    this.#forgetScorer();
    this.#gradients.dispose();
    for (const evaluator of this.#evaluators.values()) evaluator.dispose();
    disposeAll(this.#state.trainable, this.#state.fixed, this.#state.slots);
  }
}

/** Does something `count` times, one after the other; the milliseconds that each time took. */
export async function timeEach(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const durations: number[] = [];
  for (let done = 0; done < count; done++) {
    const start = performance.now();
    await work();
    durations.push(performance.now() - start);
  }
  return durations;
}

/** Limits each epoch of a source to about this many images, sampled from the whole set. */
export function takeImages(source: BatchSource, images: number): BatchSource {
  const labels = source.labels.subarray(0, images);
  return {
    ...source,
    labels,
    *batches(options) {
      let left = Math.ceil(labels.length / options.batchSize);
      for (const batch of source.batches(options)) {
        yield batch;
        if (--left <= 0) return;
      }
    },
  };
}
