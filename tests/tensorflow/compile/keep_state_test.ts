import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { CompileError } from "../../../lib/tensorflow/errors.ts";
import { keepState } from "../../../lib/tensorflow/compile/keep_state.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import {
  assertSameValues,
  countTensors,
  onPlainBackend,
  randomTensor,
  readAll,
} from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

type State = { sums: { x: tf.Tensor; y: tf.Tensor }; fixed: tf.Tensor };

/** Each sum depends on the other's old value, so the order of reading and writing shows. */
function add({ sums: { x, y }, fixed }: State, values: tf.Tensor): [State, { before: tf.Tensor }] {
  const next = { x: tf.add(y, tf.sum(values)), y: tf.sub(tf.mul(x, 0.5), fixed) };
  return [{ sums: next, fixed }, { before: tf.stack([x, y]) }];
}

const start = (): State => ({ sums: { x: tf.scalar(1), y: tf.scalar(2) }, fixed: tf.scalar(0.25) });

/** What ten calls give, one after the other, and the state after them. Every third call has another shape. */
function run(
  step: (values: tf.Tensor) => { before: tf.Tensor },
  read: () => State,
): Record<string, tf.Tensor> {
  const results: Record<string, tf.Tensor> = {};
  for (let call = 0; call < 10; call++) {
    const values = randomTensor([call % 3 === 0 ? 5 : 3], call);
    results[`call ${call}`] = step(values).before;
    values.dispose();
  }
  const { sums: { x, y }, fixed } = read();
  return { ...results, x, y, fixed };
}

function runKept(): Record<string, tf.Tensor> {
  const initial = start();
  const step = keepState(add, initial);
  tf.dispose([initial]); // the graph has a copy
  const results = run(step, step.read);
  step.dispose();
  return results;
}

Deno.test("a state kept in the graph equals one that is passed in and out", async () => {
  const compiled = compile(add);
  let state = start();
  const step = (values: tf.Tensor) => {
    const [next, result] = compiled(state, values);
    state = next;
    return result;
  };
  const expected = await readAll(run(step, () => state));
  compiled.dispose();
  assertSameValues(await readAll(runKept()), expected);
  assertSameValues(await onPlainBackend(runKept), expected, "on another backend");
});

Deno.test("a state can be replaced, and read before the first call", async () => {
  const step = keepState(add, start());
  assert.deepEqual(await step.read().sums.x.data(), new Float32Array([1]));
  tf.dispose([step(tf.tensor1d([4]))]);
  step.write({ ...start(), sums: { x: tf.scalar(10), y: tf.scalar(20) } });
  assert.deepEqual(await step.read().sums.y.data(), new Float32Array([20]));
  assert.deepEqual(await step(tf.tensor1d([4])).before.data(), new Float32Array([10, 20]));
  assert.deepEqual(await step.read().sums.x.data(), new Float32Array([24]));
  step.dispose();
});

Deno.test("a read state does not change with later calls", async () => {
  const step = keepState(add, start());
  tf.dispose([step(tf.tensor1d([4]))]);
  const { sums } = step.read();
  for (let call = 0; call < 3; call++) tf.dispose([step(tf.tensor1d([1]))]);
  assert.deepEqual(await sums.x.data(), new Float32Array([6]));
  step.dispose();
});

Deno.test("keeping a state leaks no tensor and no graph", async () => {
  await readAll(runKept());
  const before = countTensors();
  for (let time = 0; time < 3; time++) await readAll(runKept());
  assert.deepEqual(countTensors(), before);
});

Deno.test("a state that changes its structure is refused without leaks", () => {
  const initial = { a: tf.scalar(1), b: tf.scalar(2) };
  const renamed = keepState(({ a, b }: typeof initial) => [{ b, a } as typeof initial, null], initial);
  const grown = keepState(
    ({ a, b }: typeof initial) => [{ a: tf.stack([a, b]) as tf.Scalar, b }, null],
    initial,
  );
  const fail = () => {
    for (const step of [renamed, grown]) {
      assert.throws(
        step,
        (error) => error instanceof CompileError && /must keep its structure/.test(error.message),
      );
    }
  };
  fail(); // the first use of a number gives it a handle
  const before = countTensors();
  fail();
  assert.deepEqual(countTensors(), before);
  assert.throws(() => renamed.write({ a: tf.scalar(1) } as typeof initial), /must keep its structure/);
  renamed.dispose();
  grown.dispose();
});

