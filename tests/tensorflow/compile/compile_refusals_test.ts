import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { execute, intAttribute, typeAttribute } from "../../../lib/tensorflow/runtime/binding.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { CompileError } from "../../../lib/tensorflow/errors.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { takeTraces } from "./traces.ts";

await useNativeTensorFlow();

/** Made before the functions below run: from outside, for them. */
interface Outside {
  /** With values that TensorFlow has not seen yet. */
  fresh: tf.Tensor1D;
  /** With a handle. */
  used: tf.Tensor1D;
  variable: tf.Variable;
}

/** What cannot be recorded: a function that does it, and the sentence that names the cure. */
type Refusal = [what: string, fn: (x: tf.Tensor1D, outside: () => Outside) => unknown, message: RegExp];

const OUTSIDE =
  /^compile: f uses a tensor from outside \(in .*\).* Pass it as an argument, name it in the option/;
const READS = /^compile: f reads a tensor's values .* Return the tensor and read it after the call\.$/;
const PROMISE = /^compile: f returns a promise\. Make it an ordinary function/;
const STRINGS = /^compile: .* a tensor of strings; a graph has numbers and flags only\./;
const RANDOM = /^compile: f draws random numbers without a seed.* or give a seed\.$/;
const VARIABLE = /^compile: f makes a variable.* Take the state as an argument, and return the next\.$/;

const SHAPE =
  /^compile: f uses the operation \w+, the shape of whose result depends on values.* Run it outside and pass/;

const REFUSALS: Refusal[] = [
  ["the number of different values", (x) => tf.mul(x, tf.unique(x).values.size), SHAPE],
  ["the indices of what holds", (x) => execute("Where", [typeAttribute("T", "float32")], [x]), SHAPE],
  ["boxes that overlap little", (x) => tf.image.nonMaxSuppression(tf.zeros([2, 4]), x, 2), SHAPE],
  [
    "a size that is computed",
    (x) =>
      execute("Fill", [typeAttribute("T", "float32"), typeAttribute("index_type", "int32")], [
        tf.cast(tf.reshape(tf.max(x), [1]), "int32"),
        tf.scalar(1),
      ]),
    SHAPE,
  ],
  ["an operation that reads flags", (x) => tf.whereAsync(tf.greater(x, 0)), READS],
  ["a tensor from outside", (x, outside) => tf.add(x, outside().fresh), OUTSIDE],
  ["a tensor from outside that was used before", (x, outside) => tf.add(x, outside().used), OUTSIDE],
  ["a reshaped tensor from outside", (x, outside) => tf.add(x, tf.reshape(outside().fresh, [1, 2])), OUTSIDE],
  ["a tensor from outside as result", (x, outside) => [tf.neg(x), outside().used], OUTSIDE],
  ["a fresh tensor from outside as result", (x, outside) => [tf.neg(x), outside().fresh], OUTSIDE],
  [
    "a tensor from outside in a gradient",
    (x, outside) => tf.grad((x) => tf.mul(x, outside().used))(x),
    OUTSIDE,
  ],
  ["a variable from outside", (x, outside) => tf.mul(x, outside().variable), OUTSIDE],
  [
    "an optimizer",
    (x, outside) => tf.train.sgd(0.1).minimize(() => tf.sum(tf.mul(x, outside().variable)), true),
    OUTSIDE,
  ],
  ["reading a tensor from outside", (x, outside) => tf.mul(x, outside().used.dataSync()[0]), OUTSIDE],
  ["reading a fresh tensor from outside", (x, outside) => tf.mul(x, outside().fresh.dataSync()[0]), OUTSIDE],
  ["dataSync of an argument", (x) => tf.mul(x, x.dataSync()[0]), READS],
  ["arraySync of a result", (x) => tf.mul(x, tf.sum(x).arraySync()), READS],
  ["print", (x) => (tf.print(x), tf.neg(x)), READS],
  ["reading, caught by the function", (x) => attempt(() => tf.mul(x, x.dataSync()[0])) ?? tf.neg(x), READS],
  ["reading after a gather", (x) => tf.mul(tf.gather(x, [0]), x.dataSync()[0]), READS],
  ["two things, told by the first", (x) => (attempt(() => x.dataSync()), tf.mul(x, Math.random())), READS],
  ["data without await", (x) => (x.data(), tf.neg(x)), READS],
  ["array with await", async (x) => tf.mul(x, (await x.array())[0]), READS],
  ["an operation that reads", (x) => tf.booleanMaskAsync(x, tf.greater(x, 0)), READS],
  ["a branch on a value", (x) => tf.sum(x).dataSync()[0] > 0 ? tf.neg(x) : x, READS],
  ["an asynchronous function", async (x) => await tf.neg(x), PROMISE],
  [
    "an asynchronous function that fails",
    async (x) => await Promise.reject(new Error(`${x.shape}`)),
    PROMISE,
  ],
  ["a tensor of strings", (x) => [x, tf.tensor1d(["a", "b"])], STRINGS],
  [
    "an operation that gives strings",
    (x) => execute("AsString", [typeAttribute("T", "float32")], [x]),
    STRINGS,
  ],
  ["Math.random", (x) => tf.mul(x, Math.random()), RANDOM],
  ["randomNormal", (x) => tf.add(x, tf.randomNormal([2])), RANDOM],
  ["randomUniform", (x) => tf.add(x, tf.randomUniform([2])), RANDOM],
  ["truncatedNormal", (x) => tf.add(x, tf.truncatedNormal([2])), RANDOM],
  ["dropout", (x) => tf.dropout(x, 0.5), RANDOM],
  ["multinomial", (x) => tf.multinomial(x, 3), RANDOM],
  [
    "an operation with no seed",
    () =>
      execute("RandomUniform", [typeAttribute("T", "int32"), typeAttribute("dtype", "float32")], [
        tf.tensor1d([2], "int32"),
      ]),
    RANDOM,
  ],
  ["a variable made inside", (x) => tf.mul(x, tf.variable(tf.scalar(2))), VARIABLE],
];

