import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { forward } from "../../lib/model/network.ts";
import { createImageSource } from "../../lib/training/batch_source.ts";
import { createEvaluator, evaluate } from "../../lib/training/evaluate.ts";
import { measure } from "../../lib/training/evaluate.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { countTensors } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const { test: images } = createSynthetic({ trainSize: 0, testSize: 23 });
const spec = networkSpec({ adapter: "1x1" });

Deno.test("scores come in the order of the images, however they are cut into batches", async () => {
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

Deno.test("an evaluation tells how far it is, and can be done again with other tensors", async () => {
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

for (const compile of [true, false]) {
  Deno.test(`fifty batches leave no tensor behind, ${compile ? "as a graph" : "operation by operation"}`, async () => {
    const network = createNetwork(spec);
    const { test } = createSynthetic({ trainSize: 0, testSize: 101 });
    await evaluate(network, images, spec); // TensorFlow takes over the network's values at their first use
    const before = countTensors();
    await evaluate(network, test, { ...spec, batchSize: 2, compile });
    assert.deepEqual(countTensors(), before);
  });
}

Deno.test("the network that is evaluated stays as it is", async () => {
  const network = createNetwork(spec);
  const before = await network["backbone.bn1.running_mean"].data();
  await evaluate(network, images, spec);
  assert.deepEqual(await network["backbone.bn1.running_mean"].data(), before);
});
