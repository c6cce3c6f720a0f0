import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/native.ts";
import { convolve3x3Winograd } from "../../lib/tensorflow/winograd.ts";
import { assertAllClose, assertSameOnBothBackends, randomTensor, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const [B, C, K] = [2, 3, 5];
const TOLERANCE = 1.2e-5; // of the largest value: 1e-5 by Winograd's, as winograd.ts says, and what direct convolution adds

/** A convolution of maps `[B,H,W,C]`, and the gradients of both inputs for a random gradient of the result. */
function withGradients(
  H: number,
  W: number,
  convolve: (x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.Tensor,
): Record<string, tf.Tensor> {
  const dy = randomTensor([B, H, W, K], 3, H, W);
  const inputs = [randomTensor([B, H, W, C], 1, H, W), randomTensor([3, 3, C, K], 2, H, W)];
  return tf.tidy(() => {
    const [dx, dKernel] = tf.grads((x, kernel) => convolve(x as tf.Tensor4D, kernel as tf.Tensor4D))(
      inputs,
      dy,
    );
    return { y: convolve(inputs[0], inputs[1]), dx, dKernel };
  });
}

const winograd = (x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor =>
  tf.transpose(convolve3x3Winograd(tf.transpose(x, [1, 2, 0, 3]), kernel), [2, 0, 1, 3]);
const direct = (x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor => tf.conv2d(x, kernel, 1, "same");

for (let H = 1; H <= 13; H++) {
  const W = (5 * H) % 13 + 1; // 6, 11, 3, 8, 13, 5, 10, 2, 7, 12, 4, 9, 1
  Deno.test(`Winograd's convolution and its gradients equal the direct ones on ${H}×${W} pixels`, async () => {
    const expected = await readAll(withGradients(H, W, direct));
    assertAllClose(await readAll(withGradients(H, W, winograd)), expected, TOLERANCE);
  });
}

Deno.test("Winograd's convolution of whole numbers is exact where its factors are", async () => {
  // a single 1 picks taps of the kernel: any wrong factor of the transforms would show whole
  const x = tf.tensor4d(Array.from({ length: 36 }, (_, at) => at === 14 ? 24 : 0), [6, 6, 1, 1]); // row 2, column 2
  const kernel = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3, 1, 1]);
  const y = await tf.round(convolve3x3Winograd(x, kernel)).data();
  const around = [1, 2, 3].map((row) => Array.from(y.slice(6 * row + 1, 6 * row + 4), (value) => value / 24));
  assert.deepEqual(around, [[9, 8, 7], [6, 5, 4], [3, 2, 1]]); // a cross-correlation, as PyTorch's: the kernel turned
});

Deno.test("without the native backend Winograd's convolution and its gradients are the same", async () => {
  await assertSameOnBothBackends(() => withGradients(5, 7, winograd), TOLERANCE);
});

Deno.test("the gradient of Winograd's convolution leaves no tensor behind", async () => {
  await readAll(withGradients(4, 4, winograd));
  const before = tf.memory().numTensors;
  const [x, kernel, dy] = [[4, 4, 2, 3], [3, 3, 3, 5], [4, 4, 2, 5]].map((shape) => randomTensor(shape));
  const gradients = tf.grads((x, kernel) => convolve3x3Winograd(x as tf.Tensor4D, kernel as tf.Tensor4D));
  tf.dispose([...gradients([x, kernel], dy), x, kernel, dy]);
  assert.equal(tf.memory().numTensors, before);
});
