/**
 * Writes an ONNX file node by node. Messages and field numbers are those of `onnx.proto` (https://github.com/onnx/onnx).
 *
 * @module
 */
import { Message } from "../support/protobuf.ts";

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
  #graph = new Message();
  #count = 0;

  /** Adds a constant tensor. Returns its name. */
  constant(name: string, shape: readonly number[], values: Float32Array | BigInt64Array): string {
    const tensor = new Message();
    for (const size of shape) tensor.int(1, size);
    tensor.int(2, values instanceof Float32Array ? FLOAT : INT64).bytes(8, name);
    tensor.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)); // little-endian, as ONNX wants it
    this.#graph.bytes(5, tensor);
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
    const node = new Message();
    for (const input of inputs) node.bytes(1, input);
    node.bytes(2, output).bytes(3, output).bytes(4, operation);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new Message().bytes(1, name);
      if (typeof value === "number") attribute.int(3, value).int(20, TYPE_INT);
      else {
        for (const one of value) attribute.int(8, one);
        attribute.int(20, TYPE_INTS);
      }
      node.bytes(5, attribute);
    }
    this.#graph.bytes(1, node);
    return output;
  }

  /** The file. */
  finish(
    inputs: readonly GraphValue[],
    outputs: readonly GraphValue[],
    { name, metadata }: { name: string; metadata: Record<string, string> },
  ): Uint8Array<ArrayBuffer> {
    this.#graph.bytes(2, name);
    for (const input of inputs) this.#graph.bytes(11, valueMessage(input));
    for (const output of outputs) this.#graph.bytes(12, valueMessage(output));
    const model = new Message().int(1, IR_VERSION).bytes(2, "dynamic-filters").bytes(7, this.#graph);
    model.bytes(8, new Message().bytes(1, "").int(2, OPSET));
    for (const [key, value] of Object.entries(metadata)) {
      model.bytes(14, new Message().bytes(1, key).bytes(2, value));
    }
    return model.finish();
  }
}

function valueMessage({ name, shape, description }: GraphValue): Message {
  const dimensions = new Message();
  for (const size of shape) {
    dimensions.bytes(1, typeof size === "number" ? new Message().int(1, size) : new Message().bytes(2, size));
  }
  const type = new Message().bytes(1, new Message().int(1, FLOAT).bytes(2, dimensions));
  return new Message().bytes(1, name).bytes(2, type).bytes(3, description);
}
