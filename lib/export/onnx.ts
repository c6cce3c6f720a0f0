/**
 * Writes an ONNX file node by node. Messages and field numbers are those of `onnx.proto`
 * (https://github.com/onnx/onnx).
 */
import { CHANNELS, MAP_SIZE } from "../model/spec.ts";
import { INPUT, MAPS, NORMALISATION, SCORES, SIZE } from "./fold_network.ts";
import type { FoldedConvolution, FoldedLinear, FoldedNetwork } from "./fold_network.ts";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const { Varint, LengthDelimited } = WireType;

/** `ModelProto.ir_version` that came with {@linkcode OPSET}: read by every onnxruntime since 1.6. */
const IR_VERSION = 7;
/** Version of the operations: https://onnx.ai/onnx/operators. */
const OPSET = 13;
const [FLOAT, INT64] = [1, 7]; // TensorProto.DataType
const [TYPE_INT, TYPE_INTS] = [2, 7]; // AttributeProto.AttributeType

/** A known size, or the name of an unknown one. */
export type Dimension = number | string;

/** An input or output of the whole graph, in float32. */
export interface GraphValue {
  name: string;
  shape: readonly Dimension[];
  /** Human-readable description. */
  description: string;
}

/** Integer attributes of an operation: `strides`, `axis`. */
export type OnnxAttributes = Readonly<Record<string, number | readonly number[]>>;

/** Builder of a graph. */
export class OnnxGraph {
  #graph = new BinaryWriter();
  #count = 0;

  /** Adds a constant tensor. Returns its name. */
  constant(name: string, shape: readonly number[], values: Float32Array | BigInt64Array): string {
    const tensor = this.#graph.tag(5, LengthDelimited).fork();
    for (const size of shape) tensor.tag(1, Varint).int64(size);
    tensor.tag(2, Varint).int32(values instanceof Float32Array ? FLOAT : INT64);
    tensor.tag(8, LengthDelimited).string(name);
    // little-endian, as ONNX wants it
    tensor.tag(9, LengthDelimited).bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    tensor.join();
    return name;
  }

  /** Adds an operation of one output. Returns the output's name. */
  node(
    operation: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    output = `${operation}_${this.#count}`,
  ): string {
    this.#count++;
    const node = this.#graph.tag(1, LengthDelimited).fork();
    for (const input of inputs) node.tag(1, LengthDelimited).string(input);
    for (const [field, text] of [[2, output], [3, output], [4, operation]] as const) {
      node.tag(field, LengthDelimited).string(text);
    }
    for (const [name, value] of Object.entries(attributes)) {
      node.tag(5, LengthDelimited).fork().tag(1, LengthDelimited).string(name);
      if (typeof value === "number") node.tag(3, Varint).int64(value).tag(20, Varint).int32(TYPE_INT);
      else {
        for (const one of value) node.tag(8, Varint).int64(one);
        node.tag(20, Varint).int32(TYPE_INTS);
      }
      node.join();
    }
    node.join();
    return output;
  }

