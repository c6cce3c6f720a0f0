// plain TensorFlow.js must be the same network, trained by the same rule
import assert from "node:assert/strict";
import { type Learner, OwnLearner, RECIPE, takeImages } from "../../bench/learner.ts";
import { PlainLearner } from "../../bench/plain_tfjs.ts";
import { measureOverhead, profileOperations } from "../../bench/profile.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { nativeBackend } from "../../lib/tensorflow/runtime/binding.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { createImageSource } from "../../lib/training/batch_source.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertAllClose, countTensors, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const { train, test } = createSynthetic({ trainSize: 24, testSize: 10 });

function firstBatch(size: number) {
  const [{ values, shape, labels }] = createImageSource(train).batches({ batchSize: size });
  return { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
}

const SPECS = [
  networkSpec(),
  networkSpec({ backbone: "frozen" }),
  networkSpec({ backbone: "frozen", adapter: "3x3" }),
];

for (const spec of SPECS) {
  const name = `${spec.backbone} backbone, adapter ${spec.adapter}`;
  Deno.test(`plain TensorFlow.js has our gradients and, after three steps, our tensors: ${name}`, async () => {
    const network = createNetwork(spec);
    const batch = firstBatch(8);
    const compare = async (steps: number, tolerance: number) => {
      using plain = new PlainLearner(spec, network);
      using ours = new OwnLearner("eager", spec, network);
      const [actual, expected] = await Promise.all([plain, ours].map(async (learner) => {
        if (steps > 0) await learner.step(batch, steps);
        const tested = await learner.test(test, 5); // by the running statistics
        const { loss, gradients } = learner.gradients(batch);
        return { gradients: await readAll({ ...gradients, loss }), tested };
      }));
      assertAllClose(actual.gradients, expected.gradients, tolerance);
      assert.ok(Math.abs(actual.tested.loss - expected.tested.loss) < 1e-6);
      assert.equal(actual.tested.accuracy, expected.tested.accuracy);
    };
    await compare(0, 1e-5);
    await compare(3, 1e-3); // momentum and weight decay included; rounding grows with each step
  });
}

Deno.test("plain TensorFlow.js has weight decay in its loss: half the sum of squared parameters", async () => {
  const spec = networkSpec({ backbone: "frozen" });
  const network = createNetwork(spec);
  const batch = firstBatch(4);
  using plain = new PlainLearner(spec, network);
  using ours = new OwnLearner("eager", spec, network);
  const penalty = await plain.step(batch, 1) - await ours.step(batch, 1);
  let squares = 0;
  for (const [name, tensor] of Object.entries(network)) {
    if (!name.startsWith("backbone.")) { for (const value of await tensor.data()) squares += value ** 2; }
  }
  assert.ok(Math.abs(penalty / (RECIPE.weightDecay / 2 * squares) - 1) < 1e-4);
});

Deno.test("timed operations leak no tensor, in any row", async () => {
  const spec = networkSpec();
  const network = createNetwork(spec);
  const batch = firstBatch(4);
  const create: Record<string, () => Learner> = {
    plain: () => new PlainLearner(spec, network),
    ours: () => new OwnLearner("ours", spec, network),
    eager: () => new OwnLearner("eager", spec, network),
  };
  for (const [name, make] of Object.entries(create)) {
    const before = tf.memory().numTensors;
    {
      using learner = make();
      await learner.step(batch, 2);
      const settled = countTensors();
      await learner.step(batch, 3);
      await learner.epoch(train, 8, 16);
      await learner.score(batch.images, 2);
      await learner.test(test, 5);
      assert.deepEqual({ ...countTensors(), graphs: settled.graphs }, settled, name);
    }
    const kept = name === "plain" ? 1 : 0; // TensorFlow.js's own optimizer forgets a scalar
    assert.equal(tf.memory().numTensors, before + kept, name);
    assert.equal(countTensors().graphs, 0, name);
  }
});

Deno.test("a partial epoch is its beginning", () => {
  const source = createImageSource(train);
  const order = { batchSize: 5, shuffle: true, augment: true, epoch: 3 };
  const part = takeImages(source, 10);
  assert.equal(part.labels.length, 10);
  const labels = [...part.batches(order)].map(({ labels }) => [...labels]);
  assert.deepEqual(labels, [...source.batches(order)].slice(0, 2).map(({ labels }) => [...labels]));
});

Deno.test("a profile counts the operations of a step and restores the binding", async () => {
  const { binding } = nativeBackend()!;
  using learner = new OwnLearner("eager", networkSpec(), createNetwork(networkSpec()));
  const batch = firstBatch(2);
  const profile = await profileOperations((count) => learner.step(batch, count), 3);
  const count = (name: string) => profile.operations.find(({ operation }) => operation === name)?.count;
  const normalisations = ["NormaliseBatch", "NormaliseBatchGradient", "NormaliseBatchShortcutGradient"];
  assert.deepEqual([...normalisations, "Stem"].map(count), [4, 2, 2, 1]);
  const shares = profile.operations.reduce((sum, { share }) => sum + share, profile.outside);
  assert.ok(Math.abs(shares - 1) < 1e-9);
  assert.ok(profile.outside > 0 && profile.outside < 1);
  assert.equal(nativeBackend()!.binding, binding);
});

Deno.test("the time of a compiled step is split into TensorFlow and the rest", async () => {
  using learner = new OwnLearner("ours", networkSpec(), createNetwork(networkSpec()));
  const batch = firstBatch(2);
  const { milliseconds, outside } = await measureOverhead((count) => learner.step(batch, count), 3);
  assert.ok(milliseconds > 0 && outside > 0 && outside < 1);
});
