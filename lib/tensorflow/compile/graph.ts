/**
 * Builds a TensorFlow graph node by node and encodes it.
 *
 * The messages and their field numbers are TensorFlow's `graph.proto`, `node_def.proto`, `attr_value.proto`,
 * `tensor.proto`, `tensor_shape.proto` and `config.proto`.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ATTRIBUTE, type Attribute, DTYPE } from "../runtime/binding.ts";

/** `GraphDef.versions.producer`: TensorFlow 2.9 or newer wrote it. Newer runtimes read older graphs. */
const PRODUCER = 1087;
/** Equal constants up to this many bytes are one node. */
const SHARED_CONSTANT_BYTES = 4096;
/** Field of `TensorProto` that lists values, by type; a shorter list repeats its last value. */
const VALUE_FIELD: Record<number, number> = { [DTYPE.float32]: 5, [DTYPE.int32]: 7, [DTYPE.bool]: 11 };
/** Field of `AttrValue`, and of its `ListValue`, by an attribute's type. */
const ATTRIBUTE_FIELD: Record<number, number> = {
  [ATTRIBUTE.string]: 2,
  [ATTRIBUTE.int]: 3,
  [ATTRIBUTE.float]: 4,
  [ATTRIBUTE.bool]: 5,
  [ATTRIBUTE.type]: 6,
};

/** A tensor that a graph keeps from one run to the next. */
export interface Variable {
  /** The output that names it. */
  handle: string;
  /** The output with its value at the start of a run. */
  value: string;
  dtype: number;
}

interface Node {
  name: string;
  inputs: string[];
  /** Encoded `NodeDef`. */
  message: Uint8Array;
}

/** A graph being built. The outputs of a node are named `node:index`; `inputs` are such names. */
export class Graph {
  #nodes: Node[] = [];
  #constants = new Map<string, string>();

  /** Adds an operation. Returns its name. */
  node(operation: string, attributes: Attribute[], inputs: string[], name?: string): string {
    return this.#add(operation, inputs, attributes.map((one) => [one.name, encodeAttribute(one)]), name);
  }

  /** Adds a placeholder. Returns its output. */
  placeholder(dtype: number, shape: number[], name: string): string {
    const attributes = [typed("dtype", dtype), { name: "shape", type: ATTRIBUTE.shape, value: shape }];
    return `${this.node("Placeholder", attributes, [], name)}:0`;
  }

  /** Adds a variable, which must be assigned before its value is used. */
  variable(dtype: number, shape: number[], name: string): Variable {
    const type = typed("dtype", dtype);
    const attributes = [
      type,
      { name: "shape", type: ATTRIBUTE.shape, value: shape },
      { name: "shared_name", type: ATTRIBUTE.string, value: name },
    ];
    const handle = `${this.node("VarHandleOp", attributes, [], name)}:0`;
    const value = `${this.node("ReadVariableOp", [type], [handle], `${name}_value`)}:0`;
    return { handle, value, dtype };
  }

  /** Adds an assignment that waits for the outputs `after`. Returns its name. */
  assign({ handle, dtype }: Variable, value: string, after: string[] = []): string {
    return this.node("AssignVariableOp", [typed("dtype", dtype)], [handle, value, ...after.map(waitFor)]);
  }

  /** Adds a constant that waits for all these operations. Returns its output. */
  done(operations: string[], name: string): string {
    const zero = this.constant(DTYPE.int32, [], new Int32Array(1));
    return this.identity(zero, DTYPE.int32, name, operations);
  }

  /** Adds a copy of an output, in memory that it shares with no input. Returns the copy's output. */
  copy(output: string, dtype: number, name?: string): string {
    return `${this.node("Snapshot", [typed("T", dtype)], [output], name)}:0`; // copies only what is shared
  }

  /** Adds another name for an output, which waits for the operations `after`. Returns its output. */
  identity(output: string, dtype: number, name: string, after: string[] = []): string {
    return `${this.node("Identity", [typed("T", dtype)], [output, ...after.map(waitFor)], name)}:0`;
  }

