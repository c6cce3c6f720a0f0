import assert from "node:assert/strict";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { execute, typeAttribute } from "../../../lib/tensorflow/runtime/binding.ts";
import { countGraphs } from "../../../lib/tensorflow/compile/loaded_graph.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { CompileError } from "../../../lib/tensorflow/errors.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";

await useNativeTensorFlow();

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

Deno.test("arguments and results are nested arrays and records of tensors and constants", () => {
  const fn = compile((
    { x, rest }: { x: tf.Tensor; rest: tf.Tensor[] },
    scale: number,
    mode?: "half" | null,
  ) => ({
    scaled: tf.mul(x, scale),
    sums: [tf.addN(rest), [tf.sum(rest[0])]],
    facts: { scale, mode, none: null, missing: undefined, flag: true, text: "a", empty: {} },
  }));
  const result = fn({ x: tf.tensor1d([1, 2]), rest: [tf.ones([2]), tf.ones([2])] }, 3, "half");
  assert.deepEqual(values(result.scaled), [3, 6]);
  const [sum, [total]] = result.sums as [tf.Tensor, [tf.Tensor]];
  assert.deepEqual([...values(sum), ...values(total)], [2, 2, 2]);
  assert.deepEqual(result.facts, {
    scale: 3,
    mode: "half",
    none: null,
    missing: undefined,
    flag: true,
    text: "a",
    empty: {},
  });
  assert.deepEqual(Object.keys(result.facts), ["scale", "mode", "none", "missing", "flag", "text", "empty"]);
});

Deno.test("a compiled function has the function's own type", () => {
  const pick = compile(<T extends tf.Tensor>(tensors: Record<string, T>, name: string): T => tensors[name]);
  const picked: tf.Tensor1D = pick({ a: tf.tensor1d([1]), b: tf.tensor1d([2]) }, "b");
  assert.deepEqual(values(picked), [2]);
  // @ts-expect-error: the function takes two arguments
  const _wrong = () => pick({});
});

Deno.test("each shape, type, constant and structure makes one graph, which is reused", () => {
  let runs = 0;
  const fn = compile((x: tf.Tensor | { x: tf.Tensor }, factor = 2) => {
    runs++;
    return tf.mul(x instanceof tf.Tensor ? x : x.x, factor);
  });
  const differently = [
    () => fn(tf.ones([2])),
    () => fn(tf.ones([3])),
    () => fn(tf.ones([1, 3])),
    () => fn(tf.ones([3], "int32")),
    () => fn(tf.ones([3]), 3),
    () => fn(tf.ones([3]), NaN),
    () => fn(tf.ones([3]), 0),
    () => fn(tf.ones([3]), -0),
    () => fn(tf.ones([3]), undefined),
    () => fn({ x: tf.ones([3]) }),
  ];
  const first = differently.map((call) => values(call()));
  assert.equal(runs, differently.length);
  for (let again = 0; again < 3; again++) assert.deepEqual(differently.map((call) => values(call())), first);
  assert.equal(runs, differently.length);
  assert.deepEqual(first.slice(-5), [[NaN, NaN, NaN], [0, 0, 0], [-0, -0, -0], [2, 2, 2], [2, 2, 2]]);
});

Deno.test("records are distinguished by the names and order of their entries", () => {
  const list = compile((tensors: Record<string, tf.Tensor>) => tf.stack(Object.values(tensors)));
  const a = tf.scalar(1), b = tf.scalar(2);
  const run = (
    fn: (record: Record<string, tf.Tensor>) => tf.Tensor,
    ...records: Record<string, tf.Tensor>[]
  ) => records.map((record) => values(fn(record)));
  assert.deepEqual(run(list, { a, b }, { b, a }, { a }, { a, b }), [
    [1, 2],
    [2, 1],
    [1],
    [1, 2],
  ]);
  const choose = compile((tensors: Record<string, tf.Tensor>) => tensors.a ?? tf.neg(tensors.b));
  assert.deepEqual(run(choose, { a }, { b }, { b, c: a }, { b, a }), [
    [1],
    [-2],
    [-2],
    [1],
  ]);
});

