import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { muonStep, orthogonalise } from "../../lib/training/muon.ts";
import { assertClose } from "../testing/oracle.ts";
import { assertAllClose, onPlainBackend, randomTensor, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const norm = (tensor: tf.Tensor) => tf.norm(tensor).dataSync()[0];

Deno.test("orthogonalised, a matrix keeps its singular vectors and has singular values near 1", async () => {
  const [left] = tf.linalg.qr(randomTensor([12, 4]) as tf.Tensor2D); // orthonormal columns
  const [right] = tf.linalg.qr(randomTensor([4, 4], 1) as tf.Tensor2D);
  const values = tf.tensor1d([30, 3, 1, 0.5]);
  const matrix = tf.matMul(tf.mul(left, values), right, false, true) as tf.Tensor2D;
  const inner = tf.matMul(left, tf.matMul(orthogonalise(matrix), right), true) as tf.Tensor2D; // [4,4]
  const found = await inner.array();
  for (const [row, line] of found.entries()) {
    for (const [column, value] of line.entries()) {
      if (row === column) assert.ok(value > 0.6 && value < 1.3, `singular value ${value}`);
      else assert.ok(Math.abs(value) < 1e-3, `${value}`);
    }
  }
});

Deno.test("orthogonalising does not depend on a matrix's scale, and 0 stays 0", async () => {
  const matrix = randomTensor([9, 3]) as tf.Tensor2D;
  const once = orthogonalise(matrix);
  assertClose(await orthogonalise(tf.mul(matrix, 1e4)).data(), await once.data(), 1e-4, "scaled");
  assert.ok((await orthogonalise(tf.zeros([9, 3])).data()).every((value) => value === 0));
});

Deno.test("a step of Muon moves a kernel by the learning rate relative to its norm, against its momentum", async () => {
  const parameter = randomTensor([3, 3, 8, 8]);
  const [gradient, momentumBuffer] = [randomTensor([3, 3, 8, 8], 1), randomTensor([3, 3, 8, 8], 2)];
  const step = (learningRate: number) =>
    muonStep({ parameter, momentumBuffer }, gradient, {
      learningRate: tf.scalar(learningRate),
      momentum: 0.9,
    });
  const scaled = step(0).parameter; // only scaled
  assertClose([norm(scaled)], [Math.sqrt(8)], 1e-6, "norm");
  assertClose(
    await scaled.data(),
    await tf.mul(parameter, Math.sqrt(8) / norm(parameter)).data(),
    1e-6,
    "way",
  );
  const way = tf.sub(step(0.1).parameter, scaled);
  const relative = norm(way) / norm(scaled);
  assert.ok(relative > 0.07 && relative < 0.12, `${relative}`);
  const next = tf.add(tf.mul(momentumBuffer, 0.9), gradient);
  assertClose(await step(0.1).momentumBuffer.data(), await next.data(), 1e-6, "momentum");
  const direction = tf.add(gradient, tf.mul(next, 0.9));
  const expected = tf.mul(orthogonalise(tf.reshape(direction, [72, 8])), -0.1);
  assertClose(await tf.reshape(way, [72, 8]).data(), await expected.data(), 1e-4, "step");
});

for (const shape of [[3, 3, 64, 64], [3, 3, 16, 48], [1, 1, 32, 16]]) {
  Deno.test(`Muon's own operation agrees with single ones for a kernel [${shape}]`, async () => {
    const step = () => {
      const [parameter, gradient, momentumBuffer] = [1, 2, 3].map((key) => randomTensor(shape, key));
      const settings = { learningRate: tf.scalar(0.1), momentum: 0.7 };
      return { ...muonStep({ parameter, momentumBuffer }, gradient, settings) };
    };
    const expected = await onPlainBackend(step);
    assertAllClose(await readAll(step()), expected, 2e-5);
  });
}