for (const [what, fn, message] of REFUSALS) {
  Deno.test(`refused with a remedy and without leaks: ${what}`, async () => {
    await useNativeTensorFlow();
    const x = tf.tensor1d([1, 2]), used = tf.tensor1d([3, 4]);
    const outside = { fresh: tf.tensor1d([5, 6]), used, variable: tf.variable(tf.tensor1d([7, 8])) };
    tf.dispose([tf.neg(x), tf.neg(used), tf.neg(outside.variable)]); // give them handles
    const before = takeTraces(), compiled = compile((x: tf.Tensor1D) => fn(x, () => outside), { name: "f" });
    for (let time = 0; time < 2; time++) {
      assert.throws(
        () => compiled(x),
        (error) => error instanceof CompileError && message.test(error.message),
      );
      assert.deepEqual(takeTraces(), before);
    }
    await new Promise((resolve) => setTimeout(resolve)); // a promise that fails would end the process here
    assert.deepEqual(takeTraces(), before);
    assert.deepEqual(Array.from(tf.add(x, used).dataSync()), [4, 6]);
    tf.dispose([x, used, outside.fresh]);
    outside.variable.dispose();
  });
}

/** Ways to fail half way, in the middle of what TensorFlow.js keeps books of. */
const FAILURES: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  "at once": () => fail(),
  "after some operations": (x) => tf.mul(tf.keep(tf.neg(x)), fail()),
  "in a tidy": (x) => tf.tidy(() => tf.mul(tf.neg(x), fail())),
  "in a scope that stays open": (x) => (tf.engine().startScope(), tf.mul(tf.neg(x), fail())),
  "in a gradient's function": (x) => tf.grad((x) => tf.mul(tf.tanh(tf.exp(x)), fail()))(x),
  "in a gradient of a gradient": (x) => tf.grad((x) => tf.grad((x) => tf.mul(tf.exp(x), fail()))(x))(x),
  "in a custom gradient's backward function": (x) =>
    tf.grad((x) => tf.customGrad((x) => ({ value: tf.exp(x as tf.Tensor), gradFunc: () => fail() }))(x))(x),
  "at a type that TensorFlow.js lacks": (x) =>
    execute("Cast", [typeAttribute("SrcT", "float32"), typeAttribute("DstT", "float64")], [x]),
  "in TensorFlow": (x) => execute("MatMul", [typeAttribute("T", "float32")], [x, x]),
};

for (const [where, fn] of Object.entries(FAILURES)) {
  Deno.test(`errors of the function are passed on without leaks: ${where}`, async () => {
    await useNativeTensorFlow();
    const x = tf.tensor1d([1, 2]);
    tf.neg(x).dispose();
    const before = takeTraces(), compiled = compile(fn);
    for (let time = 0; time < 2; time++) {
      assert.throws(() => compiled(x), (error) => error instanceof Error && !(error instanceof CompileError));
      assert.deepEqual(takeTraces(), before);
    }
    assert.deepEqual(Array.from(tf.grad((x) => tf.square(x))(x).dataSync()), [2, 4]);
    tf.dispose(x);
  });
}

Deno.test("a failing graph is reported without leaks and can run again", () => {
  const pick = compile((x: tf.Tensor, indices: tf.Tensor) => tf.gather(x, indices), { name: "pick" });
  const x = tf.tensor1d([5, 6]), good = tf.tensor1d([1, 0], "int32"), bad = tf.tensor1d([1, 7], "int32");
  tf.dispose([pick(x, good), tf.neg(bad)]);
  const before = takeTraces();
  assert.throws(() => pick(x, bad), {
    name: "CompileError",
    message: /^compile: the graph of pick failed: .*indices\[1\] = 7/s,
  });
  assert.deepEqual(takeTraces(), before);
  const picked = pick(x, good);
  assert.deepEqual(Array.from(picked.dataSync()), [6, 5]);
  tf.dispose([picked, x, good, bad]);
  pick.dispose();
});

Deno.test("a graph that TensorFlow rejects is reported without leaks", () => {
  // eagerly, an operation's types follow from its inputs; in a graph they must be set
  const untyped = compile((x: tf.Tensor) => execute("Cast", [typeAttribute("DstT", "int32")], [x]), {
    name: "untyped",
  });
  const x = tf.scalar(1);
  tf.neg(x).dispose();
  const before = takeTraces();
  assert.throws(() => untyped(x), {
    name: "CompileError",
    message: /^compile: TensorFlow rejects the graph of untyped: .*SrcT/s,
  });
  assert.deepEqual(takeTraces(), before);
  x.dispose();
});

Deno.test("random operations with a seed of their own are recorded", () => {
  const draw = compile(() =>
    execute("RandomUniform", [
      typeAttribute("T", "int32"),
      typeAttribute("dtype", "float32"),
      intAttribute("seed", 3),
      intAttribute("seed2", 4),
    ], [tf.tensor1d([2], "int32")])
  );
  const draws = [draw(), draw()].map((tensor) => Array.from(tensor.dataSync()));
  assert.notDeepEqual(draws[0], draws[1], "it draws on, as it does by itself");
});

function fail(): never {
  throw new Error("on purpose");
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
