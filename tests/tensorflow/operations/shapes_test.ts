import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { boolAttribute, executeMany, floatAttribute } from "../../../lib/tensorflow/runtime/binding.ts";
import { normaliseBatch } from "../../../lib/tensorflow/operations/batch_norm.ts";
import { convolve3x3Winograd } from "../../../lib/tensorflow/operations/convolution.ts";
import { crossEntropy } from "../../../lib/tensorflow/operations/cross_entropy.ts";
import { addBias } from "../../../lib/tensorflow/operations/dense.ts";
import { nesterovStep } from "../../../lib/tensorflow/operations/nesterov.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { onPlainBackend, randomTensor } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const RATES = { momentum: 0.9, weightDecay: 0 };

/** Calls with a tensor that has another shape, mostly one that would be stretched or has as many numbers. */
function wrongCalls(): Record<string, () => unknown> {
  const x = randomTensor([2, 4, 6, 16]), kernel = randomTensor([3, 3, 16, 16]);
  const c = randomTensor<tf.Tensor1D>([16]), one = randomTensor<tf.Tensor1D>([1]);
  const row = randomTensor([1, 16]) as unknown as tf.Tensor1D, turned = randomTensor([2, 6, 4, 16]);
  const image = randomTensor([1, 4, 6, 16]), scores = randomTensor<tf.Tensor2D>([3, 5]);
  const norm = { weight: c, bias: c, runningMean: c, runningVariance: c };
  const step = (...tensors: tf.Tensor[]) => () =>
    nesterovStep({ parameter: tensors[0], momentumBuffer: tensors[1] }, tensors[2], {
      ...RATES,
      learningRate: tf.scalar(1),
    });
  return {
    "a gradient to stretch": step(x, x, image),
    "a gradient with as many numbers": step(x, x, turned),
    "a momentum buffer to stretch": step(x, image, x),
    "a bias to stretch": () => addBias(x, one),
    "a bias of two axes": () => addBias(x, row),
    "one label": () => crossEntropy(scores, tf.tensor1d([1], "int32")),
    "a weight to stretch": () => normaliseBatch(x, { ...norm, weight: one }),
    "a mean of two axes": () => normaliseBatch(x, { ...norm, runningMean: row }),
    "a normalisation's shortcut to stretch": () => normaliseBatch(x, norm, { shortcut: image }),
    "a normalisation's shortcut with as many numbers": () => normaliseBatch(x, norm, { shortcut: turned }),
    "a convolution's bias to stretch": () => convolve3x3Winograd(x, kernel, { bias: one }),
    "a convolution's shortcut to stretch": () => convolve3x3Winograd(x, kernel, { shortcut: image }),
    "a convolution's shortcut with as many numbers": () =>
      convolve3x3Winograd(x, kernel, { bias: c, shortcut: turned }),
  };
}

for (const what of Object.keys(wrongCalls())) {
  Deno.test(`a tensor of another shape is refused on both backends: ${what}`, async () => {
    const message = /must match|must be|must have/;
    assert.throws(wrongCalls()[what], message);
    await onPlainBackend(() => (assert.throws(wrongCalls()[what], message), {}));
  });
}

Deno.test("the gradients of batch normalisation refuse other shapes with as many numbers", () => {
  const x = randomTensor([2, 4, 6, 16]), turned = randomTensor([2, 6, 4, 16]);
  const c = randomTensor([16]), row = randomTensor([1, 16]);
  for (
    const [operation, count] of [["NormaliseBatchGradient", 3], [
      "NormaliseBatchShortcutGradient",
      4,
    ]] as const
  ) {
    const run = (relu: boolean, ...inputs: tf.Tensor[]) => () =>
      executeMany(operation, [boolAttribute("relu", relu)], inputs, count);
    assert.throws(run(false, turned, x, x, c, c, c), /maps must have x's shape/);
    assert.throws(run(true, x, x, turned, c, c, c), /maps must have x's shape/);
    assert.throws(run(true, x, x, x, c, row, c), /a vector must be \[C\]/);
    assert.throws(run(true, x, x, x, c, c, tf.zeros([8])), /a vector must be \[C\]/);
    assert.equal(run(true, x, x, x, c, c, c)().length, count);
  }
});

Deno.test("an empty map is no absent shortcut, and a vector of one number no learning rate", () => {
  const x = randomTensor([2, 4, 6, 16]), c = randomTensor([16]), empty = tf.zeros([0, 4, 6, 16]);
  const normalise = [
    boolAttribute("relu", true),
    floatAttribute("epsilon", 1),
    floatAttribute("momentum", 0),
  ];
  assert.throws(() => executeMany("NormaliseBatch", normalise, [x, c, c, c, c, empty], 5), /x's shape/);
  const inputs = [x, randomTensor([3, 3, 16, 16]), c, empty];
  assert.throws(
    () => executeMany("Winograd3x3Fused", [boolAttribute("relu", true)], inputs, 1),
    /the shortcut/,
  );
  const step = [floatAttribute("momentum", 0), floatAttribute("weight_decay", 0)];
  assert.throws(() => executeMany("NesterovStep", step, [x, x, x, tf.ones([1])], 2), /a scalar/);
});
