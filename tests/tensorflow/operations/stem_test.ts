import assert from "node:assert/strict";
import { normaliseBatch, type NormTensors } from "../../../lib/tensorflow/operations/batch_norm.ts";
import { canFuseStem, normaliseStem, runStem } from "../../../lib/tensorflow/operations/stem.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import {
  assertAllClose,
  gpuRules,
  onPlainBackend,
  randomTensor,
  readAll,
  type Size,
} from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const SIZES: Size[] = [
  { B: 3, H: 32, W: 32, C: 3, K: 64 },
  { B: 1, H: 32, W: 32, C: 3, K: 16 },
  { B: 2, H: 31, W: 29, C: 3, K: 32 },
  { B: 5, H: 6, W: 2, C: 4, K: 16 },
  { B: 4, H: 1, W: 9, C: 1, K: 48 },
  { B: 9, H: 1, W: 1, C: 2, K: 16 },
  { B: 2, H: 70, W: 41, C: 3, K: 16 },
];

/** PyTorch's padding on all four sides. */
const pad = (x: tf.Tensor4D, rows: number, value: number) =>
  tf.pad(x, [[0, 0], [rows, rows], [rows, rows], [0, 0]], value);

const convolve = (images: tf.Tensor4D, kernel: tf.Tensor4D) =>
  tf.conv2d(pad(images, 3, 0), kernel, 2, "valid");
const maxPool = (x: tf.Tensor4D) => tf.maxPool(pad(x, 1, 0), 3, 2, "valid"); // of what a ReLU has left

type Stem = (
  images: tf.Tensor4D,
  kernel: tf.Tensor4D,
  norm: NormTensors,
) => ReturnType<typeof normaliseBatch>;

const composed: Stem = (images, kernel, norm) => {
  const { y, ...statistics } = normaliseBatch(convolve(images, kernel), norm, { relu: true });
  return { y: maxPool(y), ...statistics };
};

/** Results and gradients for random tensors; `shift` is added to the images. */
function withGradients({ B, H, W, C, K }: Size, stem: Stem, shift = 0): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const images = tf.add<tf.Tensor4D>(randomTensor([B, H, W, C], 1), shift);
    const inputs = [randomTensor([7, 7, C, K], 2), randomTensor([K], 3), randomTensor([K], 4)];
    const running = {
      runningMean: randomTensor<tf.Tensor1D>([K], 5),
      runningVariance: tf.square(randomTensor<tf.Tensor1D>([K], 6)),
    };
    let after: Record<string, tf.Tensor> = {};
    const { value, grads: [kernel, weight, bias] } = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
      const [kernel, weight, bias] = inputs as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
      const { y, ...statistics } = stem(images, kernel, { weight, bias, ...running });
      after = { ...statistics, y: tf.keep(tf.clone(y)) };
      return tf.sum(tf.mul(y, randomTensor(y.shape, 7)));
    })(inputs);
    return { ...after, value, kernel, weight, bias };
  });
}

for (const size of SIZES) {
  const { B, H, W, C, K } = size;
  Deno.test(`the stem and its gradients equal its layers on ${B} images of ${H}×${W}×${C} to ${K}`, async () => {
    const expected = await onPlainBackend(() => withGradients(size, composed));
    assertAllClose(await readAll(withGradients(size, normaliseStem)), expected, 2e-5);
  });
}

Deno.test("the stem is right where channels are far from zero", async () => {
  const size = { B: 4, H: 16, W: 16, C: 3, K: 16 };
  const expected = await readAll(withGradients(size, composed, 1000));
  assertAllClose(await readAll(withGradients(size, normaliseStem, 1000)), expected, 2e-3);
});

for (const { H, W, C, K } of SIZES) {
  Deno.test(`the stem with fixed statistics equals its layers on images of ${H}×${W}×${C} to ${K}`, async () => {
    const [kernel, bias] = [randomTensor([7, 7, C, K], 2), randomTensor<tf.Tensor1D>([K], 3)];
    for (const B of [0, 1, 5]) {
      const images = randomTensor([B, H, W, C], 1);
      const y = runStem(images, kernel, bias);
      assert.deepEqual(y.shape, [B, Math.ceil(H / 4), Math.ceil(W / 4), K]);
      if (B === 0) continue;
      const expected = { y: maxPool(tf.relu(tf.add(convolve(images, kernel), bias))) };
      assertAllClose(await readAll({ y }), await readAll(expected), 4e-6);
    }
  });
}

Deno.test("a channel of weight 0 gets its gradients from the first pixel with the largest value", async () => {
  const stem = (run: Stem) => () =>
    withGradients({ B: 2, H: 8, W: 8, C: 3, K: 16 }, (images, kernel, norm) => {
      const some = tf.cast<tf.Tensor1D>(tf.less(tf.range(0, 16), 8), "float32");
      return run(images, kernel, { ...norm, weight: tf.mul(norm.weight, some), bias: tf.abs(norm.bias) });
    });
  const { weight: _one, ...expected } = await readAll(stem(composed)()); // no weight has a slope at 0
  const { weight: _other, ...actual } = await readAll(stem(normaliseStem)());
  assertAllClose(actual, expected, 1e-5);
});

Deno.test("NaN in one image shows in its maps, and in training in all", () => {
  const images = randomTensor([2, 32, 32, 3], 1), kernel = randomTensor([7, 7, 3, 16], 2);
  const values = images.dataSync();
  values[(5 * 32 + 5) * 3] = NaN;
  const broken = tf.tensor4d(values as Float32Array, [2, 32, 32, 3]);
  const fixed = runStem(broken, kernel, tf.zeros([16])).unstack().map((maps) => maps.dataSync());
  assert.deepEqual(fixed.map((maps) => maps.some(Number.isNaN)), [true, false]);
  const ones = tf.ones<tf.Rank.R1>([16]);
  const norm = { weight: ones, bias: ones, runningMean: ones, runningVariance: ones };
  assert(normaliseStem(broken, kernel, norm).y.dataSync().every(Number.isNaN));
});

Deno.test("the stem's operations need seven rows, few colours, multiples of 16 channels and a CPU", () => {
  assert(canFuseStem([7, 7, 3, 64]));
  for (const shape of [[5, 5, 3, 64], [7, 7, 5, 64], [7, 7, 3, 24]]) assert(!canFuseStem(shape));
  using _ = gpuRules();
  assert(!canFuseStem([7, 7, 3, 64]));
});

Deno.test("the stem leaks no tensor", () => {
  const before = tf.memory().numTensors;
  tf.dispose(withGradients(SIZES[3], normaliseStem));
  assert.equal(tf.memory().numTensors, before);
});
