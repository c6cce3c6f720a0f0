import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { execute, nativeBackend } from "../../../lib/tensorflow/runtime/binding.ts";
import { countGraphs } from "../../../lib/tensorflow/compile/loaded_graph.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { takeTraces } from "./traces.ts";

await useNativeTensorFlow();

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

Deno.test("on another backend the function runs eagerly, with the same result", async () => {
  const fn = compile((state: { weight: tf.Tensor }, x: tf.Tensor) => {
    const hidden = tf.mul(state.weight, x);
    return { hidden: tf.add(hidden, 1), weight: state.weight, kind: "same" };
  });
  const weight = tf.tensor1d([1, 2]),
    x = tf.scalar(3),
    native = fn({ weight }, x),
    tensors = tf.memory().numTensors;
  try {
    await tf.setBackend("cpu");
    assert.equal(nativeBackend(), null);
    assert.throws(
      () => execute("Relu", [], [x]),
      /Cannot run the TensorFlow operation Relu on the backend "cpu"/,
    );
    const plain = fn({ weight }, x);
    assert.equal(tf.memory().numTensors, tensors + 2, "what the function makes on the way is disposed");
    assert.deepEqual([plain.hidden, plain.weight].map(values), [native.hidden, native.weight].map(values));
    assert.equal(plain.kind, "same");
    assert.notEqual(plain.weight, weight, "an argument comes back as a tensor of its own");
    assert.throws(() => compile(async (x: tf.Tensor) => await tf.neg(x))(x), /returns a promise/);
    assert.throws(() => compile((x: tf.Tensor) => [tf.neg(x), new Map()])(x), /is a Map/);
    tf.dispose(plain);
    assert.equal(tf.memory().numTensors, tensors);
  } finally {
    await tf.setBackend("tensorflow");
  }
  assert.deepEqual(values(fn({ weight }, x).hidden), [4, 7]);
  const { eagerCalls, graphs } = fn.statistics();
  assert.deepEqual([eagerCalls, graphs.map(({ calls }) => calls)], [1, [2]]);
  fn.dispose();
});

Deno.test("graphs can be disposed of while another backend is in use", async () => {
  const before = countGraphs(), fn = compile((x: tf.Tensor) => tf.neg(x));
  fn(tf.scalar(1));
  try {
    await tf.setBackend("cpu");
    fn.dispose();
    assert.equal(countGraphs(), before);
  } finally {
    await tf.setBackend("tensorflow");
  }
});

Deno.test("a compiled function inside another becomes part of its graph", () => {
  const before = countGraphs();
  const inner = compile((x: tf.Tensor) => ({ y: tf.mul(x, 2), x }));
  const outer = compile((x: tf.Tensor) => {
    const { y, x: same } = inner(tf.add(x, 1));
    return [y, same, inner(y).y];
  });
  for (const value of [1, 5]) {
    assert.deepEqual(outer(tf.scalar(value)).flatMap(values), [2 * (value + 1), value + 1, 4 * (value + 1)]);
  }
  assert.equal(countGraphs(), before + 1);
  assert.deepEqual(inner.statistics(), { eagerCalls: 2, graphs: [] });
  outer.dispose();
});

Deno.test("a function that compiles and calls another while recorded is one graph", () => {
  const outer = compile((x: tf.Tensor) => compile((x: tf.Tensor) => tf.neg(x))(x));
  assert.deepEqual([values(outer(tf.scalar(1))), values(outer(tf.scalar(2)))], [[-1], [-2]]);
  outer.dispose();
});

Deno.test("under a gradient the function runs eagerly, so that it is differentiable", () => {
  const cube = compile((x: tf.Tensor) => tf.mul(tf.square(x), x)), x = tf.tensor1d([1, 2]);
  const before = takeTraces();
  const slope = tf.grad((x) => cube(x))(x), curvature = tf.grad(tf.grad((x) => cube(x)))(x);
  assert.deepEqual([values(slope), values(curvature)], [[3, 12], [6, 12]]);
  assert.deepEqual(values(tf.grad((x) => compile((x: tf.Tensor) => x)(x))(x)), [1, 1]);
  assert.equal(cube.statistics().graphs.length, 0);
  tf.dispose([slope, curvature]);
  assert.equal(takeTraces().tensors, before.tensors + 1);
  assert.deepEqual(values(cube(x)), [1, 8]);
  assert.equal(cube.statistics().graphs.length, 1);
  cube.dispose();
});

Deno.test("a compiled gradient of a compiled function is one graph", () => {
  const cube = compile((x: tf.Tensor) => tf.mul(tf.square(x), x)),
    slope = compile((x: tf.Tensor) => tf.grad((x) => cube(x))(x));
  assert.deepEqual([values(slope(tf.scalar(2))), values(slope(tf.scalar(3)))], [[12], [27]]);
  assert.deepEqual([cube.statistics().graphs.length, slope.statistics().graphs.length], [0, 1]);
  slope.dispose();
});

Deno.test("under a profile the function runs eagerly, so that its operations are listed", async () => {
  const fn = compile((x: tf.Tensor) => tf.neg(tf.square(x))), x = tf.scalar(3);
  const { kernelNames } = await tf.profile(() => fn(x));
  assert.deepEqual(kernelNames.sort(), ["Neg", "Square"]);
  assert.equal(fn.statistics().graphs.length, 0);
});

Deno.test("in debug mode the function runs eagerly", () => {
  const fn = compile((x: tf.Tensor) => tf.neg(x)), x = tf.scalar(3);
  tf.env().set("DEBUG", true);
  try {
    assert.deepEqual(values(fn(x)), [-3]);
  } finally {
    tf.env().set("DEBUG", false);
  }
  assert.deepEqual([fn.statistics().eagerCalls, fn.statistics().graphs.length], [1, 0]);
});

Deno.test("the option eager runs the function eagerly in every call", () => {
  let runs = 0;
  const fn = compile((x: tf.Tensor) => (runs++, tf.mul(tf.neg(x), 2)), { eager: true }), x = tf.scalar(3);
  const before = takeTraces();
  for (let call = 1; call <= 3; call++) {
    const y = fn(x);
    assert.deepEqual([values(y), runs], [[-6], call]);
    y.dispose();
  }
  const { tensors, handles, graphs } = takeTraces();
  assert.deepEqual([tensors, graphs], [before.tensors, before.graphs]);
  assert.ok(handles <= before.handles + 1, "x alone may have got a handle");
});
