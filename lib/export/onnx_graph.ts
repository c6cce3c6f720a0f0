/**
 * Writes an ONNX file node by node. Messages and field numbers are those of `onnx.proto` (https://github.com/onnx/onnx).
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const { Varint, LengthDelimited } = WireType;

/** `ModelProto.ir_version` that came with {@linkcode OPSET}: read by every onnxruntime since 1.6. */
const IR_VERSION = 7;
/** Version of the operations: https://onnx.ai/onnx/operators. */
const OPSET = 13;
const [FLOAT, INT64] = [1, 7]; // TensorProto.DataType
const [TYPE_INT, TYPE_INTS] = [2, 7]; // AttributeProto.AttributeType

/** A size that is known, or the name of one that is not. */
export type Dimension = number | string;

/** An input or output of the whole graph, in float32. */
export interface GraphValue {
  name: string;
  shape: readonly Dimension[];
  /** What it is, for people. */
  description: string;
}

/** Whole numbers that go with an operation: `strides`, `axis`. */
export type OnnxAttributes = Readonly<Record<string, number | readonly number[]>>;

/** A graph being built. */
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

  /** The file. */
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
