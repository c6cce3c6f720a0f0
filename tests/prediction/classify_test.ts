import assert from "node:assert/strict";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { classify } from "../../lib/prediction/classify.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { evaluate } from "../../lib/training/evaluate.ts";
import { overflow } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";

const { test } = createSynthetic({ trainSize: 0, testSize: 6 });
const pictures = [0, 1, 2, 3, 4, 5].map((index) =>
  test.images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES)
);

Deno.test("pictures get the scores of the evaluation, and their own maps", async () => {
  await useNativeTensorFlow();
  const network: NetworkSpec = { variant: "dynamic", backbone: "trainable", adapter: "none" };
  const tensors = createNetwork(network);
  const { scores } = await evaluate(tensors, test, network);
  const before = tf.memory().numTensors;
  const predictions = await classify(tensors, pictures, network);
  assert.equal(tf.memory().numTensors, before, "tensors are left behind");
  assertClose(predictions.flatMap((one) => [...one.scores]), scores, 1e-5, "scores");
  for (const [index, { scores, probabilities, predictedClass, maps }] of predictions.entries()) {
    assert.equal(scores[predictedClass], Math.max(...scores));
    assert(Math.abs(probabilities.reduce((sum, one) => sum + one) - 1) < 1e-9);
    assert.equal(maps.length, 10 * 8 * 8);
    const [alone] = await classify(tensors, [pictures[index]], network);
    assertClose(alone.maps, maps, 1e-5, "maps");
  }
  assert.notDeepEqual(predictions[0].maps, predictions[1].maps);
});

Deno.test("a picture whose scores overflow belongs to no class", async () => {
  await useNativeTensorFlow();
  const network: NetworkSpec = { variant: "dynamic", backbone: "trainable", adapter: "none" };
  await assert.rejects(classify(overflow(createNetwork(network)), pictures, network), {
    name: "InputError",
    message: /^Cannot use the network's scores: that of image 0 for class \d is (NaN|-?Infinity)\.$/,
  });
});

Deno.test("a shared filter gives one map, and no pictures give no predictions", async () => {
  await useNativeTensorFlow();
  const network: NetworkSpec = { variant: "static-ten-way", backbone: "trainable", adapter: "1x1" };
  const tensors = createNetwork(network);
  const [{ maps, scores }] = await classify(tensors, pictures.slice(0, 1), network);
  assert.deepEqual([maps.length, scores.length], [64, 10]);
  assert.deepEqual(await classify(tensors, [], network), []);
});