  /** Adds a constant tensor. Returns its output. */
  constant(dtype: number, shape: number[], values: ArrayBufferView): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = bytes.length <= SHARED_CONSTANT_BYTES ? `${dtype}[${shape}]${bytes}` : null;
    const known = key === null ? undefined : this.#constants.get(key);
    if (known) return known;
    const name = `${
      this.#add("Const", [], [
        ["dtype", encodeAttribute(typed("dtype", dtype))],
        ["value", encode([8, encodeTensor(dtype, shape, bytes)])],
      ])
    }:0`;
    if (key !== null) this.#constants.set(key, name);
    return name;
  }

  /**
   * Encodes a `GraphDef`.
   *
   * @param ends Outputs that the caller feeds and fetches. Nodes that none of them needs are left out.
   * @default all nodes
   */
  definition(ends?: string[]): { bytes: Uint8Array<ArrayBuffer>; nodes: number } {
    const needed = new Set(ends?.map(nodeOf)), kept: Node[] = [];
    for (const node of this.#nodes.toReversed()) { // an input always precedes its users
      if (ends && !needed.has(node.name)) continue;
      kept.push(node);
      for (const input of node.inputs) needed.add(nodeOf(input));
    }
    const nodes = kept.toReversed().map(({ message }): Field => [1, message]);
    return { bytes: encode(...nodes, [4, encode([1, PRODUCER])]), nodes: kept.length };
  }

  #add(
    operation: string,
    inputs: string[],
    attributes: [string, Uint8Array][],
    name = `${operation}_${this.#nodes.length}`,
  ): string {
    const message = encode(
      [1, name],
      [2, operation],
      ...inputs.map((input): Field => [3, input.replace(/:0$/, "")]), // the canonical form of a first output
      ...attributes.map(([key, value]): Field => [5, encode([1, key], [2, value])]),
    );
    this.#nodes.push({ name, inputs, message });
    return name;
  }
}

/** Makes an attribute that is a tensor's type, by its number. */
export function typed(name: string, dtype: number): Attribute {
  return { name, type: ATTRIBUTE.type, value: dtype };
}

function nodeOf(output: string): string {
  return output.replace(/^\^/, "").split(":")[0];
}

/** Names a control input: an operation that must run first. */
function waitFor(output: string): string {
  return `^${nodeOf(output)}`;
}

/** A field of a protobuf message. */
type Field = [number: number, value: number | boolean | string | Uint8Array | { float: number }];

/** Encodes a message: integers and flags as varints; strings, bytes and messages with their length. */
function encode(...fields: Field[]): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === "string") writer.tag(number, WireType.LengthDelimited).string(value);
    else if (value instanceof Uint8Array) writer.tag(number, WireType.LengthDelimited).bytes(value);
    else if (typeof value === "object") writer.tag(number, WireType.Bit32).float(value.float);
    else writer.tag(number, WireType.Varint).int64(Number(value));
  }
  return writer.finish();
}

/**
 * Encodes a `ConfigProto`, the options of a graph's session.
 *
 * @param severalDevices False lets the calling thread run the operations one by one in a fixed order: operations
 * use several threads themselves, and handing them from thread to thread costs more than the graph's own
 * parallelism gains.
 */
export function encodeSessionOptions(severalDevices: boolean): Uint8Array<ArrayBuffer> {
  return severalDevices ? encode() : encode([16, encode([3, "SINGLE_THREADED_EXECUTOR"])]);
}

function encodeShape(shape: number[]): Uint8Array {
  return encode(...shape.map((size): Field => [2, encode([1, size])]));
}

function encodeTensor(dtype: number, shape: number[], bytes: Uint8Array): Uint8Array {
  const head: Field[] = [[1, dtype], [2, encodeShape(shape)]];
  const field = VALUE_FIELD[dtype], width = dtype === DTYPE.bool ? 1 : 4, size = bytes.length / width;
  // tfjs's gradients are full of tf.ones of any size: store the value once
  const uniform = field !== undefined && size > 64 && bytes.every((byte, at) => byte === bytes[at % width]);
  if (!uniform) return encode(...head, [4, bytes]);
  const first = new DataView(bytes.buffer, bytes.byteOffset);
  if (dtype === DTYPE.float32) return encode(...head, [field, { float: first.getFloat32(0, true) }]);
  return encode(...head, [field, dtype === DTYPE.bool ? first.getUint8(0) : first.getInt32(0, true)]);
}

function encodeAttribute({ name, type, value }: Attribute): Uint8Array {
  if (type === ATTRIBUTE.shape) return encode([7, encodeShape(value as number[])]);
  const field = ATTRIBUTE_FIELD[type];
  if (field === undefined) {
    throw new Error(`Cannot write the attribute ${name}: its type ${type} is not known.`);
  }
  const encodeOne = (one: number | boolean | string): Field => [
    field,
    type === ATTRIBUTE.string ? String(one) : type === ATTRIBUTE.float ? { float: Number(one) } : Number(one),
  ];
  return Array.isArray(value) ? encode([1, encode(...value.map(encodeOne))]) : encode(encodeOne(value));
}
