/**
 * Writes a TensorFlow.js graph model node by node: `model.json`, a TensorFlow `GraphDef` as JSON, and the constants' values in
 * `weights.bin` (https://www.tensorflow.org/js/guide/conversion).
 *
 * @module
 */

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
export const FLOAT_TYPE: Readonly<Record<string, TfjsAttribute>> = { T: { type: "DT_FLOAT" } };

/** A graph being built. */
export class TfjsGraph {
  #nodes: TfjsNode[] = [];
  #weights: TfjsWeight[] = [];
  #values: Uint8Array[] = [];

  /** Adds a place for an input; −1 is a size that is not known. */
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

/** A text as an attribute. */
export function textAttribute(text: string): TfjsAttribute {
  return { s: btoa(text) };
}

/** Texts as an attribute. */
export function textsAttribute(texts: string[]): TfjsAttribute {
  return { list: { s: texts.map((text) => btoa(text)) } };
}

/** Whole numbers as an attribute. */
export function integersAttribute(values: number[]): TfjsAttribute {
  return { list: { i: values.map(String) } };
}

function shapeOf(shape: readonly number[]): TfjsShape {
  return { dim: shape.map((size) => ({ size: String(size) })) };
}
