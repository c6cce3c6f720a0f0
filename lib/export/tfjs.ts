/**
 * Writes a TensorFlow.js graph model node by node: `model.json`, a TensorFlow `GraphDef` as JSON, and the
 * constants' values in `weights.bin` (https://www.tensorflow.org/js/guide/conversion).
 */
import { CHANNELS, MAP_SIZE } from "../model/spec.ts";
import { INPUT, MAPS, NORMALISATION, SCORES, SIZE } from "./fold_network.ts";
import type { FoldedConvolution, FoldedLinear, FoldedNetwork } from "./fold_network.ts";

/** An attribute as `AttrValue` has it in JSON: bytes in base64, 64-bit numbers as text. */
export type TfjsAttribute =
  | { type: "DT_FLOAT" | "DT_INT32" }
  | { s: string }
  | { i: string }
  | { b: boolean }
  | { shape: TfjsShape }
  | { tensor: { dtype: string; tensorShape: TfjsShape } }
  | { list: { i: string[] } | { s: string[] } };

interface TfjsShape {
  dim: { size: string }[];
}

interface TfjsNode {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, TfjsAttribute>;
}

interface TfjsWeight {
  name: string;
  shape: number[];
  dtype: "float32" | "int32";
}

/** The two files of a graph model. */
export interface TfjsFiles {
  /** The text of `model.json`. */
  model: string;
  /** The bytes of `weights.bin`, which `model.json` names. */
  weights: Uint8Array<ArrayBuffer>;
}

/** The attribute T that most operations have. */
const FLOAT_TYPE: Readonly<Record<string, TfjsAttribute>> = { T: { type: "DT_FLOAT" } };

/** Builder of a graph. */
export class TfjsGraph {
  #nodes: TfjsNode[] = [];
  #weights: TfjsWeight[] = [];
  #values: Uint8Array[] = [];

  /** Adds a placeholder; −1 is an unknown size. */
  placeholder(name: string, shape: readonly number[]): string {
    return this.node(
      "Placeholder",
      [],
      { dtype: { type: "DT_FLOAT" }, shape: { shape: shapeOf(shape) } },
      name,
    );
  }

  /** Adds a constant tensor. Returns its name. */
  constant(name: string, shape: readonly number[], values: Float32Array | Int32Array): string {
    const [dtype, type] = values instanceof Float32Array
      ? ["float32", "DT_FLOAT"] as const
      : ["int32", "DT_INT32"] as const;
    this.#weights.push({ name, shape: [...shape], dtype });
    this.#values.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const tensor = { dtype: type, tensorShape: shapeOf(shape) };
    return this.node("Const", [], { dtype: { type }, value: { tensor } }, name);
  }

  /** Adds an operation of one output. Returns its name. */
  node(
    op: string,
    input: string[],
    attr: Record<string, TfjsAttribute>,
    name = `${op.replace(/^_/, "")}_${this.#nodes.length}`,
  ): string {
    this.#nodes.push({ name, op, input, attr });
    return name;
  }

