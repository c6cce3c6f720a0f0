/**
 * Our side and plain TensorFlow.js under test: answers the commands of `process.ts`, one JSON line each.
 *
 *     deno run -A bench/serve.ts auto|cpu|gpu
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { join } from "@std/path";
import { batches } from "../lib/data/batches.ts";
import { type Dataset, IMAGE_BYTES } from "../lib/data/dataset.ts";
import { loadDatasets } from "../lib/data/load_datasets.ts";
import { createNetwork } from "../lib/model/create_network.ts";
import { loadPretrained } from "../lib/model/pretrained.ts";
import type { NetworkSpec } from "../lib/model/spec.ts";
import { disposeAll, fromPyTorch, toPyTorch } from "../lib/model/state_dict.ts";
import { InputError } from "../lib/support/errors.ts";
import { mean } from "../lib/support/statistics.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../lib/support/safetensors.ts";
import { type NativeTensorFlow, useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime/installation.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";
import { createImageSource } from "../lib/training/batch_source.ts";
import type { TensorBatch } from "../lib/training/train_step.ts";
import { type Learner, OwnLearner, takeImages } from "./learner.ts";
import { PlainLearner } from "./plain_tfjs.ts";
import type {
  Command,
  LearnerOptions,
  LoadCommand,
  OwnCommand,
  OwnDescription,
  Prepared,
  Timing,
} from "./process.ts";
import { quantile } from "./rounds.ts";
import { measureOverhead, type Overhead, profileOperations, type StepProfile } from "./profile.ts";

const DYNAMIC: NetworkSpec = { variant: "dynamic", backbone: "trainable", adapter: "none" };

// few images per batch: in a large batch some pre-activation is so close to 0 that rounding flips its ReLU,
// in PyTorch too
const CHECKED_IMAGES = 16;
const CHECKED_BATCHES = 3;

type Question = Command | OwnCommand;

/** Arguments of a command. */
type Of<Name> = Extract<Question, { command: Name }>;

/** Answers each command by the method of its name. */
class Server implements Record<Question["command"], (question: never) => object | Promise<object>> {
  readonly #runtime: NativeTensorFlow;
  #state = new Map<string, StoredTensor>();
  #train!: Dataset;
  #test!: Dataset;
  readonly #learners = new Map<string, Learner>();
  readonly #batches = new Map<number, TensorBatch>();

  constructor(runtime: NativeTensorFlow) {
    this.#runtime = runtime;
  }

  describe(): OwnDescription {
    const { device, version, threads } = this.#runtime;
    return { device, tensorflow: version, tfjs: tf.version_core, deno: Deno.version.deno, threads };
  }

  /** Writes the network and the batches that all rows start from. */
  async prepare({ folder, data, weights }: Of<"prepare">): Promise<Prepared> {
    const datasets = await loadDatasets({ data });
    const { tensors, name } = await loadPretrained({ weights });
    const network = createNetwork(DYNAMIC, { pretrained: tensors });
    const state = new Map<string, StoredTensor>();
    for (const [name, tensor] of Object.entries(network)) state.set(name, await toPyTorch(tensor));
    disposeAll(network);
    const files = { state: join(folder, "state.safetensors"), batches: [] as string[] };
    writeSafetensors(files.state, state, {});
    const order = { batchSize: CHECKED_IMAGES, shuffle: true, augment: true };
    for (const { values, shape, labels, size } of batches(datasets.train, order).take(CHECKED_BATCHES)) {
      const file = join(folder, `batch_${files.batches.length}.safetensors`);
      const stored = { images: { shape, data: values }, labels: { shape: [size], data: labels } };
      writeSafetensors(file, new Map(Object.entries(stored)), {});
      files.batches.push(file);
    }
    return {
      ...files,
      data: datasets.source.path,
      dataName: datasets.train.name,
      weightsName: name,
      images: datasets.train.labels.length,
    };
  }

  async load({ state, data, images }: LoadCommand): Promise<object> {
    this.#state = (await readSafetensors(state)).tensors;
    const { train, test } = await loadDatasets({ data: data ?? "synthetic" });
    this.#train = {
      ...train,
      images: train.images.subarray(0, images * IMAGE_BYTES),
      labels: train.labels.subarray(0, images),
    };
    this.#test = test;
    return { images: this.#train.labels.length, testImages: test.labels.length };
  }