Deno.test("statistics count graphs and calls", () => {
  const fn = compile((x: tf.Tensor) => tf.tanh(tf.matMul(x as tf.Tensor2D, tf.ones([3, 3]))));
  assert.deepEqual(fn.statistics(), { eagerCalls: 0, graphs: [] });
  for (const rows of [2, 2, 4]) fn(tf.ones([rows, 3])).dispose();
  const { graphs } = fn.statistics();
  assert.deepEqual(graphs.map(({ nodes, calls }) => [nodes, calls]), [[5, 1], [5, 2]]); // input, constant, two operations, output
  for (const { bytes, traceMilliseconds, loadMilliseconds } of graphs) {
    assert.ok(bytes > 200 && traceMilliseconds > 0 && loadMilliseconds > 0);
  }
});

Deno.test("a tensor given twice is one tensor to the function", () => {
  // the gradient of x·y for x, which is y — and 2x where both are one
  const slope = compile((x: tf.Tensor, y: tf.Tensor) => tf.grads((x) => tf.mul(x, y))([x])[0]);
  const three = tf.scalar(3), alsoThree = tf.scalar(3);
  assert.deepEqual([values(slope(three, alsoThree)), values(slope(three, three))], [[3], [6]]);
  assert.deepEqual([values(slope(three, three)), values(slope(alsoThree, three))], [[6], [3]]);
});

Deno.test("tensors that share their data are separate arguments", () => {
  const fn = compile((x: tf.Tensor, y: tf.Tensor, z: tf.Tensor) => [tf.sum(x), tf.mul(y, 2), tf.neg(z)]);
  const x = tf.tensor2d([[1, 2]]);
  assert.deepEqual(fn(x, tf.reshape(x, [2]), tf.clone(x)).map(values), [[3], [2, 4], [-1, -2]]);
});

Deno.test("a returned argument is a new tensor, and a result returned twice is one tensor", () => {
  for (const eager of [false, true]) {
    const fn = compile((x: tf.Tensor, y: tf.Tensor) => {
      const sum = tf.add(x, y);
      return { x, again: x, shaped: tf.reshape(y, [1, 1]), sum, sameSum: sum };
    }, { eager });
    const x = tf.scalar(1), y = tf.scalar(2), result = fn(x, y);
    tf.dispose([x, y]);
    assert.deepEqual([result.x, result.again, result.shaped, result.sum].map(values), [[1], [1], [2], [3]]);
    assert.equal(result.sum, result.sameSum);
    assert.equal(result.x, result.again);
    tf.dispose(result);
  }
});

/** Ways to return an argument with its values unchanged, or some of them. */
const UNCHANGED: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  itself: (x) => x,
  clone: (x) => tf.clone(x),
  reshape: (x) => tf.reshape(x, [4, 4]),
  slice: (x) => tf.slice(x, [0], [16]),
  "first rows": (x) => tf.slice(tf.reshape(x, [4, 4]), [0, 0], [2, 4]),
  transpose: (x) => tf.transpose(tf.reshape(x, [1, 16])),
  cast: (x) => tf.cast(x, "float32"),
  tile: (x) => tf.tile(x, [1]),
  pad: (x) => tf.pad(x, [[0, 0]]),
  sum: (x) => tf.sum(tf.reshape(x, [16, 1]), 1),
  reverse: (x) => tf.reverse(tf.reshape(x, [1, 16]), 0),
  broadcast: (x) => tf.broadcastTo(x, [16]),
  negative: (x) => tf.neg(tf.neg(x)),
  product: (x) => tf.mul(x, 1),
  "two of it": (x) => tf.concat([x]),
};

