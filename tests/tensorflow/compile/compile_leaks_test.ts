import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { keepState } from "../../../lib/tensorflow/compile/keep_state.ts";
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

/** A state of 64 kB, and functions that move it on in a compiled call, or fail at it. */
function makeLoops(): Record<string, () => void> {
  const x = tf.ones([128, 128]), add = (state: tf.Tensor, x: tf.Tensor) => tf.add(tf.mul(state, 0.5), x);
  const compiled = compile(add);
  const pick = compile((x: tf.Tensor, indices: tf.Tensor) => tf.gather(x, indices));
  const outside = tf.tensor1d([128], "int32");
  tf.dispose(pick(x, tf.tensor1d([0], "int32")));
  let state: tf.Tensor = tf.zeros([128, 128]);
  const kept = keepState((state: tf.Tensor, x: tf.Tensor) => [add(state, x), state], tf.zeros([128, 128]));
  return {
    compile: () => {
      const next = compiled(state, x);
      state.dispose();
      state = next;
    },
    keepState: () => tf.dispose(kept(x)),
    "keepState, read and written": () => {
      const state = kept.read();
      kept.write(state);
      tf.dispose([state, kept(x)]);
    },
    "a graph that fails": () => {
      const x = tf.tensor2d(new Float32Array(128 * 128), [128, 128]);
      assert.throws(() => pick(x, outside), /indices/);
      x.dispose();
    },
    "arguments of new arrays": () => {
      const x = tf.tensor2d(new Float32Array(128 * 128), [128, 128]);
      tf.dispose([compiled(state, x), x]);
    },
  };
}

Deno.test("thousands of calls leave the resident memory as it was", async (test) => {
  await useNativeTensorFlow();
  for (const [name, call] of Object.entries(makeLoops())) {
    await test.step(name, () => {
      const run = (calls: number) => {
        for (let count = 0; count < calls; count++) call();
        return Deno.memoryUsage().rss / 2 ** 20;
      };
      const before = run(500), grown = run(4000) - before; // a tensor left at each call would be 250 MB
      assert.ok(grown < 100, `${grown} MB more`);
    });
  }
});
