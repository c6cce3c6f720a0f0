import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { forward } from "../../lib/model/network.ts";
import { createImageSource } from "../../lib/training/batch_source.ts";
import { createEvaluator, evaluate, measure } from "../../lib/training/evaluate.ts";
import { networkSpec, overflow } from "../testing/networks.ts";
import { assertClose, readOracle, values } from "../testing/oracle.ts";
import { countTensors } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const { test: images } = createSynthetic({ trainSize: 0, testSize: 23 });
const spec = networkSpec({ adapter: "1x1" });

Deno.test("scores have the order of the images for any batch size", async () => {
  const network = createNetwork(spec);
  const all = tf.tensor4d(normaliseImages(images.images), [23, 32, 32, 3]);
  const expected = await forward(network, all, { ...spec, mode: "evaluate" }).scores.data();
  for (
    const [batchSize, compile] of [[23, true], [10, true], [10, false], [1, false], [100, false]] as const
  ) {
    const { scores, ...metrics } = await evaluate(network, images, { ...spec, batchSize, compile });
    assert.equal(scores.length, 230);
    assertClose(scores, expected, 1e-5, `scores in batches of ${batchSize}`); // the last is short in most
    assert.deepEqual(metrics, measure({ scores, labels: images.labels }));
  }
});

Deno.test("scores are averaged with those of the mirror images", async () => {
  const network = createNetwork(spec);
  const flipped = new Uint8Array(images.images.length);
  for (let at = 0; at < flipped.length; at++) {
    const [channel, x, row] = [at % 3, Math.floor(at / 3) % 32, Math.floor(at / 96)];
    flipped[at] = images.images[row * 96 + (31 - x) * 3 + channel];
  }
  const { scores: plain } = await evaluate(network, images, spec);
  const { scores: mirrored } = await evaluate(network, { ...images, images: flipped }, spec);
  const { scores } = await evaluate(network, images, { ...spec, mirror: true });
  assert.notDeepEqual(plain, mirrored);
  assertClose(scores, plain.map((score, at) => (score + mirrored[at]) / 2), 1e-5, "scores");
});

Deno.test("an evaluator reports progress and can be reused with other tensors", async () => {
  const evaluator = createEvaluator({ ...spec, batchSize: 10 });
  const told: number[][] = [];
  const source = createImageSource(images);
  const first = await evaluator.evaluate(
    createNetwork(spec),
    source,
    (done, all) => void told.push([done, all]),
  );
  assert.deepEqual(told, [[1, 3], [2, 3], [3, 3]]);
  assert.deepEqual(await evaluator.evaluate(createNetwork(spec), source), first);
  assert.notDeepEqual(
    (await evaluator.evaluate(createNetwork(spec, { seed: 1 }), source)).scores,
    first.scores,
  );
  evaluator.dispose();
});

Deno.test("an evaluator compiles the network to one graph, unless it is told not to", async () => {
  const network = createNetwork(spec);
  for (const [compile, graphs] of [[undefined, 1], [true, 1], [false, 0]] as const) {
    const before = countTensors().graphs!;
    const evaluator = createEvaluator({ ...spec, compile, batchSize: 23 });
    await evaluator.evaluate(network, createImageSource(images));
    assert.equal(countTensors().graphs! - before, graphs);
    evaluator.dispose();
  }
});

for (const compile of [true, false]) {
  Deno.test(`fifty batches leak no tensor, ${compile ? "compiled" : "eager"}`, async () => {
    const network = createNetwork(spec);
    const { test } = createSynthetic({ trainSize: 0, testSize: 101 });
    await evaluate(network, images, spec); // TensorFlow takes over the network's values at their first use
    const before = countTensors();
    await evaluate(network, test, { ...spec, batchSize: 2, compile });
    assert.deepEqual(countTensors(), before);
  });
}

Deno.test("an evaluation does not change the network", async () => {
  const network = createNetwork(spec);
  const before = await network["backbone.bn1.running_mean"].data();
  await evaluate(network, images, spec);
  assert.deepEqual(await network["backbone.bn1.running_mean"].data(), before);
});

const near = (actual: number, expected: number) => assertClose([actual], [expected], 1e-6, "value");

Deno.test("loss, accuracy, per-class accuracy and confusion matrix are computed from the scores", () => {
  const scores = Float32Array.of(
    ...[2, 1, 0], // 0, predicted as 0
    ...[0, 0, 5], // 0, predicted as 2
    ...[9, 1, 0], // 1, predicted as 0
    ...[0, 1, 0], // 1, predicted as 1
  );
  const { loss, accuracy, perClass, confusion } = measure({ scores, labels: [0, 0, 1, 1] });
  assert.equal(accuracy, 0.5);
  assert.deepEqual(perClass, [0.5, 0.5, null]); // there is no 2
  assert.deepEqual(confusion, [[1, 0, 1], [1, 1, 0], [0, 0, 0]]);
  const crossEntropies = [[2, 1, 0, 0], [0, 0, 5, 0], [9, 1, 0, 1], [0, 1, 0, 1]].map(([a, b, c, label]) =>
    Math.log(Math.exp(a) + Math.exp(b) + Math.exp(c)) - [a, b, c][label]
  );
  near(loss, crossEntropies.reduce((sum, value) => sum + value) / 4);
});

Deno.test("the loss is PyTorch's", () => {
  const oracle = readOracle("cross_entropy");
  const labels = oracle.tensors.get("labels")!.data as Int32Array;
  near(measure({ scores: values(oracle, "scores"), labels }).loss, values(oracle, "none.loss")[0]);
});

Deno.test("ties are predicted as the first class: ten equal scores are correct for one class of ten", () => {
  const { accuracy, loss, perClass } = measure({
    scores: new Float32Array(200).fill(0.7),
    labels: Array.from({ length: 20 }, (_, at) => at % 10),
  });
  assert.equal(accuracy, 0.1);
  assert.deepEqual(perClass, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  near(loss, Math.log(10));
});

Deno.test("a score that is NaN or infinite has no metrics, nor have scores of other images", () => {
  for (const labels of [[], [0, 1]]) {
    assert.throws(() => measure({ scores: new Float32Array(5), labels }), RangeError);
  }
  for (const value of [NaN, Infinity, -Infinity]) {
    const scores = Float32Array.of(0, 1, 2, 3, value, 5);
    assert.throws(() => measure({ scores, labels: [2, 2] }), {
      name: "InputError",
      message: `Cannot use the network's scores: that of image 1 for class 1 is ${value}.`,
    });
  }
});

for (const compile of [true, false]) {
  Deno.test(`a network whose scores overflow is no network of 10 %, ${compile ? "compiled" : "eager"}`, async () => {
    const network = overflow(createNetwork(spec));
    const why = /that of image 0 for class \d is (NaN|-?Infinity)\.$/;
    await assert.rejects(evaluate(network, images, { ...spec, compile }), why);
  });
}

Deno.test("large scores have a finite loss", () => {
  near(measure({ scores: new Float32Array(10).fill(1e17), labels: [4] }).loss, Math.log(10));
  near(measure({ scores: Float32Array.of(1e4, -1e4), labels: [1] }).loss, 2e4);
});
