import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { foldNorm, normaliseBatch } from "../../../lib/tensorflow/operations/batch_norm.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { assertClose } from "../../testing/oracle.ts";
import { assertSameOnBothBackends, onPlainBackend, randomTensor, readAll } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const vector = (...values: number[]): tf.Tensor1D => tf.tensor1d(values);

/** Two channels, each of the values in one row. */
const channels = (first: number[], second: number[]): tf.Tensor4D =>
  tf.tensor4d(first.flatMap((value, at) => [value, second[at]]), [first.length, 1, 1, 2]);

const byHand = () => ({
  ...normaliseBatch(channels([1, 3], [-6, 6]), {
    weight: vector(2, 1),
    bias: vector(10, 0),
    runningMean: vector(5, -1),
    runningVariance: vector(1, 4),
  }),
});

for (const backend of ["native", "plain"]) {
  Deno.test(`batch normalisation equals a hand calculation on the ${backend} backend`, async () => {
    const { y, runningMean, runningVariance } = backend === "native"
      ? await readAll(byHand())
      : await onPlainBackend(byHand);
    // means 2 and 0, variances 1 and 36, unbiased 2 and 72; momentum 0.1
    assertClose(y, [8, -1, 12, 1], 1e-5, "y");
    assertClose(runningMean, [0.9 * 5 + 0.1 * 2, -0.9], 1e-6, "running mean");
    assertClose(runningVariance, [0.9 + 0.1 * 2, 0.9 * 4 + 0.1 * 72], 1e-6, "running variance");
  });
}

Deno.test("batch normalisation and its gradients agree without the native operation", async () => {
  await assertSameOnBothBackends(() => {
    const inputs = [randomTensor([3, 4, 5, 6], 1), randomTensor([6], 2), randomTensor([6], 3)];
    const running = {
      runningMean: randomTensor<tf.Tensor1D>([6], 4),
      runningVariance: tf.square(randomTensor<tf.Tensor1D>([6], 5)),
    };
    let statistics: Record<string, tf.Tensor> = {};
    const gradients = tf.grads((x, weight, bias) => {
      const { y, ...moved } = normaliseBatch(x as tf.Tensor4D, {
        weight: weight as tf.Tensor1D,
        bias: bias as tf.Tensor1D,
        ...running,
      });
      statistics = { ...moved, y: tf.keep(tf.clone(y)) };
      return y;
    })(inputs, randomTensor([3, 4, 5, 6], 6));
    return { ...statistics, dx: gradients[0], dWeight: gradients[1], dBias: gradients[2] };
  }, 5e-6);
});

Deno.test("only the new running statistics outlive a tidy", () => {
  const [x, weight, bias, runningMean] = [[2, 2, 2, 3], [3], [3], [3]].map((shape, key) =>
    randomTensor(shape, key)
  );
  const norm = { weight, bias, runningMean, runningVariance: tf.ones([3]) } as unknown as Parameters<
    typeof normaliseBatch
  >[1];
  const before = tf.memory().numTensors;
  const moved: tf.Tensor[] = [];
  tf.tidy(() => {
    const { runningMean, runningVariance } = normaliseBatch(x, norm);
    moved.push(runningMean, runningVariance);
  });
  assert.equal(tf.memory().numTensors, before + 2);
  tf.dispose(moved);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("with fixed statistics batch normalisation is a scale and a shift", async () => {
  const norm = {
    weight: vector(2, -1),
    bias: vector(1, 0.5),
    runningMean: vector(3, -2),
    runningVariance: vector(4, 0.25),
  };
  const { scale, shift } = foldNorm(norm);
  const x = channels([5, 1, 0], [3, -2, 7]);
  const expected = [5, 1, 0].flatMap((value, at) => [
    (value - 3) / Math.sqrt(4 + 1e-5) * 2 + 1,
    -([3, -2, 7][at] + 2) / Math.sqrt(0.25 + 1e-5) + 0.5,
  ]);
  assertClose(await tf.add(tf.mul(x, scale), shift).data(), expected, 1e-6, "y");
});

for (const shortcut of [false, true]) {
  for (const relu of [false, true]) {
    Deno.test(`batch normalisation ${shortcut ? "with" : "without"} a shortcut, ReLU ${relu}, agrees with its fused operation`, async () => {
      await assertSameOnBothBackends(() => withGradients({ shortcut, relu }), 5e-6);
    });
  }
}

/** Batch normalisation of 32 channels, for which there is an operation on the CPU, and what follows. */
function withGradients(epilogue: { shortcut: boolean; relu: boolean }): Record<string, tf.Tensor> {
  const inputs = [[5, 4, 3, 32], [32], [32], [5, 4, 3, 32]].map((shape, key) => randomTensor(shape, key));
  const running = {
    runningMean: randomTensor<tf.Tensor1D>([32], 4),
    runningVariance: tf.ones<tf.Rank.R1>([32]),
  };
  let statistics: Record<string, tf.Tensor> = {};
  const gradients = tf.grads((...values) => {
    const [x, weight, bias, shortcut] = values as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D, tf.Tensor4D];
    const norm = { weight, bias, ...running };
    const { y, ...moved } = normaliseBatch(x, norm, {
      relu: epilogue.relu,
      ...(epilogue.shortcut && { shortcut }),
    });
    statistics = { ...moved, y: tf.keep(tf.clone(y)) };
    return epilogue.shortcut ? y : tf.add(y, tf.mul(shortcut, 0)); // each input has a gradient
  })(inputs, randomTensor([5, 4, 3, 32], 6));
  return {
    ...statistics,
    ...Object.fromEntries(gradients.map((gradient, at) => [`gradient ${at}`, gradient])),
  };
}

const [ROWS, C] = [4000, 16];
for (
  const [what, x] of Object.entries({
    "for a mean of a thousand deviations": tf.add(randomTensor([ROWS, 1, 1, C], 1), 1000),
    "where the first row is 30 deviations off": tf.concat([
      tf.fill([1, 1, 1, C], 30),
      randomTensor([ROWS - 1, 1, 1, C], 1),
    ]),
    "where the first row is a thousand deviations off": tf.concat([
      tf.fill([1, 1, 1, C], 1000),
      randomTensor([ROWS - 1, 1, 1, C], 1),
    ]),
  })
) {
  Deno.test(`batch normalisation loses no digits ${what}`, () => checkStatistics(x as tf.Tensor4D));
}

async function checkStatistics(x: tf.Tensor4D): Promise<void> {
  const rows = ROWS, values = await x.data();
  const vectors = {
    weight: tf.ones([C]),
    bias: tf.zeros([C]),
    runningMean: tf.zeros([C]),
    runningVariance: tf.zeros([C]),
  };
  const { runningMean, runningVariance } = normaliseBatch(x, vectors as Parameters<typeof normaliseBatch>[1]);
  const column = (c: number) => Float64Array.from({ length: rows }, (_, row) => values[row * C + c]);
  const mean = (list: Float64Array) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const means = Array.from({ length: C }, (_, c) => mean(column(c)));
  const variances = means.map((middle, c) =>
    mean(column(c).map((value) => (value - middle) ** 2)) * rows / (rows - 1)
  );
  assertClose(await runningMean.data(), means.map((value) => 0.1 * value), 1e-7, "mean");
  assertClose(await runningVariance.data(), variances.map((value) => 0.1 * value), 1e-6, "variance");
}
