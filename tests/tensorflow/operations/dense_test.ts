import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { addBias, matMul, relu } from "../../../lib/tensorflow/operations/dense.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { assertClose } from "../../testing/oracle.ts";
import { onPlainBackend, readAll } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]]) {
  Deno.test(`matMul(transposeA ${transposeA}, transposeB ${transposeB}) and its gradients equal tf.matMul's`, async () => {
    const a = tf.randomNormal(transposeA ? [4, 3] : [3, 4], 0, 1, "float32", 1);
    const b = tf.randomNormal(transposeB ? [5, 4] : [4, 5], 0, 1, "float32", 2);
    const dy = tf.randomNormal([3, 5], 0, 1, "float32", 3);
    const ours = (a: tf.Tensor, b: tf.Tensor) =>
      matMul(a as tf.Tensor2D, b as tf.Tensor2D, transposeA, transposeB);
    const theirs = (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, transposeA, transposeB);
    assertClose(await ours(a, b).data(), await theirs(a, b).data(), 1e-6, "product");
    const [expected, actual] = [tf.grads(theirs)([a, b], dy), tf.grads(ours)([a, b], dy)];
    assertClose(await actual[0].data(), await expected[0].data(), 1e-6, "gradient of a");
    assertClose(await actual[1].data(), await expected[1].data(), 1e-6, "gradient of b");
  });
}

Deno.test("addBias and its gradients equal tf.add's", async () => {
  const x = tf.randomNormal([2, 3, 3, 4], 0, 1, "float32", 1);
  const bias = tf.randomNormal([4], 0, 1, "float32", 2);
  const dy = tf.randomNormal([2, 3, 3, 4], 0, 1, "float32", 3);
  const ours = (x: tf.Tensor, bias: tf.Tensor) => addBias(x, bias as tf.Tensor1D);
  const theirs = (x: tf.Tensor, bias: tf.Tensor) => tf.add(x, bias);
  assertClose(await ours(x, bias).data(), await theirs(x, bias).data(), 0, "sum");
  const [expected, actual] = [tf.grads(theirs)([x, bias], dy), tf.grads(ours)([x, bias], dy)];
  assertClose(await actual[0].data(), await expected[0].data(), 0, "gradient of x");
  assertClose(await actual[1].data(), await expected[1].data(), 1e-6, "gradient of the bias");
});

const computeRelu = () => {
  const { value, grad } = tf.valueAndGrad((x) => relu(x))(
    tf.tensor1d([-2, -0, 0, 1e-30, 3]),
    tf.tensor1d([1, 2, 3, 4, 5]),
  );
  return { y: value, dx: grad };
};

for (const backend of ["native", "plain"]) {
  Deno.test(`ReLU passes positive values and their gradients on the ${backend} backend`, async () => {
    const { y, dx } = backend === "native" ? await readAll(computeRelu()) : await onPlainBackend(computeRelu);
    assert.deepEqual(Array.from(y, (value) => value + 0), [0, 0, 0, Math.fround(1e-30), 3]);
    assert.deepEqual(Array.from(dx), [0, 0, 0, 4, 5]); // at 0 as PyTorch: no gradient
  });
}
