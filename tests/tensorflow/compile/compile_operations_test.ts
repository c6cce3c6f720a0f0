import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { nativeBackend } from "../../../lib/tensorflow/runtime/binding.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { elementwise } from "./operations/elementwise.ts";
import { gradients, listTensors } from "./operations/gradients.ts";
import { images } from "./operations/images.ts";
import { matrices } from "./operations/matrices.ts";
import { reductions } from "./operations/reductions.ts";
import { shapes } from "./operations/shapes.ts";
import { type Operation, Samples } from "./operations/table.ts";

/** Tolerance, as the graph optimiser may reorder sums: relative to the values, or to 1 for small ones. */
const TOLERANCE = 1e-5;

const TABLES = { elementwise, reductions, shapes, matrices, images, gradients };

for (const [kind, operations] of Object.entries(TABLES)) {
  Deno.test(`compiled and eager agree: ${kind}`, async (test) => {
    await useNativeTensorFlow();
    for (const operation of operations) await test.step(operation.name, () => checkOperation(operation));
  });
}

Deno.test("at least 340 operations and gradients are compared, each once", () => {
  const names = Object.values(TABLES).flat().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 340, `${names.length} operations and gradients`);
});

/**
 * Records the operation with some inputs, runs the graph with others, so that values which were frozen show.
 */
function checkOperation({ run, inputs }: Operation): void {
  const before = countTensors(), compiled = compile(run);
  const recordedWith = inputs(new Samples(1)), ranWith = inputs(new Samples(2));
  tf.dispose(compiled(...recordedWith));
  const actual = compiled(...ranWith),
    expected = tf.tidy(() => run(...ranWith) as tf.TensorContainer) as typeof actual;
  assert.equal(compiled.statistics().graphs.length, 1, "another graph for the same shapes");
  const pairs = listTensors(expected).map((tensor, index) => [listTensors(actual)[index], tensor]);
  assert.equal(listTensors(actual).length, pairs.length);
  assert.ok(pairs.length > 0);
  for (const [one, other] of pairs) assertSame(one, other);
  tf.dispose([recordedWith, ranWith, actual, expected]);
  compiled.dispose();
  assert.deepEqual(countTensors(), before, "tensors left behind");
}

function assertSame(actual: tf.Tensor, expected: tf.Tensor): void {
  assert.equal(actual.dtype, expected.dtype);
  assert.deepEqual(actual.shape, expected.shape);
  const values = actual.dataSync();
  for (const [index, value] of expected.dataSync().entries()) {
    const other = values[index];
    const same = Object.is(value, other) ||
      Math.abs(value - other) <= TOLERANCE * Math.max(1, Math.abs(value));
    assert.ok(same, `element ${index}: ${other} compiled, ${value} eagerly`);
  }
}

function countTensors(): number[] {
  return [tf.memory().numTensors, nativeBackend()!.binding.getNumOfTensors()];
}
