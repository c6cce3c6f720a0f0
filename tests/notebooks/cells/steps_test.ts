import assert from "node:assert/strict";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { createNetwork } from "../../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { resolveConfig } from "../../../lib/training/config.ts";
import { makeBatch } from "../../../notebooks/cells/network.ts";
import { createTrainer, sweepLearningRate } from "../../../notebooks/cells/steps.ts";

const { train } = createSynthetic({ trainSize: 48, testSize: 0 });
const config = resolveConfig({ flags: { batchSize: 8, weights: "random", compile: false } });

Deno.test("a trainer steps from the network given, which keeps its tensors", async () => {
  await useNativeTensorFlow({ device: "cpu" });
  const network = createNetwork(config);
  const bias = network["score_predictor.2.bias"];
  const [before] = await bias.data();
  using trainer = createTrainer(config, network);
  const batch = makeBatch(train, [...Array(8).keys()]);
  const first = await trainer.step(batch, 0.05);
  assert.ok(await trainer.step(batch, 0.05) < first);
  assert.equal((await bias.data())[0], before);
  assert.notEqual((await trainer.parameters()["score_predictor.2.bias"].data())[0], before);
});

Deno.test("the learning rate of a sweep rises by one factor, until the loss explodes", async () => {
  await useNativeTensorFlow({ device: "cpu" });
  const before = tf.memory().numTensors;
  const calm = await sweepLearningRate(config, train, { from: 1e-4, to: 1e-2, seed: 1 });
  const rates = calm.learningRates.map((rate) => Number(rate.toPrecision(3)));
  assert.deepEqual(rates, [0.0001, 0.000251, 0.000631, 0.00158, 0.00398, 0.01]);
  assert.equal(calm.losses.length, 6);
  assert.ok(Math.abs(calm.losses[0] - Math.log(10)) < 0.1);
  const wild = await sweepLearningRate(config, train, { from: 1, to: 1e6, seed: 1 });
  assert.ok(wild.losses.length < 6);
  assert.equal(tf.memory().numTensors, before);
});
