import assert from "node:assert/strict";
import { createOwnLearner, OWN_FORMS } from "../../bench/learner.ts";
import { countStepFlops, partCompiled, profileOperations } from "../../bench/profile.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { nativeBackend } from "../../lib/tensorflow/runtime/binding.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { networkSpec } from "../testing/networks.ts";
import { randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("a step's arithmetic is counted by the textbook", () => {
  const stem = 2 * 16 * 16 * 64 * 3 * 7 * 7; // multiplications and additions of one image
  const convolution = 2 * 8 * 8 * 64 * 64 * 3 * 3;
  const maps = 2 * 10 * 64 * 64;
  const predictor = 2 * 10 * (64 * 64 + 64);
  const generator = 2 * 10 * (128 * 256 + 256 * 64); // once, however many images
  const count = (B: number, changes = {}) => countStepFlops(networkSpec(changes), B);
  assert.equal(count(2), 2 * (2 * stem + 3 * (4 * convolution + maps + predictor)) + 3 * generator);
  assert.equal(
    count(1, { backbone: "frozen" }),
    stem + 4 * convolution + 2 * maps + 3 * (predictor + generator),
  );
  assert.equal(
    count(1, { backbone: "frozen", adapter: "3x3" }),
    stem + 4 * convolution + 2 * convolution + 3 * (maps + predictor + generator),
  );
  assert.equal(
    count(1, { backbone: "bn-only" }),
    stem * 1 + 2 * 4 * convolution + 3 * (maps + predictor + generator),
  );
});

const batch = () => ({
  images: randomTensor([2, 32, 32, 3], 1),
  labels: tf.tensor1d([3, 7], "int32"),
});

Deno.test("the operations of a step are counted, and the binding is put back", async () => {
  const { binding } = nativeBackend()!;
  using learner = createOwnLearner(OWN_FORMS.eager, networkSpec(), createNetwork(networkSpec()));
  const given = batch();
  const profile = await profileOperations((count) => learner.step(given, count), 3);
  const count = (name: string) => profile.operations.find(({ operation }) => operation === name)?.count;
  assert.equal(count("NormaliseBatch"), 5);
  assert.equal(count("NormaliseBatchGradient"), 5);
  assert.equal(count("MaxPoolGrad"), 1);
  const shares = profile.operations.reduce((sum, { share }) => sum + share, profile.javaScript);
  assert.ok(Math.abs(shares - 1) < 1e-9);
  assert.ok(profile.javaScript > 0 && profile.javaScript < 1);
  assert.equal(nativeBackend()!.binding, binding);
});

Deno.test("a compiled step is parted into TensorFlow's time and the rest", async () => {
  using learner = createOwnLearner(OWN_FORMS.ours, networkSpec(), createNetwork(networkSpec()));
  const given = batch();
  const { milliseconds, javaScript } = await partCompiled((count) => learner.step(given, count), 3);
  assert.ok(milliseconds > 0 && javaScript > 0 && javaScript < 1);
});
