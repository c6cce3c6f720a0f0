// TensorFlow's graph optimiser fuses an activation with the bias or the normalisation before it
import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import {
  executeMany,
  floatAttribute,
  stringAttribute,
  typeAttribute,
} from "../../../lib/tensorflow/runtime/binding.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { convolve3x3Direct, convolve3x3Winograd } from "../../../lib/tensorflow/operations/convolution.ts";
import { normaliseBatch } from "../../../lib/tensorflow/operations/batch_norm.ts";
import { addBias, matMul, relu } from "../../../lib/tensorflow/operations/dense.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { randomTensor } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

/** Random values, and one NaN. */
function withNaN<T extends tf.Tensor>(shape: number[], key: number): T {
  const values = randomTensor(shape, key).dataSync().slice();
  values[values.length >> 1] = NaN;
  return tf.tensor(values, shape) as T;
}

const kernel = withNaN<tf.Tensor4D>([3, 3, 16, 32], 1), weight = withNaN<tf.Tensor2D>([16, 32], 2);
const bias = randomTensor<tf.Tensor1D>([32], 3), vector = tf.ones([32]) as tf.Tensor1D;
const images = randomTensor([2, 8, 8, 16], 4), rows = randomTensor<tf.Tensor2D>([5, 16], 5);
const FLOATS = [typeAttribute("T", "float32"), typeAttribute("U", "float32")];

function normalise(x: tf.Tensor): tf.Tensor {
  const attributes = [...FLOATS, floatAttribute("epsilon", 1e-5), stringAttribute("data_format", "NHWC")];
  const vectors = Array.from({ length: 4 }, () => tf.ones([32]));
  return executeMany("FusedBatchNormV3", attributes, [x, ...vectors], 6)[0];
}

const BEFORE: Record<string, [(x: tf.Tensor, y: tf.Tensor, bias: tf.Tensor1D) => tf.Tensor, tf.Tensor[]]> = {
  "convolution and bias": [
    (x, kernel, bias) => addBias(tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, "same"), bias),
    [images, kernel],
  ],
  "product and bias": [(x, w, bias) => addBias(matMul(x as tf.Tensor2D, w as tf.Tensor2D), bias), [
    rows,
    weight,
  ]],
  "convolution and normalisation": [
    (x, kernel) => normalise(tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, "same")),
    [images, kernel],
  ],
};
const ACTIVATIONS = { relu, "tf.relu": tf.relu, "tf.relu6": tf.relu6, "tf.elu": tf.elu, "tf.tanh": tf.tanh };

const countNaN = (tensor: tf.Tensor) => tensor.dataSync().filter((value) => Number.isNaN(value)).length;

for (const [before, [compute, inputs]] of Object.entries(BEFORE)) {
  for (const [name, activation] of Object.entries(ACTIVATIONS)) {
    Deno.test(`NaN passes ${name} after ${before}, compiled as eagerly`, () => {
      const run = (...args: tf.Tensor[]) => activation(compute(args[0], args[1], args[2] as tf.Tensor1D));
      const expected = countNaN(run(...inputs, bias)), compiled = compile(run);
      assert.ok(expected > 0);
      assert.equal(countNaN(compiled(...inputs, bias)), expected);
      compiled.dispose();
    });
  }
}

Deno.test("NaN passes the ReLUs of the package's own operations", () => {
  const direct = convolve3x3Direct(images, kernel, { bias, relu: true });
  assert.ok(countNaN(direct) > 0);
  assert.equal(countNaN(convolve3x3Winograd(images, kernel, { bias, relu: true })), countNaN(direct));
  const norm = { weight: vector, bias, runningMean: bias, runningVariance: vector };
  const { y } = normaliseBatch(direct, norm, { relu: true });
  assert.equal(countNaN(y), countNaN(normaliseBatch(direct, norm).y));
});
