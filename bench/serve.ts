/**
 * Ours and plain TensorFlow.js as the bench times them: answers commands as `pytorch/peer.py` does.
 *
 *     deno run -A bench/serve.ts auto|cpu|gpu
 *
 * @module
 */
import { type Dataset, IMAGE_BYTES } from "../lib/data/dataset.ts";
import { loadDatasets } from "../lib/data/load_datasets.ts";
import { InputError } from "../lib/support/errors.ts";
import { createNetwork } from "../lib/model/create_network.ts";
import type { NetworkSpec } from "../lib/model/spec.ts";
import { disposeAll, fromPyTorch, toPyTorch } from "../lib/model/state_dict.ts";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../lib/support/safetensors.ts";
import { type NativeTensorFlow, useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime/runtime.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";
import { createImageSource } from "../lib/training/batch_source.ts";
import type { TensorBatch } from "../lib/training/train_step.ts";
import { createOwnLearner, type Learner, OWN_FORMS, takeImages } from "./learner.ts";
import { createPlainLearner } from "./plain_tfjs.ts";
import { prepare } from "./prepare.ts";
import { readLines } from "./process.ts";
import {
  countStepFlops,
  measureMatMul,
  partCompiled,
  type Parted,
  profileOperations,
  type StepProfile,
} from "./profile.ts";
import type { Command, Learning, OwnCommand, OwnDescription, Timed } from "./protocol.ts";

/** The row of plain TensorFlow.js. */
const PLAIN = "plain";

const DYNAMIC: NetworkSpec = { variant: "dynamic", backbone: "trainable", adapter: "none" };

/** A command's own arguments. */
type Of<Name> = Extract<Command | OwnCommand, { command: Name }>;

class Server {
  readonly #runtime: NativeTensorFlow;
  #state = new Map<string, StoredTensor>();
  #train: Dataset | null = null;
  #test: Dataset | null = null;
  readonly #learners = new Map<string, Learner>();
  readonly #batches = new Map<number, TensorBatch>();

  constructor(runtime: NativeTensorFlow) {
    this.#runtime = runtime;
  }

  answer(question: Command | OwnCommand): object | Promise<object> {
    switch (question.command) {
      case "describe":
        return this.#describe();
      case "prepare":
        return prepare(DYNAMIC, question);
      case "load":
        return this.#load(question);
      case "step":
        return this.#time(question.count, () => this.#step(question));
      case "epoch":
        return this.#epoch(question);
      case "evaluate":
        return this.#evaluate(question);
      case "test":
        return this.#testAll(question);
      case "gradients":
        return this.#gradients(question);
      case "batches":
        return this.#batchesAlone(question);
      case "javascript":
        return this.#partStep(question);
      case "profile":
        return this.#profile(question);
      case "release":
        return this.#release();
      default:
        throw new Error(`There is no command ${JSON.stringify(question)}.`);
    }
  }

  #describe(): OwnDescription {
    const { device, version, threads } = this.#runtime;
    return { device, tensorflow: version, tfjs: tf.version_core, deno: Deno.version.deno, threads };
  }

  async #load({ state, data, images }: Of<"load">): Promise<object> {
    this.#release();
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

  #learner(form: string, { backbone = "trainable", adapter = "none" }: Partial<Learning> = {}): Learner {
    const key = [form, backbone, adapter].join();
    const learner = this.#learners.get(key) ?? this.#createLearner(form, { ...DYNAMIC, backbone, adapter });
    this.#learners.set(key, learner);
    return learner;
  }

  #createLearner(form: string, spec: NetworkSpec): Learner {
    const start = createNetwork(spec); // an adapter starts at random, all else is given
    const given = Object.fromEntries([...this.#state].map(([name, tensor]) => [name, fromPyTorch(tensor)]));
    try {
      const network = { ...start, ...given };
      return form === PLAIN
        ? createPlainLearner(spec, network)
        : createOwnLearner(requireForm(form), spec, network);
    } finally {
      disposeAll(start, given);
    }
  }

  /** The first images of the set. */
  #batch(size: number): TensorBatch {
    let batch = this.#batches.get(size);
    if (!batch) {
      const [{ values, shape, labels }] = createImageSource(this.#train!).batches({ batchSize: size });
      batch = { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
      this.#batches.set(size, batch);
    }
    return batch;
  }

  async #step(question: Learning & { count: number }): Promise<{ loss: number }> {
    const learner = this.#learner(question.form, question);
    return { loss: await learner.step(this.#batch(question.batchSize), question.count) };
  }

  async #time<T extends object>(count: number, work: () => Promise<T>): Promise<T & Timed> {
    const start = performance.now();
    const result = await work();
    return { milliseconds: (performance.now() - start) / count, ...result };
  }

  #epoch(question: Of<"epoch">): Promise<Timed> {
    const { form, batchSize } = question;
    const learner = this.#learner(form, question);
    const images = Math.min(question.images, this.#train!.labels.length);
    return this.#time(
      1,
      async () => ({ loss: await learner.epoch(this.#train!, batchSize, images), images }),
    );
  }

  #evaluate({ form, batchSize, count }: Of<"evaluate">): Promise<Timed> {
    const learner = this.#learner(form);
    const { images } = this.#batch(batchSize);
    return this.#time(count, async () => {
      await learner.score(images, count);
      return {};
    });
  }

  #testAll({ form, batchSize }: Of<"test">): Promise<Timed> {
    const [learner, test] = [this.#learner(form), this.#test!];
    return this.#time(
      1,
      async () => ({ ...await learner.test(test, batchSize), images: test.labels.length }),
    );
  }

  /** Batches of an epoch that nobody trains on. */
  #batchesAlone({ batchSize, images }: Of<"batches">): Promise<Timed> {
    const source = takeImages(createImageSource(this.#train!), images);
    return this.#time(1, () => {
      let seen = 0;
      for (const { size } of source.batches({ batchSize, shuffle: true, augment: true })) seen += size;
      return Promise.resolve({ images: seen });
    });
  }

  async #gradients({ form, batch, out }: Of<"gradients">): Promise<{ loss: number }> {
    const { tensors } = await readSafetensors(batch);
    const { shape, data } = tensors.get("images")!;
    const images = tf.tensor4d(data as Float32Array, shape as [number, number, number, number]);
    const labels = tf.tensor1d(tensors.get("labels")!.data as Int32Array, "int32");
    const { loss, gradients } = this.#learner(form).gradients({ images, labels });
    const stored = new Map<string, StoredTensor>();
    for (const [name, gradient] of Object.entries(gradients)) {
      stored.set(`gradient.${name}`, await toPyTorch(gradient));
    }
    writeSafetensors(out, stored, {});
    const [value] = await loss.data();
    tf.dispose([images, labels, loss, Object.values(gradients)]);
    return { loss: value };
  }

  /** JavaScript's part of a step. */
  async #partStep({ form, batchSize, count }: Of<"javascript">): Promise<Parted> {
    using learner = this.#createLearner(form, DYNAMIC);
    return await partCompiled((count) => learner.step(this.#batch(batchSize), count), count);
  }

  /** The step's operations, timed one by one, beside the whole as one graph and the machine's own rate. */
  async #profile({ batchSize, count }: Of<"profile">): Promise<StepProfile> {
    using learner = this.#createLearner("eager", DYNAMIC);
    const operations = await profileOperations((count) => learner.step(this.#batch(batchSize), count), count);
    const compiled = await this.#partStep({ command: "javascript", form: "ours", batchSize, count });
    const flops = countStepFlops(DYNAMIC, batchSize);
    return { batchSize, steps: count, ...operations, compiled, flops, matMulRate: await measureMatMul() };
  }

  #release(): object {
    for (const learner of this.#learners.values()) learner[Symbol.dispose]();
    for (const { images, labels } of this.#batches.values()) tf.dispose([images, labels]);
    this.#learners.clear();
    this.#batches.clear();
    return {};
  }
}

function requireForm(form: string) {
  if (Object.hasOwn(OWN_FORMS, form)) return OWN_FORMS[form];
  throw new Error(`There is no form ${form}; there are ${[...Object.keys(OWN_FORMS), PLAIN].join(", ")}.`);
}

async function main(device: DeviceChoice): Promise<void> {
  const runtime = await useNativeTensorFlow({ device }).catch((error) => {
    console.error((error as Error).message); // which is what the bench passes on
    Deno.exit(1);
  });
  const server = new Server(runtime);
  for await (const line of readLines(Deno.stdin.readable)) {
    let answer: object;
    try {
      answer = await server.answer(JSON.parse(line));
    } catch (error) { // who asked decides what a failure means
      const isInput = error instanceof InputError;
      answer = { error: isInput ? error.message : String(error), isInput };
    }
    console.log(JSON.stringify(answer));
  }
}

if (import.meta.main) await main(Deno.args[0] as DeviceChoice);
