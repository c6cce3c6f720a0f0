import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import {
  chooseStrided,
  explicit,
  flipped,
  type StridedLayers,
} from "../../../lib/tensorflow/operations/strided.ts";
import { assertClose } from "../../testing/oracle.ts";
import { assertSameOnBothBackends, randomTensor } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

/** PyTorch's padding, zeros on all four sides. */
const pad = (x: tf.Tensor4D, rows: number) => tf.pad(x, [[0, 0], [rows, rows], [rows, rows], [0, 0]]);

const convolve = (layers: StridedLayers, x: tf.Tensor4D, kernel: tf.Tensor4D) =>
  layers.restore(layers.convolve(layers.prepare(x), kernel));
const maxPool = (layers: StridedLayers, x: tf.Tensor4D) => layers.restore(layers.maxPool(layers.prepare(x)));

for (const [how, layers] of Object.entries({ flipped, explicit })) {
  for (const [H, W] of [[32, 32], [16, 12], [6, 2]]) {
    Deno.test(`a 7×7 convolution with stride 2 (${how}) has PyTorch's windows on ${H}×${W} pixels`, async () => {
      const [x, kernel] = [randomTensor([2, H, W, 3], 1), randomTensor([7, 7, 3, 4], 2)];
      const expected = await tf.conv2d(pad(x, 3), kernel, 2, "valid").data();
      assertClose(await convolve(layers, x, kernel).data(), expected, 1e-5, "y");
    });

    Deno.test(`3×3 max-pooling with stride 2 (${how}) has PyTorch's windows on ${H}×${W} pixels`, async () => {
      const x = tf.relu<tf.Tensor4D>(randomTensor([2, H, W, 3], 3)); // as after a ReLU: padding by zeros equals padding by −∞
      const expected = await tf.maxPool(pad(x, 1), 3, 2, "valid").data();
      assert.deepEqual(await maxPool(layers, x).data(), expected);
    });
  }
}

Deno.test("TensorFlow's own padding has different windows", async () => {
  const [x, kernel] = [randomTensor([1, 8, 8, 3], 1), randomTensor([7, 7, 3, 4], 2)];
  const expected = await tf.conv2d(pad(x, 3), kernel, 2, "valid").data();
  assert.throws(() => assertClose(tf.conv2d(x, kernel, 2, "same").dataSync(), expected, 0.1, "y"));
});

Deno.test("a flipped convolution and its gradients are the same without the native backend", async () => {
  await assertSameOnBothBackends(() => {
    const inputs = [randomTensor([1, 8, 8, 2], 1), randomTensor([7, 7, 2, 3], 2)];
    const run = (x: tf.Tensor, kernel: tf.Tensor) =>
      convolve(flipped, x as tf.Tensor4D, kernel as tf.Tensor4D);
    const [dx, dKernel] = tf.grads(run)(inputs, randomTensor([1, 4, 4, 3], 3));
    return { y: run(inputs[0], inputs[1]), dx, dKernel };
  }, 2e-6);
});

Deno.test("explicit padding is used only without gradients", () => {
  assert.equal(chooseStrided({ learns: false }), explicit);
  assert.equal(chooseStrided({ learns: true }), flipped);
});