Deno.test("keepState refuses what compile refuses", () => {
  const outside = tf.scalar(3);
  const step = keepState((x: tf.Tensor) => [tf.add(x, outside), null], tf.scalar(1) as tf.Tensor);
  assert.throws(step, /uses a tensor from outside/);
  step.dispose();
});

Deno.test("a step that fails leaves the whole state as it was", async () => {
  const step = keepState(
    (state: { count: tf.Tensor; picked: tf.Tensor }, index: tf.Tensor) => {
      const count = tf.add(state.count, 1);
      return [{ count, picked: tf.gather(state.picked, index) }, tf.mul(count, 2)];
    },
    { count: tf.scalar(0), picked: tf.tensor1d([5, 6]) as tf.Tensor },
  );
  const [good, bad] = [[1, 1], [1, 7]].map((indices) => tf.tensor1d(indices, "int32"));
  tf.dispose(step(good));
  for (let time = 0; time < 20; time++) {
    assert.throws(() => step(bad), /^CompileError: keepState: the graph of .* failed: /);
    const { count, picked } = step.read();
    assert.deepEqual([await count.data(), await picked.data()], [Float32Array.of(1), Float32Array.of(6, 6)]);
    tf.dispose([count, picked]);
  }
  assert.deepEqual(await step(good).data(), Float32Array.of(4));
  step.dispose();
});

Deno.test("a step whose result fails leaves the state as it was", async () => {
  const step = keepState(
    (count: tf.Tensor, index: tf.Tensor) => [tf.add(count, 1), tf.gather(tf.exp(tf.ones([2000])), index)],
    tf.scalar(0) as tf.Tensor,
  );
  const [good, bad] = [[0], [2000]].map((index) => tf.tensor1d(index, "int32"));
  tf.dispose(step(good));
  for (let time = 0; time < 20; time++) {
    assert.throws(() => step(bad), CompileError);
    assert.deepEqual(await step.read().data(), Float32Array.of(1));
  }
  step.dispose();
});

Deno.test("a state shares no memory with the arrays that it was made of", async () => {
  // TensorFlow takes an array that lies at a multiple of 64 bytes as it is, so a few are tried
  for (let time = 0; time < 40; time++) {
    const arrays = [1, 2, 3].map((value) => new Float32Array(16).fill(value));
    const [initial, written, given] = arrays.map((array) => tf.tensor1d(array) as tf.Tensor);
    const step = keepState((state: tf.Tensor, next: tf.Tensor) => [tf.reshape(next, [16]), state], initial);
    const first = step.read();
    step.write(written);
    const before = step(given);
    const after = step.read();
    for (const array of arrays) array.fill(-1);
    const values = await Promise.all([first, before, after, step.read()].map((tensor) => tensor.data()));
    assert.deepEqual(values.map((list) => list[0]), [1, 2, 3, 3]);
    step.dispose();
  }
});

Deno.test("after dispose, in a compiled function and on another backend it is refused in a sentence", async () => {
  const step = keepState(add, start()), x = tf.tensor1d([4]);
  const outer = compile((x: tf.Tensor) => step(x));
  assert.throws(() => outer(x), { message: /^keepState: add cannot be called in a compiled function/ });
  tf.dispose([step(x)]);
  await onPlainBackend(() => {
    assert.throws(() => step(x), { message: /^keepState: add has its state in a graph\. Read it, change/ });
    return {};
  });
  step.dispose();
  step.dispose();
  for (const use of [() => step(x), step.read, () => step.write(start())]) {
    assert.throws(use, { name: "CompileError", message: /^keepState: add was disposed of/ });
  }
});

Deno.test("in debug mode, under a profile and under a gradient the function runs, and the state moves on", async () => {
  const step = keepState(
    (sum: tf.Tensor, x: tf.Tensor) => [tf.add(sum, x), tf.square(x)],
    tf.scalar(0) as tf.Tensor,
  );
  const x = tf.scalar(3) as tf.Tensor;
  tf.dispose(step(x));
  tf.env().set("DEBUG", true);
  try {
    tf.dispose(step(x));
  } finally {
    tf.env().set("DEBUG", false);
  }
  assert.ok((await tf.profile(() => step(x))).kernelNames.includes("Add"));
  assert.deepEqual(await tf.grad((x) => step(x))(x).data(), Float32Array.of(6));
  tf.dispose(step(x));
  assert.deepEqual(await step.read().data(), Float32Array.of(15));
  step.dispose();
});
