import assert from "node:assert/strict";
import {
  boolAttribute,
  DTYPE,
  floatAttribute,
  intsAttribute,
  stringAttribute,
  typeAttribute,
} from "../../../lib/tensorflow/runtime/binding.ts";
import { Graph } from "../../../lib/tensorflow/compile/graph.ts";

const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

Deno.test("nodes that no output needs are left out", () => {
  const graph = new Graph(), float = typeAttribute("T", "float32");
  const x = graph.placeholder(DTYPE.float32, [2], "x"),
    unused = graph.placeholder(DTYPE.float32, [2], "unused");
  const tanh = graph.node("Tanh", [float], [x]);
  graph.node("Exp", [float], [`${tanh}:0`]);
  const end = graph.node("Neg", [float], [`${tanh}:0`]);
  const { bytes, nodes } = graph.definition([unused, `${end}:0`]);
  assert.equal(nodes, 4);
  assert.match(text(bytes), /unused/);
  assert.match(text(bytes), /Tanh/);
  assert.doesNotMatch(text(bytes), /Exp/);
});

Deno.test("equal constants share a node, unless type or shape differ", () => {
  const graph = new Graph(), zero = new Float32Array(1);
  const names = [
    graph.constant(DTYPE.float32, [], zero),
    graph.constant(DTYPE.float32, [], Float32Array.of(0)),
    graph.constant(DTYPE.float32, [1], zero),
    graph.constant(DTYPE.int32, [], new Int32Array(1)),
    graph.constant(DTYPE.float32, [], Float32Array.of(-0)),
  ];
  assert.equal(names[0], names[1]);
  assert.equal(new Set(names).size, 4);
});

Deno.test("a uniform constant is stored as one value", () => {
  const size = (values: Float32Array | Int32Array | Uint8Array, dtype: number) => {
    const graph = new Graph();
    return graph.definition([graph.constant(dtype, [values.length], values)]).bytes.length;
  };
  for (
    const [values, dtype] of [
      [new Float32Array(100_000).fill(1.5), DTYPE.float32],
      [new Int32Array(100_000).fill(-7), DTYPE.int32],
      [new Uint8Array(100_000).fill(1), DTYPE.bool],
    ] as const
  ) {
    assert.ok(size(values, dtype) < 200);
    values[99_999] = 0;
    assert.ok(size(values, dtype) > 100_000);
  }
});

Deno.test("a view into a larger buffer is written without the rest", () => {
  const graph = new Graph(), buffer = Float32Array.of(1, 2, 3, 4).buffer;
  const view = graph.constant(DTYPE.float32, [2], new Float32Array(buffer, 4, 2));
  assert.equal(view, graph.constant(DTYPE.float32, [2], Float32Array.of(2, 3)));
});

Deno.test("an attribute of an unknown type is refused by name", () => {
  const graph = new Graph();
  graph.node("Any", [
    intsAttribute("sizes", []),
    boolAttribute("flag", true),
    floatAttribute("rate", 0.5),
    stringAttribute("mode", "SAME"),
  ], []);
  assert.throws(
    () => graph.node("Any", [{ name: "odd", type: 9, value: 1 }], []),
    /Cannot write the attribute odd: its type 9/,
  );
});
