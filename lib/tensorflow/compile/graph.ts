/**
 * Builds a TensorFlow graph node by node and writes it as the file `saved_model.pb` of a SavedModel.
 *
 * The messages and their field numbers are TensorFlow's `saved_model.proto`, `meta_graph.proto`,
 * `graph.proto`, `node_def.proto`, `attr_value.proto`, `tensor.proto` and `tensor_shape.proto`.
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ATTRIBUTE, type Attribute, DTYPE } from "../runtime/binding.ts";

const { Varint, LengthDelimited, Bit32 } = WireType;

/** `GraphDef.versions.producer`: TensorFlow 2.9 or newer wrote it. Newer runtimes read older graphs. */
const PRODUCER = 1087;
/** Equal constants up to this many bytes are one node. */
const SHARED_CONSTANT_BYTES = 4096;
/** The field of `TensorProto` that lists values, by type; a shorter list repeats its last value. */
const VALUE_FIELD: Record<number, number> = { [DTYPE.float32]: 5, [DTYPE.int32]: 7, [DTYPE.bool]: 11 };

/** A tensor that a graph keeps from one run to the next. */
export interface Variable {
  /** Where it lies, as `node:index`. */
  handle: string;
  /** Its value at the start of a run, as `node:index`. */
  value: string;
  dtype: number;
}

interface Node {
  name: string;
  inputs: string[];
  /** Encoded `NodeDef`. */
  message: Uint8Array;
}

/** A graph being built. What a node puts out is called `node:index`; that is what `inputs` name. */
export class Graph {
  #nodes: Node[] = [];
  #constants = new Map<string, string>();

  /** Adds an operation. Returns its name. */
  node(
    operation: string,
    attributes: Attribute[],
    inputs: string[],
    name = this.#newName(operation),
  ): string {
    return this.#add(name, operation, inputs, attributes.map((one) => [one.name, encodeAttribute(one)]));
  }

  /** Adds a place for an input. Returns the name of what it puts out. */
  placeholder(dtype: number, shape: number[], name: string): string {
    return this.node(
      "Placeholder",
      [
        { name: "dtype", type: ATTRIBUTE.type, value: dtype },
        { name: "shape", type: ATTRIBUTE.shape, value: shape },
      ],
      [],
      name,
    ) + ":0";
  }

  /** Adds a variable, which must be assigned before its value is used. */
  variable(dtype: number, shape: number[], name: string): Variable {
    const type = { name: "dtype", type: ATTRIBUTE.type, value: dtype };
    const own = [type, { name: "shape", type: ATTRIBUTE.shape, value: shape }, {
      name: "shared_name",
      type: ATTRIBUTE.string,
      value: name,
    }];
    const handle = this.node("VarHandleOp", own, [], name) + ":0";
    const value = this.node("ReadVariableOp", [type], [handle], `${name}_value`) + ":0";
    return { handle, value, dtype };
  }

  /** Adds an assignment that waits for what `after` names, as `node:index`. Returns its name. */
  assign({ handle, dtype }: Variable, value: string, after: string[] = []): string {
    const type = { name: "dtype", type: ATTRIBUTE.type, value: dtype };
    return this.node("AssignVariableOp", [type], [handle, value, ...after.map(waitFor)]);
  }

  /** Adds a number that is there when all these operations are done. Returns the name of what it puts out. */
  done(operations: string[], name: string): string {
    const zero = this.constant(DTYPE.int32, [], new Int32Array(1));
    const type = { name: "T", type: ATTRIBUTE.type, value: DTYPE.int32 };
    return this.node("Identity", [type], [zero, ...operations.map(waitFor)], name) + ":0";
  }