  /** Encodes the file. */
  finish(
    inputs: readonly GraphValue[],
    outputs: readonly GraphValue[],
    { name, metadata }: { name: string; metadata: Record<string, string> },
  ): Uint8Array<ArrayBuffer> {
    this.#graph.tag(2, LengthDelimited).string(name);
    for (const input of inputs) this.#graph.tag(11, LengthDelimited).bytes(encodeValue(input));
    for (const output of outputs) this.#graph.tag(12, LengthDelimited).bytes(encodeValue(output));
    const model = new BinaryWriter().tag(1, Varint).int64(IR_VERSION);
    model.tag(2, LengthDelimited).string("dynamic-filters");
    model.tag(7, LengthDelimited).bytes(this.#graph.finish());
    model.tag(8, LengthDelimited).fork().tag(1, LengthDelimited).string("").tag(2, Varint).int64(OPSET)
      .join();
    for (const [key, value] of Object.entries(metadata)) {
      model.tag(14, LengthDelimited).fork();
      model.tag(1, LengthDelimited).string(key).tag(2, LengthDelimited).string(value).join();
    }
    return model.finish();
  }
}

function encodeValue({ name, shape, description }: GraphValue): Uint8Array {
  const value = new BinaryWriter().tag(1, LengthDelimited).string(name);
  value.tag(2, LengthDelimited).fork().tag(1, LengthDelimited).fork(); // TypeProto.Tensor
  value.tag(1, Varint).int32(FLOAT).tag(2, LengthDelimited).fork(); // TensorShapeProto
  for (const size of shape) {
    value.tag(1, LengthDelimited).fork();
    if (typeof size === "number") value.tag(1, Varint).int64(size);
    else value.tag(2, LengthDelimited).string(size);
    value.join();
  }
  return value.join().join().join().tag(3, LengthDelimited).string(description).finish();
}

const PIXELS = MAP_SIZE * MAP_SIZE;

/**
 * Writes a network as an ONNX model (opset 13): `images` `[N,3,32,32]`, 0–255, in; `scores` `[N,K]` and
 * `maps` `[N,K,8,8]`, or `[N,1,8,8]`, out. The normalisation is inside, N is free.
 *
 * @param metadata Metadata of the file.
 * @returns The bytes of the file.
 */
export function toOnnx(
  network: FoldedNetwork,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const shapes = shapeConstants(graph);
  let x = normalise(graph);
  x = convolveAndRelu(graph, x, network.stem, "stem", 2); // [N,64,16,16]
  x = graph.node("MaxPool", [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }); // [N,64,8,8]
  network.blocks.forEach(([first, second], index) => {
    const y = convolveAndRelu(graph, x, first, `layer1.${index}.conv1`);
    x = graph.node("Relu", [graph.node("Add", [x, convolve(graph, y, second, `layer1.${index}.conv2`)])]);
  });
  if (network.adapter) x = convolveAndRelu(graph, x, network.adapter, "adapter");
  const { filterCount: K, classes } = network;
  const filters = graph.constant("filters", [K, CHANNELS, 1, 1], network.filters);
  const maps = graph.node("Conv", [x, filters], { kernel_shape: [1, 1] }, MAPS); // [N,K,8,8]
  const rows = graph.node("Reshape", [maps, shapes("rows", [0, K, PIXELS])]); // [N,K,64]
  const hidden = graph.node("Relu", [connect(graph, rows, network.hidden, "score_predictor.0")]);
  const scores = connect(graph, hidden, network.output, "score_predictor.2"); // [N,K,1] or [N,1,K]
  if (K * network.output.out > 1) {
    graph.node("Reshape", [scores, shapes("scores_shape", [0, classes])], {}, SCORES);
  } else { // one score for all classes
    const one = graph.node("Reshape", [scores, shapes("one_score", [0, 1])]);
    graph.node("Expand", [one, shapes("all_scores", [1, classes])], {}, SCORES);
  }
  return graph.finish(
    [{ name: INPUT, shape: ["N", 3, SIZE, SIZE], description: "red, green and blue, 0-255" }],
    [
      { name: SCORES, shape: ["N", classes], description: "scores of the classes, logits" },
      { name: MAPS, shape: ["N", K, MAP_SIZE, MAP_SIZE], description: "response maps" },
    ],
    { name: metadata.variant ?? "network", metadata },
  );
}

/** A dimension of 0 in a shape is the input's own. */
function shapeConstants(graph: OnnxGraph) {
  return (name: string, shape: number[]): string =>
    graph.constant(name, [shape.length], BigInt64Array.from(shape, BigInt));
}

function normalise(graph: OnnxGraph): string {
  const scale = graph.constant("scale", [1, 3, 1, 1], NORMALISATION.scale);
  const shift = graph.constant("shift", [1, 3, 1, 1], NORMALISATION.shift);
  return graph.node("Add", [graph.node("Mul", [INPUT, scale]), shift]);
}

function convolve(
  graph: OnnxGraph,
  x: string,
  { weight, bias, out, in: from, size }: FoldedConvolution,
  name: string,
  stride = 1,
): string {
  const inputs = [
    x,
    graph.constant(`${name}.weight`, [out, from, size, size], weight),
    graph.constant(`${name}.bias`, [out], bias),
  ];
  const padding = (size - 1) / 2;
  return graph.node("Conv", inputs, {
    kernel_shape: [size, size],
    pads: [padding, padding, padding, padding],
    strides: [stride, stride],
  });
}

function convolveAndRelu(...parameters: Parameters<typeof convolve>): string {
  return parameters[0].node("Relu", [convolve(...parameters)]);
}

function connect(
  graph: OnnxGraph,
  x: string,
  { weight, bias, in: from, out }: FoldedLinear,
  name: string,
): string {
  const product = graph.node("MatMul", [x, graph.constant(`${name}.weight`, [from, out], weight)]);
  return graph.node("Add", [product, graph.constant(`${name}.bias`, [out], bias)]);
}
