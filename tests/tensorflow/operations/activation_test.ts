import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { relu } from "../../../lib/tensorflow/operations/dense.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { onPlainBackend, readAll } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const compute = () => {
  const { value, grad } = tf.valueAndGrad((x) => relu(x))(
    tf.tensor1d([-2, -0, 0, 1e-30, 3]),
    tf.tensor1d([1, 2, 3, 4, 5]),
  );
  return { y: value, dx: grad };
};

for (const backend of ["native", "plain"]) {
  Deno.test(`ReLU lets positive values and their gradients through, on the ${backend} backend`, async () => {
    const { y, dx } = backend === "native" ? await readAll(compute()) : await onPlainBackend(compute);
    assert.deepEqual(Array.from(y, (value) => value + 0), [0, 0, 0, Math.fround(1e-30), 3]);
    assert.deepEqual(Array.from(dx), [0, 0, 0, 4, 5]); // at 0 as PyTorch: no gradient
  });
}
