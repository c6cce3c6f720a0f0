import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { makeStart, trainStep } from "./small_network.ts";
import { takeTraces } from "./traces.ts";

for (const eager of [false, true]) {
  Deno.test(`hundreds of steps leak no tensor${eager ? ", also eagerly" : ""}`, async () => {
    await useNativeTensorFlow();
    const step = compile(trainStep, { eager });
    let { state, x, labels } = makeStart();
    let expected: ReturnType<typeof takeTraces> | undefined;
    for (let count = 0; count < 300; count++) {
      const { state: next, loss } = step(state, x, labels, 0.9);
      tf.dispose([state, loss]);
      state = next;
      expected ??= takeTraces();
    }
    assert.deepEqual(takeTraces(), expected);
    tf.dispose([state, x, labels]);
    step.dispose();
  });
}

Deno.test("compiling hundreds of times leaks nothing", async () => {
  await useNativeTensorFlow();
  const x = tf.ones([2]);
  tf.neg(x).dispose();
  const before = takeTraces();
  for (let count = 0; count < 200; count++) {
    const fn = compile((x: tf.Tensor) => tf.add(tf.mul(x, count), tf.tensor1d([count, 1])));
    const y = fn(x);
    assert.deepEqual(Array.from(y.dataSync()), [2 * count, count + 1]);
    y.dispose();
    fn.dispose();
  }
  assert.deepEqual(takeTraces(), before);
});
