/**
 * The same network written in TensorFlow.js as its guide teaches (https://www.tensorflow.org/js/guide):
 * variables, API operations, `optimizer.minimize`. Of this project it uses only the batches.
 *
 * Where there is a choice it takes the faster way: all ten response maps are one matrix product, and the loss
 * is read late. There is none in two places: on the native runtime `tf.conv2d` and `tf.maxPool` support the
 * paddings "same" and "valid" only, so PyTorch's padding is a `tf.pad`; and optimizers have no weight decay,
 * so it is a term of the loss, as the regularisers of `tf.layers` add it.
 */
import type { Dataset } from "../lib/data/dataset.ts";
import type { NetworkSpec } from "../lib/model/spec.ts";
import { isStatistic, isTrainable, type StateDict } from "../lib/model/state_dict.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";
import { createImageSource } from "../lib/training/batch_source.ts";
import type { TensorBatch } from "../lib/training/train_step.ts";
import { type Learner, RECIPE, takeImages, timeEach } from "./learner.ts";

/** Plain TensorFlow.js; `dynamic` only. */
export class PlainLearner implements Learner {
  readonly #spec: NetworkSpec;
  readonly #variables: Record<string, tf.Variable>;
  readonly #trainable: tf.Variable[];
  readonly #optimizer = tf.train.momentum(RECIPE.learningRate, RECIPE.momentum, true); // Nesterov's
  #epochs = 0;