Deno.test("a result shares no memory with the array that an argument was made of", () => {
  for (const [name, fn] of Object.entries(UNCHANGED)) {
    const compiled = compile(fn);
    // TensorFlow takes an array that lies at a multiple of 64 bytes as it is, so a few are tried
    for (let time = 0; time < 40; time++) {
      const array = new Float32Array(16).fill(1), x = tf.tensor1d(array), y = compiled(x);
      array.fill(-1);
      assert.equal(y.dataSync()[0], 1, name);
      tf.dispose([x, y]);
    }
    compiled.dispose();
  }
});

Deno.test("an array that holds itself or has a hole is refused by its position", () => {
  const fn = compile((_x: unknown) => tf.scalar(1), { name: "fn" });
  const circle: Record<string, unknown> = { list: [] };
  (circle.list as unknown[]).push(circle);
  assert.throws(() => fn(circle), {
    name: "CompileError",
    message: "compile: fn's arguments[0].list[0] holds itself. Break the circle.",
  });
  assert.throws(() => fn([1, , 2]), { // deno-lint-ignore no-sparse-arrays
    name: "CompileError",
    message: "compile: fn's arguments[0] has no item 1. Fill the array, with null where need be.",
  });
  const twice = { x: tf.scalar(2) };
  fn([twice, twice]).dispose(); // the same record in two places is no circle
});

Deno.test("a function that is made anew at each call is named, as argument and as what is compiled", () => {
  const apply = compile((activation: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) => activation(x), {
    name: "apply",
    graphs: 2,
  });
  const x = tf.scalar(1), call = () => apply((x) => tf.neg(x), x);
  call();
  call();
  assert.throws(
    call,
    /one for each of 3 forms of arguments\[0\]: … .*Make that function once, outside of the call/,
  );
  apply.dispose();
  const many: { dispose(): void }[] = [];
  const compileAnew = () => {
    const one = compile((x: tf.Tensor) => x);
    many.push(one);
    one(x).dispose();
  };
  assert.throws(
    () => {
      while (many.length < 1100) compileAnew();
    },
    /^CompileError: compile: the function would be the graph number 1001 .* Compile a function once, not at each/,
  );
  for (const one of many) one.dispose();
});

Deno.test("a result may hold no tensor, and there may be no argument", () => {
  const nothing = compile((_x: tf.Tensor) => {}),
    seven = compile(() => 7),
    ones = compile(() => [tf.ones([2])]);
  for (let call = 0; call < 2; call++) {
    assert.equal(nothing(tf.scalar(1)), undefined);
    assert.equal(seven(), 7);
    assert.deepEqual(values(ones()[0]), [1, 1]);
  }
});

Deno.test("tensors of every type are passed and returned", () => {
  const fn = compile((...all: tf.Tensor[]) => all.map((tensor) => tf.reshape(tensor, [2, 1])));
  const all = [
    tf.tensor1d([1.5, NaN]),
    tf.tensor1d([1, -2], "int32"),
    tf.tensor1d([1, 0], "bool"),
    tf.complex([1, 2], [3, 4]),
  ];
  const results = fn(...all);
  assert.deepEqual(results.map((tensor) => tensor.dtype), ["float32", "int32", "bool", "complex64"]);
  assert.deepEqual(results.map(values), all.map(values));
  assert.deepEqual(compile((x: tf.Tensor2D) => tf.concat([x, x], 1))(tf.zeros([0, 2])).shape, [0, 4]);
});

Deno.test("strings inside a graph are allowed", () => {
  const digits = compile((x: tf.Tensor) =>
    execute("StringLength", [], [execute("AsString", [typeAttribute("T", "int32")], [x])])
  );
  assert.deepEqual([[7, 10], [123, -1]].map((numbers) => values(digits(tf.tensor1d(numbers, "int32")))), [[
    1,
    2,
  ], [3, 2]]);
});