  /** The files. Inputs and outputs are nodes with their shapes. */
  finish(
    inputs: Record<string, readonly number[]>,
    outputs: Record<string, readonly number[]>,
    metadata: Record<string, string>,
  ): TfjsFiles {
    const describe = (values: Record<string, readonly number[]>) =>
      Object.fromEntries(
        Object.entries(values).map(([name, shape]) => [
          name,
          { name: `${name}:0`, dtype: "DT_FLOAT", tensorShape: shapeOf(shape) },
        ]),
      );
    const model = {
      format: "graph-model",
      generatedBy: "dynamic-filters",
      convertedBy: null,
      signature: { inputs: describe(inputs), outputs: describe(outputs) },
      userDefinedMetadata: metadata,
      modelTopology: { node: this.#nodes, library: {}, versions: { producer: 1087 } }, // as TensorFlow 2.9 writes
      weightsManifest: [{ paths: ["weights.bin"], weights: this.#weights }],
    };
    const weights = new Uint8Array(this.#values.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const values of this.#values) {
      weights.set(values, at);
      at += values.length;
    }
    return { model: JSON.stringify(model), weights };
  }
}

/** Encodes a string attribute. */
function textAttribute(text: string): TfjsAttribute {
  return { s: btoa(text) };
}

/** Encodes a list of strings as an attribute. */
function textsAttribute(texts: string[]): TfjsAttribute {
  return { list: { s: texts.map((text) => btoa(text)) } };
}

/** Encodes a list of integers as an attribute. */
function integersAttribute(values: number[]): TfjsAttribute {
  return { list: { i: values.map(String) } };
}

function shapeOf(shape: readonly number[]): TfjsShape {
  return { dim: shape.map((size) => ({ size: String(size) })) };
}

/**
 * Writes a network as a TensorFlow.js graph model: `images` `[N,32,32,3]`, 0–255, in, as
 * `tf.browser.fromPixels` gives them; `scores` `[N,K]` and `maps` `[N,K,8,8]`, or `[N,1,8,8]`, out. The
 * normalisation is inside, N is free.
 *
 * It uses operations only that every backend has: padding by zeros before a `VALID` convolution instead of
 * explicit padding, and likewise for pooling, which comes after a ReLU and so sees nothing below zero.
 *
 * @param metadata Metadata of the model.
 */
export function toTfjs(network: FoldedNetwork, metadata: Record<string, string> = {}): TfjsFiles {
  const graph = new TfjsGraph();
  let x = normalise(graph, graph.placeholder(INPUT, [-1, SIZE, SIZE, 3]));
  x = convolve(graph, pad(graph, x, 3), network.stem, "stem", { stride: 2, padding: "VALID" }); // [N,16,16,64]
  x = graph.node("MaxPool", [pad(graph, x, 1)], {
    ...FLOAT_TYPE,
    ksize: integersAttribute([1, 3, 3, 1]),
    ...windowAttributes(2, "VALID"),
  }); // [N,8,8,64]
  network.blocks.forEach(([first, second], index) => {
    const y = convolve(graph, x, first, `layer1.${index}.conv1`);
    const sum = graph.node(
      "AddV2",
      [x, convolve(graph, y, second, `layer1.${index}.conv2`, { relu: false })],
      FLOAT_TYPE,
    );
    x = graph.node("Relu", [sum], FLOAT_TYPE);
  });
  if (network.adapter) x = convolve(graph, x, network.adapter, "adapter");
  const { filterCount: K, classes } = network;
  const filters = graph.constant("filters", [1, 1, CHANNELS, K], transpose(network.filters, K, CHANNELS));
  const responses = graph.node("Conv2D", [x, filters], { ...FLOAT_TYPE, ...windowAttributes(1, "VALID") }); // [N,8,8,K]
  const order = graph.constant("channels_first", [4], Int32Array.of(0, 3, 1, 2));
  const maps = graph.node("Transpose", [responses, order], FLOAT_TYPE, MAPS); // [N,K,8,8]
  const rows = reshape(graph, maps, [-1, MAP_SIZE * MAP_SIZE], "rows"); // [N·K,64]
  const hidden = connect(graph, rows, network.hidden, "score_predictor.0", true);
  const scores = connect(graph, hidden, network.output, "score_predictor.2", false); // [N·K,1] or [N,K]
  if (K * network.output.out > 1) reshape(graph, scores, [-1, classes], SCORES);
  else { // one score for all classes
    const multiples = graph.constant("all_classes", [2], Int32Array.of(1, classes));
    graph.node("Tile", [scores, multiples], FLOAT_TYPE, SCORES);
  }
  return graph.finish(
    { [INPUT]: [-1, SIZE, SIZE, 3] },
    { [SCORES]: [-1, classes], [MAPS]: [-1, K, MAP_SIZE, MAP_SIZE] },
    metadata,
  );
}

function normalise(graph: TfjsGraph, images: string): string {
  const scaled = graph.node("Mul", [images, graph.constant("scale", [3], NORMALISATION.scale)], FLOAT_TYPE);
  return graph.node("AddV2", [scaled, graph.constant("shift", [3], NORMALISATION.shift)], FLOAT_TYPE);
}

function pad(graph: TfjsGraph, x: string, by: number): string {
  const paddings = graph.constant(`padding_${by}`, [4, 2], Int32Array.of(0, 0, by, by, by, by, 0, 0));
  return graph.node("Pad", [x, paddings], FLOAT_TYPE);
}

function windowAttributes(stride: number, padding: "SAME" | "VALID") {
  return {
    strides: integersAttribute([1, stride, stride, 1]),
    padding: textAttribute(padding),
    data_format: textAttribute("NHWC"),
    dilations: integersAttribute([1, 1, 1, 1]),
  };
}

/** A convolution with its bias, and by default a ReLU, as one operation. */
function convolve(
  graph: TfjsGraph,
  x: string,
  { weight, bias, out, in: from, size }: FoldedConvolution,
  name: string,
  { stride = 1, padding = "SAME" as "SAME" | "VALID", relu = true } = {},
): string {
  const kernel = transpose(weight, out, from * size * size); // [in,size,size,out], now the channels behind the window
  const inputs = [
    x,
    graph.constant(`${name}.weight`, [size, size, from, out], moveChannels(kernel, from, size * size, out)),
    graph.constant(`${name}.bias`, [out], bias),
  ];
  return graph.node("_FusedConv2D", inputs, {
    ...FLOAT_TYPE,
    ...windowAttributes(stride, padding),
    ...fusedAttributes(relu),
  });
}

function connect(
  graph: TfjsGraph,
  x: string,
  { weight, bias, in: from, out }: FoldedLinear,
  name: string,
  relu: boolean,
): string {
  const inputs = [
    x,
    graph.constant(`${name}.weight`, [from, out], weight),
    graph.constant(`${name}.bias`, [out], bias),
  ];
  return graph.node("_FusedMatMul", inputs, {
    ...FLOAT_TYPE,
    transpose_a: { b: false },
    transpose_b: { b: false },
    ...fusedAttributes(relu),
  });
}

function fusedAttributes(relu: boolean) {
  return { fused_ops: textsAttribute(relu ? ["BiasAdd", "Relu"] : ["BiasAdd"]), num_args: { i: "1" } };
}

function reshape(graph: TfjsGraph, x: string, shape: number[], name: string): string {
  const wanted = graph.constant(`${name}_shape`, [shape.length], Int32Array.from(shape));
  return graph.node("Reshape", [x, wanted], FLOAT_TYPE, name);
}

/** `[rows,columns]` → `[columns,rows]`. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)]);
}

/** `[in,window,out]` → `[window,in,out]`. */
function moveChannels(values: Float32Array, from: number, window: number, out: number): Float32Array {
  return values.map((_, at) => {
    const [pixel, channel, filter] = [Math.floor(at / (from * out)), Math.floor(at / out) % from, at % out];
    return values[(channel * window + pixel) * out + filter];
  });
}
