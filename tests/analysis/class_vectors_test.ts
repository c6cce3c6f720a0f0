import assert from "node:assert/strict";
import {
  compareMatrices,
  cosineSimilarity,
  measureLinearity,
  rankPairs,
  readClassVectors,
} from "../../lib/analysis/class_vectors.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { isGenerated } from "../../lib/model/spec.ts";
import { forward } from "../../lib/model/network.ts";
import { createRandom } from "../../lib/support/random.ts";
import { mean } from "../../lib/support/statistics.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { countTensors, randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("the filters are those of the network", async () => {
  for (
    const [variant, rows] of [["dynamic", 10], ["dynamic-names", 10], ["static-per-class", 10], [
      "static-shared",
      1,
    ]] as const
  ) {
    const spec = networkSpec({ variant });
    const network = createNetwork(spec, { seed: 1 });
    const { filters, embeddings, saturated } = await readClassVectors(network, spec);
    assert.equal(saturated, isGenerated(variant) ? 0 : null);
    const used = forward(network, randomTensor([1, 32, 32, 3]), { ...spec, mode: "evaluate" }).filters;
    assert.equal(filters.length, rows);
    assertClose(filters.flat(), await used.data(), 1e-6, variant);
    assert.equal(embeddings?.length, isGenerated(variant) ? 10 : undefined);
  }
});

Deno.test("generator outputs near ±1 are saturated", async () => {
  const network = createNetwork(networkSpec(), { seed: 1 });
  network["weights_generator.2.weight"] = tf.zeros([64, 256]);
  network["weights_generator.2.bias"] = tf.tensor1d(
    Array.from({ length: 64 }, (_, at) => [5, -5, 1, 0][at % 4]),
  );
  assert.equal((await readClassVectors(network, networkSpec())).saturated, 0.5);
});

Deno.test("the cosine of parallel, opposite and perpendicular vectors is 1, −1 and 0", () => {
  assert.deepEqual(cosineSimilarity([[1, 0], [3, 0], [-2, 0], [0, 5], [0, 0]]), [
    [1, 1, -1, 0, 0],
    [1, 1, -1, 0, 0],
    [-1, -1, 1, 0, 0],
    [0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0],
  ]);
});

Deno.test("pairs are sorted by a symmetric matrix", () => {
  const pairs = rankPairs([[9, 1, 5], [3, 9, 0], [1, 2, 9]]);
  assert.deepEqual(pairs, [
    { one: 0, other: 2, value: 3 },
    { one: 0, other: 1, value: 2 },
    { one: 1, other: 2, value: 1 },
  ]);
});

const random = createRandom(5);
const symmetric = (value: (i: number, j: number) => number) => {
  const matrix = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  for (let i = 0; i < 10; i++) for (let j = 0; j <= i; j++) matrix[i][j] = matrix[j][i] = value(i, j);
  return matrix;
};

Deno.test("matrices with the same order of pairs correlate fully, with a small p-value", () => {
  const one = symmetric(random.normal);
  const { correlation, chance, pairs } = compareMatrices(one, one.map((row) => row.map((x) => x ** 3)), {
    seed: 0,
  });
  assert.ok(Math.abs(correlation - 1) < 1e-12);
  assert.equal(pairs, 45);
  assert.ok(chance < 0.002);
  const opposite = compareMatrices(one, one.map((row) => row.map((value) => -value)), { seed: 0 });
  assert.ok(Math.abs(opposite.correlation + 1) < 1e-12 && opposite.chance < 0.002); // in size
});

Deno.test("unrelated matrices have a large p-value, and the diagonal is ignored", () => {
  const [one, other] = [symmetric(random.normal), symmetric(random.normal)];
  const result = compareMatrices(one, other, { seed: 0 });
  assert.ok(result.chance > 0.05);
  const opposite = other.map((row) => row.map((value) => -value));
  assert.equal(compareMatrices(one, opposite, { seed: 0 }).chance, result.chance); // either way counts
  const loud = other.map((row, i) => row.map((value, j) => i === j ? 100 : value));
  assert.deepEqual(compareMatrices(one, loud, { seed: 0 }), result);
  assert.deepEqual(compareMatrices(one, other, { seed: 0 }), result); // seeded
});

Deno.test("a linear generator has cosine 1 between all classes, a bent one less", async () => {
  await useNativeTensorFlow({ device: "cpu" });
  const spec = networkSpec();
  const network = createNetwork(spec, { seed: 4 });
  const before = countTensors().tensors;
  const bent = await measureLinearity(network, spec);
  assert.equal(countTensors().tensors, before);
  assert.equal(bent.length, 45);
  assert.ok(bent.every((cosine) => cosine > 0 && cosine < 0.999));
  // no hidden unit switches, and tanh is straight: only the lengths of two filters differ
  const last = tf.mul(network["weights_generator.2.weight"], 1e-3);
  const linear = {
    ...network,
    "weights_generator.0.bias": tf.fill([256], 20),
    "weights_generator.2.weight": last,
    "weights_generator.2.bias": tf.mul(tf.sum(last, 1), -20),
  };
  const straight = await measureLinearity(linear, spec);
  assert.ok(
    Math.min(...straight) > 0.96 && mean(straight) > 0.99 && mean(bent) < 0.95,
    `${mean(bent)} ${straight}`,
  );
  const stored = networkSpec({ variant: "static-per-class" });
  await assert.rejects(measureLinearity(createNetwork(stored), stored), RangeError);
});
