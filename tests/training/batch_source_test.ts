import assert from "node:assert/strict";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import {
  createFeatureSource,
  createImageSource,
  type SourceOptions,
} from "../../lib/training/batch_source.ts";
import { createFrozenSource } from "../../lib/training/batch_source.ts";
import { networkSpec } from "../testing/networks.ts";

await useNativeTensorFlow({ device: "cpu" });

const { train } = createSynthetic({ trainSize: 23, testSize: 0 });
const FEATURES = 8 * 8 * 64;

/** Features that tell whose they are: image 5's are all 5. */
const numbered = Float32Array.from({ length: 23 * FEATURES }, (_, at) => Math.floor(at / FEATURES));

Deno.test("cached features have the order and labels of their images", () => {
  const orders: SourceOptions[] = [
    { batchSize: 10 },
    { batchSize: 10, shuffle: true, seed: 3, epoch: 2 },
    { batchSize: 7, shuffle: true, seed: 3, epoch: 5, startStep: 2 },
    { batchSize: 10, shuffle: true, startStep: 3 },
  ];
  for (const order of orders) {
    const images = [...createImageSource(train).batches(order)];
    const features = [...createFeatureSource(numbered, train.labels).batches(order)];
    assert.deepEqual(
      features.map(({ labels, size }) => [labels, size]),
      images.map(({ labels, size }) => [labels, size]),
    );
    for (const { values, shape, labels, size } of features) {
      assert.deepEqual(shape, [size, 8, 8, 64]);
      for (let position = 0; position < size; position++) {
        const whose = values.subarray(position * FEATURES, (position + 1) * FEATURES);
        assert.ok(whose.every((value) => value === whose[0]));
        assert.equal(train.labels[whose[0]], labels[position]);
      }
    }
  }
});

Deno.test("features are cached only with a frozen backbone and no augmentation", async () => {
  const sourceOf = async (changes: object) => {
    const options = { ...networkSpec({ backbone: "frozen" }), augment: false, compile: false, ...changes };
    return (await createFrozenSource(createNetwork(options), train, options)).input;
  };
  assert.equal(await sourceOf({}), "features");
  assert.equal(await sourceOf({ augment: true }), "images");
  assert.equal(await sourceOf({ backbone: "bn-only" }), "images");
  assert.equal(await sourceOf({ backbone: "trainable" }), "images");
});
