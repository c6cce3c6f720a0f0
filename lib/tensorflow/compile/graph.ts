/**
 * Builds a TensorFlow graph node by node and writes it as the file `saved_model.pb` of a SavedModel.
 *
 * The messages and their field numbers are TensorFlow's `saved_model.proto`, `meta_graph.proto`, `graph.proto`, `node_def.proto`,
 * `attr_value.proto`, `tensor.proto` and `tensor_shape.proto`.
 * @module
 */
import { ATTRIBUTE, type Attribute, DTYPE } from "../runtime/binding.ts";
import { Message } from "../../support/protobuf.ts";

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
  message: Message;
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
    return this.#add(name, operation, inputs, attributes.map((one) => [one.name, attributeMessage(one)]));
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
      ["dtype", attributeMessage({ name: "dtype", type: ATTRIBUTE.type, value: dtype })],
      ["value", new Message().bytes(8, tensorMessage(dtype, shape, bytes))],
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
    const graph = new Message();
    for (const node of kept.toReversed()) graph.bytes(1, node.message);
    graph.bytes(4, new Message().int(1, PRODUCER));
    const metaGraph = new Message().bytes(1, new Message().bytes(4, "serve")).bytes(2, graph);
    return { bytes: new Message().int(1, 1).bytes(2, metaGraph).finish(), nodes: kept.length };
  }

  #newName(operation: string): string {
    return `${operation}_${this.#nodes.length}`;
  }

  #add(name: string, operation: string, inputs: string[], attributes: [string, Message][]): string {
    const message = new Message().bytes(1, name).bytes(2, operation);
    for (const input of inputs) message.bytes(3, input.replace(/:0$/, "")); // the canonical form of a first output
    for (const [key, value] of attributes) message.bytes(5, new Message().bytes(1, key).bytes(2, value));
    this.#nodes.push({ name, inputs, message });
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

function shapeMessage(shape: number[]): Message {
  const message = new Message();
  for (const size of shape) message.bytes(2, new Message().int(1, size));
  return message;
}

function tensorMessage(dtype: number, shape: number[], bytes: Uint8Array): Message {
  const message = new Message().int(1, dtype).bytes(2, shapeMessage(shape)), field = VALUE_FIELD[dtype];
  const width = dtype === DTYPE.bool ? 1 : 4, size = bytes.length / width;
  // tfjs's gradients are full of tf.ones of any size: one value stands for all
  const uniform = field !== undefined && size > 64 && bytes.every((byte, at) => byte === bytes[at % width]);
  if (!uniform) return message.bytes(4, bytes);
  const first = new DataView(bytes.buffer, bytes.byteOffset);
  if (dtype === DTYPE.float32) return message.float(field, first.getFloat32(0, true));
  return message.int(field, dtype === DTYPE.bool ? first.getUint8(0) : first.getInt32(0, true));
}

function attributeMessage({ name, type, value }: Attribute): Message {
  if (type === ATTRIBUTE.shape) return new Message().bytes(7, shapeMessage(value as number[]));
  const list = Array.isArray(value), message = new Message();
  for (const one of list ? value : [value]) { // AttrValue and its ListValue number their fields alike
    if (type === ATTRIBUTE.string) message.bytes(2, String(one));
    else if (type === ATTRIBUTE.int) message.int(3, one as number);
    else if (type === ATTRIBUTE.float) message.float(4, one as number);
    else if (type === ATTRIBUTE.bool) message.int(5, one as boolean);
    else if (type === ATTRIBUTE.type) message.int(6, one as number);
    else {throw new Error(
        `Cannot write the attribute ${name}: its type ${type} is not one of TensorFlow's that are known here.`,
      );}
  }
  return list ? new Message().bytes(1, message) : message;
}
