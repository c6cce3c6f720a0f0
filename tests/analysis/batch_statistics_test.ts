import assert from "node:assert/strict";
import {
  measureMoments,
  NORM_LAYERS,
  storedMoments,
  withMoments,
} from "../../lib/analysis/batch_statistics.ts";
import { compareMoments } from "../../lib/analysis/drift.ts";
import { evaluateBackbone } from "../../lib/analysis/features.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { backboneFeatures } from "../../lib/model/network.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { countTensors, randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const spec = networkSpec();
const network = createNetwork(spec, { seed: 2 });
const images = randomTensor([16, 32, 32, 3], 8);

Deno.test("the layers named are all of the backbone's batch normalisations", () => {
  const all = listTensors(spec).flatMap(({ name }) => /^(.*)\.running_mean$/.exec(name)?.[1] ?? []);
  assert.deepEqual(NORM_LAYERS, all);
});

Deno.test("the first layer's moments are those of the first convolution's output", async () => {
  const { mean, variance } = (await measureMoments(network, images, "stored")).get("backbone.bn1")!;
  const padded = tf.pad(images, [[0, 0], [3, 3], [3, 3], [0, 0]]) as tf.Tensor4D;
  const output = tf.conv2d(padded, network["backbone.conv1.weight"] as tf.Tensor4D, 2, "valid");
  const expected = tf.moments(output, [0, 1, 2]);
  const unbiased = 16 * 256 / (16 * 256 - 1);
  assertClose(mean, await expected.mean.data(), 1e-4, "mean");
  assertClose(variance, await tf.mul(expected.variance, unbiased).data(), 1e-4, "variance");
});

Deno.test("with these images' moments stored, evaluation equals training mode", async () => {
  const adapted = withMoments(network, await measureMoments(network, images, "adapted"));
  const trained = backboneFeatures(network, images, { ...spec, mode: "train" });
  assertClose(await evaluateBackbone(adapted, images).data(), await trained.data(), 2e-3, "feature map");
  assert.throws(() =>
    assertClose(
      tf.util.flatten(evaluateBackbone(network, images).arraySync()) as number[],
      trained.dataSync(),
      0.05,
      "map",
    )
  );
  assert.equal(adapted["backbone.conv1.weight"], network["backbone.conv1.weight"]);
});

Deno.test("… and each layer then gets the moments it expects", async () => {
  const adapted = withMoments(network, await measureMoments(network, images, "adapted"));
  const found = await measureMoments(adapted, images, "stored");
  for (const [layer, { shift, ratio }] of compareMoments(await storedMoments(adapted), found)) {
    assert.ok(shift < 0.01 && Math.abs(ratio - 1) < 0.01, layer);
  }
  const before = await measureMoments(network, images, "stored");
  const drifts = [...compareMoments(await storedMoments(network), before).values()];
  assert.ok(drifts.some(({ shift, factor }) => shift > 0.1 || factor > 1.5));
});

Deno.test("moments depend on the layers before, except for the first layer", async () => {
  const [stored, adapted] = [
    await measureMoments(network, images, "stored"),
    await measureMoments(network, images, "adapted"),
  ];
  const [first, second] = NORM_LAYERS.map((layer) => compareMoments(adapted, stored).get(layer)!);
  assert.ok(first.shift < 1e-3 && first.factor < 1.001);
  assert.ok(second.factor > 1.2);
});

Deno.test("measuring leaks no tensor", async () => {
  await measureMoments(network, images, "stored");
  const before = countTensors();
  await measureMoments(network, images, "stored");
  await measureMoments(network, images, "adapted");
  assert.deepEqual(countTensors(), before);
});