Deno.test("bfloat16 tensors are passed and returned", () => {
  const cast = (x: tf.Tensor, from: "float32" | "bfloat16", to: "float32" | "bfloat16") =>
    execute("Cast", [typeAttribute("SrcT", from), typeAttribute("DstT", to)], [x]);
  const shorten = compile((x: tf.Tensor) => cast(x, "float32", "bfloat16"));
  const relu = compile((x: tf.Tensor) => execute("Relu", [typeAttribute("T", "bfloat16")], [x]));
  const lengthen = compile((x: tf.Tensor) => cast(x, "bfloat16", "float32"));
  assert.deepEqual(values(lengthen(relu(shorten(tf.tensor1d([-1, 1, 1 + 2 ** -9]))))), [0, 1, 1]);
});

Deno.test("a variable is an argument like any tensor: each call reads its current value", () => {
  const double = compile((x: tf.Tensor) => tf.mul(x, 2)), variable = tf.variable(tf.scalar(1));
  assert.deepEqual(values(double(variable)), [2]);
  variable.assign(tf.scalar(5));
  assert.deepEqual(values(double(variable)), [10]);
  variable.dispose();
});

Deno.test("the caller's tidy disposes a result like any tensor", () => {
  const fn = compile((x: tf.Tensor) => ({ y: tf.neg(x), z: tf.abs(x) }));
  const x = tf.scalar(1), before = tf.memory().numTensors;
  const y = tf.tidy(() => fn(x).y);
  assert.equal(tf.memory().numTensors, before + 1);
  assert.deepEqual(values(y), [-1]);
  tf.dispose([x, y]);
});

