import assert from "node:assert/strict";
import {
  coarsenFeatures,
  computeFeatures,
  evaluateBackbone,
  type Features,
} from "../../lib/analysis/features.ts";
import { probeFeatures } from "../../lib/analysis/linear_probe.ts";
import { applyLinear, collectMoments, solveRidge, solveSymmetric } from "../../lib/analysis/linear_probe.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { createRandom } from "../../lib/support/random.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("a symmetric system is solved", () => {
  const matrix = Float64Array.of(4, 2, 0, 2, 5, 1, 0, 1, 3);
  const right = Float64Array.of(8, 4, 15, 2, 8, 0); // for the solutions 1, 2, 2 and …
  const solution = solveSymmetric(matrix, right, 3, 2);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 2; column++) {
      const sum = [0, 1, 2].reduce((sum, at) => sum + matrix[row * 3 + at] * solution[at * 2 + column], 0);
      assert.ok(Math.abs(sum - right[row * 2 + column]) < 1e-12);
    }
  }
  assert.throws(() => solveSymmetric(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1), 2, 1), RangeError);
});

Deno.test("ridge regression finds the minimum, where the gradient is zero", async () => {
  const random = createRandom(4);
  const [images, length, penalty] = [50, 3, 0.3];
  const labels = Uint8Array.from({ length: images }, () => random.integer(2));
  const values = Float32Array.from(
    { length: images * length },
    (_, at) => 5 + (at % length + 1) * (random.normal() + labels[Math.floor(at / length)]),
  );
  const moments = await collectMoments(values, length, labels, 2);
  const { weights, intercept } = solveRidge(moments, penalty);
  const scores = applyLinear({ weights, intercept, length, classes: 2 }, values);
  for (let label = 0; label < 2; label++) {
    const errors = Array.from(
      labels,
      (truth, image) => scores[image * 2 + label] - (truth === label ? 1 : 0),
    );
    assert.ok(Math.abs(errors.reduce((sum, error) => sum + error, 0)) < 1e-3); // intercept
    for (let at = 0; at < length; at++) {
      const variance = moments.covariance[at * length + at];
      const pull = errors.reduce((sum, error, image) => sum + error * values[image * length + at], 0) /
        images;
      assert.ok(Math.abs(pull + penalty * variance * weights[at * 2 + label]) < 1e-4);
    }
  }
});

/** Features of ten classes: their own direction each, with noise; `dead` more that never vary. */
function makeFeatures(images: number, noise: number, seed: number, dead = 0): Features {
  const random = createRandom(seed);
  const length = 12 + dead;
  const labels = Uint8Array.from({ length: images }, (_, index) => index % 10);
  const values = Float32Array.from({ length: images * length }, (_, at) => {
    const feature = at % length;
    if (feature >= 12) return 2;
    return (feature === labels[Math.floor(at / length)] ? 1 : 0) + noise * random.normal();
  });
  return { values, length, labels };
}

Deno.test("a probe separates classes in orthogonal directions, also with dead features", async () => {
  const probe = await probeFeatures(makeFeatures(500, 0.1, 1, 2), makeFeatures(200, 0.1, 2, 2));
  assert.deepEqual([probe.accuracy, probe.trainAccuracy, probe.n], [1, 1, 200]);
});

Deno.test("a probe of noise is at chance level, within its interval", async () => {
  const noise = (seed: number) => {
    const { values, length, labels } = makeFeatures(400, 1, seed);
    return { values: values.map(createRandom(seed, 1).normal), length, labels };
  };
  const { accuracy, interval } = await probeFeatures(noise(1), noise(2));
  assert.ok(interval[0] < 0.1 && interval[1] > 0.1 && interval[0] < accuracy && accuracy < interval[1]);
  assert.ok(interval[1] - interval[0] < 0.08);
});

Deno.test("the penalty is chosen on held-out training images", async () => {
  // as many features as images to fit: without a penalty the noise is learned by heart
  const make = (images: number, seed: number) => {
    const { values, labels } = makeFeatures(images, 0.5, seed);
    const random = createRandom(seed, 2);
    const length = 96;
    const wide = Float32Array.from({ length: images * length }, (_, at) => {
      const feature = at % length;
      return feature < 12 ? values[Math.floor(at / length) * 12 + feature] : 0.5 * random.normal();
    });
    return { values: wide, length, labels };
  };
  const train = make(120, 5);
  const { penalty } = await probeFeatures(train, make(50, 6), [1e-6, 3, 1e-5]);
  assert.equal(penalty, 3);
  await assert.rejects(probeFeatures(train, makeFeatures(50, 0.5, 6)), RangeError);
});

const network = createNetwork(networkSpec(), { seed: 1 });
const dataset = createSynthetic({ trainSize: 0, testSize: 7 }).test;

Deno.test("features are means of the backbone's feature map over a grid", async () => {
  const images = tf.tensor4d(normaliseImages(dataset.images), [7, 32, 32, 3]);
  const v = await evaluateBackbone(network, images).array();
  const { values, length } = await computeFeatures(network, dataset, { grid: 2 });
  assert.equal(length, 256);
  for (const [row, column, channel] of [[0, 0, 0], [0, 1, 5], [1, 0, 63]]) {
    let mean = 0;
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) mean += v[3][4 * row + y][4 * column + x][channel] / 16;
    }
    assert.ok(Math.abs(values[3 * 256 + (row * 2 + column) * 64 + channel] - mean) < 1e-5);
  }
});

Deno.test("coarser features are means of finer ones", async () => {
  const fine = await computeFeatures(network, dataset, { grid: 4 });
  for (const grid of [1, 2]) {
    const direct = await computeFeatures(network, dataset, { grid });
    assertClose(coarsenFeatures(fine, grid).values, direct.values, 1e-5, `grid ${grid}`);
  }
});

Deno.test("enlarged images have larger maps and the same number of features", async () => {
  const options = { size: 64 } as const;
  const { values, length } = await computeFeatures(network, dataset, options);
  assert.deepEqual([length, values.length], [64, 7 * 64]);
  const small = await computeFeatures(network, dataset);
  assert.throws(() => assertClose(values, small.values, 1e-3, "features"));
});
