import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import {
  boolAttribute,
  execute,
  executeMany,
  floatAttribute,
  intAttribute,
  intsAttribute,
  nativeBackend,
  stringAttribute,
  typeAttribute,
} from "../../../lib/tensorflow/runtime/binding.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";

await useNativeTensorFlow();

const float = typeAttribute("T", "float32"), values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

Deno.test("an operation runs by name, with attributes of every kind", () => {
  const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]), kernel = tf.ones([1, 1, 1, 1]);
  const convolution = [float, intsAttribute("strides", [1, 2, 2, 1]), stringAttribute("padding", "VALID")];
  assert.deepEqual(values(execute("Conv2D", convolution, [x, kernel])), [1]);
  assert.deepEqual(values(execute("LeakyRelu", [float, floatAttribute("alpha", 0.5)], [tf.scalar(-4)])), [
    -2,
  ]);
  const stack = [float, intAttribute("N", 2), intAttribute("axis", 1)];
  assert.deepEqual(values(execute("Pack", stack, [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])])), [1, 3, 2, 4]);
  const product = [float, boolAttribute("transpose_a", true), boolAttribute("transpose_b", false)];
  assert.deepEqual(values(execute("MatMul", product, [tf.ones([3, 1]), tf.ones([3, 1])])), [3]);
});

Deno.test("an operation returns all its outputs", () => {
  const [losses, slopes] = executeMany("SoftmaxCrossEntropyWithLogits", [float], [
    tf.zeros([1, 2]),
    tf.tensor2d([[1, 0]]),
  ], 2);
  assert.deepEqual([losses.shape, slopes.shape], [[1], [1, 2]]);
  assert.ok(Math.abs(values(losses)[0] - Math.LN2) < 1e-6);
  assert.deepEqual(values(slopes), [-0.5, 0.5]);
});

Deno.test("an operation's outputs are disposed like other tensors", () => {
  const { binding } = nativeBackend()!, x = tf.scalar(1);
  tf.neg(x).dispose();
  const before = [tf.memory().numTensors, binding.getNumOfTensors()];
  tf.tidy(() => {
    execute("Relu", [float], [x]);
  });
  assert.deepEqual([tf.memory().numTensors, binding.getNumOfTensors()], before);
});