  /** Adds a constant tensor. Returns the name of what it puts out. */
  constant(dtype: number, shape: number[], values: ArrayBufferView): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = bytes.length <= SHARED_CONSTANT_BYTES ? `${dtype}[${shape}]${bytes}` : null;
    const known = key === null ? undefined : this.#constants.get(key);
    if (known) return known;
    const name = this.#add(this.#newName("Const"), "Const", [], [
      ["dtype", encodeAttribute({ name: "dtype", type: ATTRIBUTE.type, value: dtype })],
      ["value", new BinaryWriter().tag(8, LengthDelimited).bytes(encodeTensor(dtype, shape, bytes)).finish()],
    ]) + ":0";
    if (key !== null) this.#constants.set(key, name);
    return name;
  }

  /**
   * The bytes of `saved_model.pb`: one graph with the tag `serve` and no signature.
   *
   * @param ends What the caller feeds and fetches, as `node:index`. What none of it needs is left out.
   */
  savedModel(ends: string[]): { bytes: Uint8Array<ArrayBuffer>; nodes: number } {
    const needed = new Set(ends.map(nodeOf)), kept: Node[] = [];
    for (const node of this.#nodes.toReversed()) { // an input always stands before what uses it
      if (!needed.has(node.name)) continue;
      kept.push(node);
      for (const input of node.inputs) needed.add(nodeOf(input));
    }
    const file = new BinaryWriter().tag(1, Varint).int64(1);
    file.tag(2, LengthDelimited).fork(); // MetaGraphDef
    file.tag(1, LengthDelimited).fork().tag(4, LengthDelimited).string("serve").join();
    file.tag(2, LengthDelimited).fork(); // GraphDef
    for (const node of kept.toReversed()) file.tag(1, LengthDelimited).bytes(node.message);
    file.tag(4, LengthDelimited).fork().tag(1, Varint).int64(PRODUCER).join();
    return { bytes: file.join().join().finish(), nodes: kept.length };
  }

  #newName(operation: string): string {
    return `${operation}_${this.#nodes.length}`;
  }

  #add(name: string, operation: string, inputs: string[], attributes: [string, Uint8Array][]): string {
    const node = new BinaryWriter().tag(1, LengthDelimited).string(name).tag(2, LengthDelimited).string(
      operation,
    );
    // without the index: the canonical form of a first output
    for (const input of inputs) node.tag(3, LengthDelimited).string(input.replace(/:0$/, ""));
    for (const [key, value] of attributes) {
      node.tag(5, LengthDelimited).fork().tag(1, LengthDelimited).string(key).tag(2, LengthDelimited).bytes(
        value,
      ).join();
    }
    this.#nodes.push({ name, inputs, message: node.finish() });
    return name;
  }
}

function nodeOf(output: string): string {
  return output.replace(/^\^/, "").split(":")[0];
}

/** An input that hands nothing over, but must be done before. */
function waitFor(output: string): string {
  return `^${nodeOf(output)}`;
}

function encodeShape(shape: number[]): Uint8Array {
  const message = new BinaryWriter();
  for (const size of shape) message.tag(2, LengthDelimited).fork().tag(1, Varint).int64(size).join();
  return message.finish();
}

function encodeTensor(dtype: number, shape: number[], bytes: Uint8Array): Uint8Array {
  const message = new BinaryWriter().tag(1, Varint).int64(dtype).tag(2, LengthDelimited).bytes(
    encodeShape(shape),
  );
  const field = VALUE_FIELD[dtype], width = dtype === DTYPE.bool ? 1 : 4, size = bytes.length / width;
  // tfjs's gradients are full of tf.ones of any size: one value stands for all
  const uniform = field !== undefined && size > 64 && bytes.every((byte, at) => byte === bytes[at % width]);
  if (!uniform) return message.tag(4, LengthDelimited).bytes(bytes).finish();
  const first = new DataView(bytes.buffer, bytes.byteOffset);
  if (dtype === DTYPE.float32) return message.tag(field, Bit32).float(first.getFloat32(0, true)).finish();
  return message.tag(field, Varint).int64(dtype === DTYPE.bool ? first.getUint8(0) : first.getInt32(0, true))
    .finish();
}

function encodeAttribute({ name, type, value }: Attribute): Uint8Array {
  const message = new BinaryWriter();
  if (type === ATTRIBUTE.shape) {
    return message.tag(7, LengthDelimited).bytes(encodeShape(value as number[])).finish();
  }
  const isList = Array.isArray(value);
  if (isList) message.tag(1, LengthDelimited).fork();
  for (const one of isList ? value : [value]) { // AttrValue and its ListValue number their fields alike
    if (type === ATTRIBUTE.string) message.tag(2, LengthDelimited).string(String(one));
    else if (type === ATTRIBUTE.int) message.tag(3, Varint).int64(one as number);
    else if (type === ATTRIBUTE.float) message.tag(4, Bit32).float(one as number);
    else if (type === ATTRIBUTE.bool) message.tag(5, Varint).bool(one as boolean);
    else if (type === ATTRIBUTE.type) message.tag(6, Varint).int64(one as number);
    else {throw new Error(
        `Cannot write the attribute ${name}: its type ${type} is none of TensorFlow's known here.`,
      );}
  }
  return (isList ? message.join() : message).finish();
}