  #learner({ form, backbone = "trainable", adapter = "none" }: Omit<LearnerOptions, "batchSize">): Learner {
    const key = [form, backbone, adapter].join();
    const learner = this.#learners.get(key) ?? this.#createLearner(form, { ...DYNAMIC, backbone, adapter });
    this.#learners.set(key, learner);
    return learner;
  }

  #createLearner(form: string, spec: NetworkSpec): Learner {
    const random = createNetwork(spec); // the adapter is initialised at random, everything else is loaded
    const given = Object.fromEntries([...this.#state].map(([name, tensor]) => [name, fromPyTorch(tensor)]));
    try {
      const network = { ...random, ...given };
      if (form === "plain") return new PlainLearner(spec, network);
      if (form === "ours" || form === "eager") return new OwnLearner(form, spec, network);
      throw new Error(`There is no row ${form}.`);
    } finally {
      disposeAll(random, given);
    }
  }

  /** Returns the first images of the training set. */
  #batch(size: number): TensorBatch {
    let batch = this.#batches.get(size);
    if (!batch) {
      const [{ values, shape, labels }] = createImageSource(this.#train).batches({ batchSize: size });
      batch = { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
      this.#batches.set(size, batch);
    }
    return batch;
  }

  step(question: Of<"step">): Promise<Timing> {
    const [learner, batch] = [this.#learner(question), this.#batch(question.batchSize)];
    return time(question.count, async () => ({ loss: await learner.step(batch, question.count) }));
  }

  epoch(question: Of<"epoch">): Promise<Timing> {
    const learner = this.#learner(question);
    const images = Math.min(question.images, this.#train.labels.length);
    const { batchSize } = question;
    return time(1, async () => ({ loss: await learner.epoch(this.#train, batchSize, images), images }));
  }

  async evaluate({ form, batchSize, count }: Of<"evaluate">): Promise<Timing> {
    const durations = await this.#learner({ form }).score(this.#batch(batchSize).images, count);
    return { milliseconds: mean(durations), percentile99: quantile(durations, 0.99) };
  }

  test({ form, batchSize }: Of<"test">): Promise<Timing> {
    const [learner, test] = [this.#learner({ form }), this.#test];
    return time(1, async () => ({ ...await learner.test(test, batchSize), images: test.labels.length }));
  }

  /** Creates an epoch's batches without training. */
  batches({ batchSize, images }: Of<"batches">): Promise<Timing> {
    const source = takeImages(createImageSource(this.#train), images);
    return time(1, () => {
      let seen = 0;
      for (const { size } of source.batches({ batchSize, shuffle: true, augment: true })) seen += size;
      return Promise.resolve({ images: seen });
    });
  }

  async gradients({ form, batch, out }: Of<"gradients">): Promise<object> {
    const { tensors } = await readSafetensors(batch);
    const { shape, data } = tensors.get("images")!;
    const images = tf.tensor4d(data as Float32Array, shape as [number, number, number, number]);
    const labels = tf.tensor1d(tensors.get("labels")!.data as Int32Array, "int32");
    const { loss, gradients } = this.#learner({ form }).gradients({ images, labels });
    const stored = new Map<string, StoredTensor>();
    for (const [name, gradient] of Object.entries(gradients)) {
      stored.set(`gradient.${name}`, await toPyTorch(gradient));
    }
    writeSafetensors(out, stored, {});
    tf.dispose([images, labels, loss, Object.values(gradients)]);
    return {};
  }

  async overhead({ form, batchSize, count }: Omit<Of<"overhead">, "command">): Promise<Overhead> {
    using learner = this.#createLearner(form, DYNAMIC);
    return await measureOverhead((count) => learner.step(this.#batch(batchSize), count), count);
  }

  async profile({ batchSize, count }: Of<"profile">): Promise<StepProfile> {
    using learner = this.#createLearner("eager", DYNAMIC);
    const operations = await profileOperations((count) => learner.step(this.#batch(batchSize), count), count);
    const compiled = await this.overhead({ form: "ours", batchSize, count });
    return { batchSize, steps: count, ...operations, compiled };
  }
}

async function time<T extends object>(count: number, work: () => Promise<T>): Promise<T & Timing> {
  const start = performance.now();
  const result = await work();
  return { milliseconds: (performance.now() - start) / count, ...result };
}

async function main(device: DeviceChoice): Promise<void> {
  const runtime = await useNativeTensorFlow({ device }).catch((error) => {
    console.error((error as Error).message); // the benchmark passes the last line on
    Deno.exit(1);
  });
  const server = new Server(runtime);
  for await (const line of createInterface({ input: process.stdin })) {
    let answer: object;
    try {
      const question: Question = JSON.parse(line);
      answer = await server[question.command](question as never);
    } catch (error) { // the benchmark decides what a failure means
      const isInput = error instanceof InputError;
      answer = { error: isInput ? error.message : String(error), isInput };
    }
    console.log(JSON.stringify(answer));
  }
}

if (import.meta.main) await main(Deno.args[0] as DeviceChoice);