Deno.test("tensors kept inside a gradient's function can be returned", () => {
  const step = compile((weight: tf.Tensor, x: tf.Tensor) => {
    let scores: tf.Tensor | undefined;
    const { value, grad } = tf.valueAndGrad((weight: tf.Tensor) => {
      scores = tf.keep(tf.mul(weight, x));
      return tf.sum(tf.square(scores));
    })(weight);
    return { value, grad, scores: scores! };
  });
  const weight = tf.scalar(2), x = tf.tensor1d([1, 2]), before = tf.memory().numTensors;
  for (let call = 0; call < 3; call++) {
    const result = step(weight, x);
    assert.deepEqual([result.value, result.grad, result.scores].map(values), [[20], [20], [2, 4]]);
    tf.dispose(result);
  }
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("seeded random numbers are the same compiled and in every call", () => {
  const fn = (
    x: tf.Tensor,
  ) => [
    tf.randomNormal([3], 0, 1, "float32", 7),
    tf.dropout(x, 0.5, undefined, 7),
    tf.truncatedNormal([2], 0, 1, "float32", 7),
  ];
  const x = tf.ones([20]), compiled = compile(fn), expected = fn(x).map(values);
  for (let call = 0; call < 2; call++) assert.deepEqual(compiled(x).map(values), expected);
});

Deno.test("values of tensors that depend on no argument may be read", () => {
  const fn = compile((x: tf.Tensor) => tf.mul(x, tf.sum(tf.tensor1d([1, 2])).dataSync()[0]));
  assert.deepEqual([values(fn(tf.scalar(2))), values(fn(tf.scalar(5)))], [[6], [15]]);
});

Deno.test("a disposed argument is refused by its position", () => {
  const fn = compile(function addAll(state: { weights: tf.Tensor[] }) {
    return tf.addN(state.weights);
  });
  const [kept, gone] = [tf.scalar(1), tf.scalar(2)];
  fn({ weights: [kept, gone] }).dispose();
  gone.dispose();
  assert.throws(() => fn({ weights: [kept, gone] }), {
    name: "CompileError",
    message: "compile: addAll's arguments[0].weights[1] is a tensor that was disposed before the call.",
  });
});

Deno.test("tensors from outside may be constants, with the values that they have when the graph is made", () => {
  const weight = Float32Array.of(3, 5), w = tf.tensor1d(weight), shift = tf.sqrt(tf.scalar(4));
  const fn = (x: tf.Tensor) => tf.add(tf.mul(tf.square(w), x), shift), constants = [w, shift];
  const compiled = compile(fn, { name: "scale", constants }), eager = compile(fn, { constants, eager: true });
  for (const run of [compiled, eager]) assert.deepEqual(values(run(tf.tensor1d([1, 2]))), [11, 52]);
  tf.dispose(constants);
  weight.fill(0);
  assert.deepEqual(values(compiled(tf.tensor1d([2, 1]))), [20, 27]);
  assert.throws(() => compiled(tf.scalar(1)), {
    name: "CompileError",
    message: "compile: scale needs another graph, and one of its constants was disposed.",
  });
  compiled.dispose();
});

Deno.test("dispose frees the graphs, and a later call compiles again", () => {
  const before = countGraphs();
  const fn = compile((x: tf.Tensor) => tf.neg(x));
  fn(tf.ones([1])).dispose();
  fn(tf.ones([2])).dispose();
  assert.equal(countGraphs(), before + 2);
  fn.dispose();
  fn.dispose();
  assert.equal(countGraphs(), before);
  assert.deepEqual(values(fn(tf.ones([2]))), [-1, -1]);
  assert.equal(fn.statistics().graphs.length, 1);
  fn.dispose();
});

Deno.test("an argument that keeps changing is named when there are too many graphs", () => {
  const before = countGraphs();
  const step = compile(function step(x: tf.Tensor, options: { rate: number }) {
    return tf.mul(x, options.rate);
  }, { graphs: 3 });
  const x = tf.ones([2]);
  for (const rate of [0.1, 0.2, 0.3, 0.2]) step(x, { rate });
  assert.throws(() => step(x, { rate: 0.4 }), {
    name: "CompileError",
    message:
      "compile: step would need more than 3 graphs, one for each of 4 forms of arguments[1].rate: … 0.3, 0.2, 0.4. " +
      "Pass what changes as a tensor (tf.scalar(value)), or raise the option graphs.",
  });
  assert.equal(countGraphs(), before + 3);
  assert.deepEqual(values(step(x, { rate: 0.1 })).map((value) => value.toFixed(1)), ["0.1", "0.1"]);
  step.dispose();
  const sum = compile((x: tf.Tensor) => tf.sum(x), { graphs: 2, name: "sum" });
  for (const size of [1, 2]) sum(tf.ones([size]));
  assert.throws(
    () => sum(tf.ones([3])),
    /sum would .* arguments\[0\]: … float32\[1\], float32\[2\], float32\[3\]\. Give it a few shapes only/,
  );
  sum.dispose();
});

Deno.test("a class instance, a typed array and a map are refused by their position", () => {
  class Model {}
  const takes = compile((_x: unknown) => tf.scalar(1), { name: "takes" });
  assert.throws(() => takes([new Model()]), {
    message: /^compile: takes's arguments\[0\]\[0\] is a Model\. Pass and return tensors/,
  });
  for (
    const [value, found] of [[new Float32Array(2), "Float32Array"], [new Map(), "Map"], [
      new Date(),
      "Date",
    ]] as const
  ) {
    assert.throws(() => takes({ value }), {
      message: new RegExp(`arguments\\[0\\]\\.value is a ${found}\\.`),
    });
    const gives = compile((x: tf.Tensor) => [tf.neg(x), value], { name: "gives" });
    assert.throws(() => gives(tf.scalar(1)), {
      message: new RegExp(`the result of gives\\[1\\] is a ${found}\\.`),
    });
  }
  const gives = compile((x: tf.Tensor) => ({ later: () => tf.neg(x) }), { name: "gives" });
  assert.throws(() => gives(tf.scalar(1)), CompileError);
  assert.throws(() => takes(tf.tensor1d(["a"])), /arguments\[0\] is a tensor of strings/);
});

Deno.test("a function argument is a constant", () => {
  const apply = compile((activation: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) => activation(x));
  const x = tf.tensor1d([-1, 1]);
  assert.deepEqual([tf.relu, tf.neg, tf.relu].map((one) => values(apply(one, x))), [[0, 1], [1, -1], [0, 1]]);
  assert.equal(apply.statistics().graphs.length, 2);
});
