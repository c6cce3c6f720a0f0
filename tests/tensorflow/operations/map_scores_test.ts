import assert from "node:assert/strict";
import { canScoreMaps, type Perceptron, scoreMaps } from "../../../lib/tensorflow/operations/map_scores.ts";
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

type Score = (maps: tf.Tensor4D, filters: tf.Tensor2D, perceptron: Perceptron) => tf.Tensor2D;

const composed: Score = (maps, filters, { hiddenWeight, hiddenBias, outputWeight, outputBias }) => {
  const [[B, H, W, C], K] = [maps.shape, filters.shape[0]];
  const pixels = tf.reshape(maps, [B, H * W, C]);
  const responses = tf.matMul(tf.tile(tf.expandDims(filters, 0), [B, 1, 1]), pixels, false, true); // [B,K,P]
  const rows = tf.reshape(responses, [B * K, H * W]) as tf.Tensor2D;
  const hidden = tf.relu(tf.add(tf.matMul(rows, hiddenWeight, false, true), hiddenBias)) as tf.Tensor2D;
  return tf.reshape(tf.add(tf.matMul(hidden, outputWeight, false, true), outputBias), [B, K]);
};

interface ScoredSize extends Size {
  units: number;
}

function inputsOf({ B, H, W, C, K, units }: ScoredSize): tf.Tensor[] {
  return [[B, H, W, C], [K, C], [units, H * W], [units], [1, units], [1]].map((shape, at) =>
    randomTensor(shape, at)
  );
}

function run(score: Score, [maps, filters, hiddenWeight, hiddenBias, outputWeight, outputBias]: tf.Tensor[]) {
  const perceptron = { hiddenWeight, hiddenBias, outputWeight, outputBias } as Perceptron;
  return score(maps as tf.Tensor4D, filters as tf.Tensor2D, perceptron);
}

function withGradients(size: ScoredSize, score: Score): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const inputs = inputsOf(size), dScores = randomTensor([size.B, size.K], 9);
    const gradients = tf.grads((...values) => run(score, values))(inputs, dScores);
    return { scores: run(score, inputs), ...Object.fromEntries(gradients.map((d, at) => [`d_${at}`, d])) };
  });
}

for (
  const size of [
    { B: 128, H: 8, W: 8, C: 64, K: 10, units: 64 },
    { B: 1, H: 8, W: 8, C: 64, K: 10, units: 64 },
    { B: 3, H: 4, W: 12, C: 16, K: 1, units: 32 },
    { B: 17, H: 2, W: 8, C: 48, K: 33, units: 16 },
  ]
) {
  Deno.test(`scores of maps and their gradients equal those of single operations: ${Object.values(size)}`, async () => {
    const expected = await onPlainBackend(() => withGradients(size, composed));
    assertAllClose(await readAll(withGradients(size, scoreMaps)), expected, 4e-6);
  });
}

Deno.test("no image has no scores", () => {
  const size = { B: 0, H: 8, W: 8, C: 16, K: 10, units: 16 };
  assert.deepEqual(run(scoreMaps, inputsOf(size)).shape, [0, 10]);
});

Deno.test("NaN in an image's maps or in any parameter shows in its scores", () => {
  const size = { B: 2, H: 8, W: 8, C: 16, K: 10, units: 16 };
  for (let at = 0; at < 6; at++) {
    const inputs = inputsOf(size);
    const values = inputs[at].dataSync();
    values[values.length - 1] = NaN;
    inputs[at] = tf.tensor(values, inputs[at].shape);
    const [first, last] = run(scoreMaps, inputs).arraySync().map((scores) => scores.some(Number.isNaN));
    assert.equal(last, true, `input ${at}`);
    assert.equal(first, at > 0, `input ${at}`);
  }
});

Deno.test("the operation needs one output, multiples of 16 and a CPU", () => {
  const perceptron = (units: number, outputs: number) => ({
    hiddenWeight: tf.zeros<tf.Rank.R2>([units, 64]),
    hiddenBias: tf.zeros<tf.Rank.R1>([units]),
    outputWeight: tf.zeros<tf.Rank.R2>([outputs, units]),
    outputBias: tf.zeros<tf.Rank.R1>([outputs]),
  });
  assert(canScoreMaps([1, 8, 8, 64], perceptron(64, 1)));
  assert(!canScoreMaps([1, 8, 8, 64], perceptron(64, 10)));
  assert(!canScoreMaps([1, 8, 8, 64], perceptron(24, 1)));
  assert(!canScoreMaps([1, 7, 7, 64], perceptron(64, 1)));
  using _ = gpuRules();
  assert(!canScoreMaps([1, 8, 8, 64], perceptron(64, 1)));
});

Deno.test("scoring maps leaks no tensor", () => {
  const before = tf.memory().numTensors;
  tf.dispose(withGradients({ B: 1, H: 4, W: 4, C: 16, K: 2, units: 16 }, scoreMaps));
  assert.equal(tf.memory().numTensors, before);
});