  constructor(spec: NetworkSpec, network: StateDict) {
    this.#spec = spec;
    this.#variables = Object.fromEntries(
      Object.entries(network).map(([name, tensor]) => [name, tf.variable(tensor, !isStatistic(name))]),
    );
    this.#trainable = Object.entries(this.#variables)
      .filter(([name]) => isTrainable(name, spec.backbone)).map(([, variable]) => variable);
  }

  async step(batch: TensorBatch, count: number): Promise<number> {
    let last: tf.Scalar | null = null;
    for (let done = 0; done < count; done++) {
      last?.dispose();
      last = this.#minimise(batch);
    }
    const [value] = await last!.data();
    last!.dispose();
    return value;
  }

  async epoch(dataset: Dataset, batchSize: number, images: number): Promise<number> {
    const source = takeImages(createImageSource(dataset), images);
    const losses: tf.Scalar[] = [];
    const order = { batchSize, shuffle: true, augment: true, epoch: this.#epochs++ };
    for (const { values, shape, labels } of source.batches(order)) {
      const batch = { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
      losses.push(this.#minimise(batch));
      tf.dispose([batch.images, batch.labels]);
    }
    const mean = tf.tidy(() => tf.mean(tf.stack(losses)));
    const [value] = await mean.data();
    tf.dispose([mean, losses]);
    return value;
  }

  score(images: tf.Tensor4D, count: number): Promise<number[]> {
    return timeEach(count, async () => {
      const scores = tf.tidy(() => this.#forward(images, false));
      await scores.data();
      scores.dispose();
    });
  }

  async test(dataset: Dataset, batchSize: number): Promise<{ loss: number; accuracy: number }> {
    let [loss, hits] = [0, 0];
    for (const { values, shape, labels, size } of createImageSource(dataset).batches({ batchSize })) {
      const results = tf.tidy(() => {
        const expected = tf.tensor1d(labels, "int32");
        const scores = this.#forward(tf.tensor4d(values, shape), false);
        return [crossEntropy(scores, expected), tf.sum(tf.equal(tf.argMax(scores, 1), expected))];
      });
      const [[mean], [correct]] = await Promise.all(results.map((tensor) => tensor.data()));
      loss += mean * size;
      hits += correct;
      tf.dispose(results);
    }
    const all = dataset.labels.length;
    return { loss: loss / all, accuracy: hits / all };
  }

  gradients({ images, labels }: TensorBatch): { loss: tf.Scalar; gradients: StateDict } {
    const { value: loss, grads } = tf.variableGrads(
      () => crossEntropy(this.#forward(images, true), labels),
      this.#trainable,
    );
    const names = Object.entries(this.#variables).filter(([, variable]) =>
      this.#trainable.includes(variable)
    );
    return {
      loss,
      gradients: Object.fromEntries(names.map(([name, variable]) => [name, grads[variable.name]])),
    };
  }

  [Symbol.dispose](): void {
    this.#optimizer.dispose();
    tf.dispose(Object.values(this.#variables));
  }

  #minimise({ images, labels }: TensorBatch): tf.Scalar {
    return this.#optimizer.minimize(
      () => {
        const penalty = tf.addN(this.#trainable.map((variable) => tf.sum(tf.square(variable)))) as tf.Scalar;
        const loss = crossEntropy(this.#forward(images, true), labels);
        return tf.add(loss, tf.mul(penalty, RECIPE.weightDecay / 2)) as tf.Scalar;
      },
      true,
      this.#trainable,
    )!;
  }

  /** Scores `[B,10]` of images `[B,32,32,3]`. */
  #forward(images: tf.Tensor4D, isTraining: boolean): tf.Tensor2D {
    const { backbone, adapter } = this.#spec;
    const updates = isTraining && backbone !== "frozen";
    let x = tf.conv2d(pad(images, 3), this.#kernel("backbone.conv1"), 2, "valid"); // [B,16,16,64]
    x = tf.relu(this.#normalise(x, "backbone.bn1", updates));
    x = tf.maxPool(pad(x, 1), 3, 2, "valid"); // [B,8,8,64]
    for (const name of ["backbone.layer1.0", "backbone.layer1.1"]) {
      let y = tf.conv2d(x, this.#kernel(`${name}.conv1`), 1, "same");
      y = tf.relu(this.#normalise(y, `${name}.bn1`, updates));
      y = tf.conv2d(y, this.#kernel(`${name}.conv2`), 1, "same");
      x = tf.relu(tf.add(x, this.#normalise(y, `${name}.bn2`, updates)));
    }
    if (adapter !== "none") {
      x = tf.conv2d(x, this.#kernel("adapter.0"), 1, "same");
      x = tf.relu(this.#normalise(x, "adapter.1", isTraining));
    }
    const hidden = tf.relu(this.#linear(this.#variables["class_embeddings.weight"], "weights_generator.0"));
    const w = tf.tanh(this.#linear(hidden, "weights_generator.2")); // [10,64]
    const filters = tf.div(tf.div(w, tf.norm(w, 2, 1, true)), 8);
    const responses = tf.matMul(tf.reshape(x, [-1, 64]), filters, false, true); // [B·64,10]
    const maps = tf.transpose(tf.reshape(responses, [-1, 64, 10]), [0, 2, 1]); // [B,10,64]
    const predicted = tf.relu(this.#linear(tf.reshape(maps, [-1, 64]), "score_predictor.0"));
    return tf.reshape(this.#linear(predicted, "score_predictor.2"), [-1, 10]);
  }

  #kernel(name: string): tf.Tensor4D {
    return this.#variables[`${name}.weight`] as unknown as tf.Tensor4D;
  }

  #linear(x: tf.Tensor, name: string): tf.Tensor {
    const product = tf.matMul(x, this.#variables[`${name}.weight`], false, true);
    return tf.add(product, this.#variables[`${name}.bias`]);
  }

  #normalise(x: tf.Tensor4D, name: string, updates: boolean): tf.Tensor4D {
    const [scale, offset, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((part) =>
      this.#variables[`${name}.${part}`]
    ) as unknown as tf.Tensor1D[];
    if (!updates) return tf.batchNorm4d(x, mean, variance, offset, scale, 1e-5);
    const batch = tf.moments(x, [0, 1, 2]);
    const count = x.size / x.shape[3];
    updateRunning(mean, batch.mean);
    updateRunning(variance, tf.mul(batch.variance, count / (count - 1)));
    return tf.batchNorm4d(x, batch.mean as tf.Tensor1D, batch.variance as tf.Tensor1D, offset, scale, 1e-5);
  }
}

function crossEntropy(scores: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 10), scores);
}

function pad(x: tf.Tensor4D, pixels: number): tf.Tensor4D {
  return tf.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]]);
}

/** Updates a running statistic, a variable, by the batch's. */
function updateRunning(running: tf.Tensor, batch: tf.Tensor): void {
  (running as tf.Variable).assign(tf.add(tf.mul(running, 0.9), tf.mul(batch, 0.1)));
}
