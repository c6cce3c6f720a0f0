/**
 * Reads an ONNX file and runs it by TensorFlow.js, as far as the exported networks go: a second reading of
 * ONNX's specification, for machines without onnxruntime.
 */
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { Fields } from "./protobuf_reader.ts";

export interface OnnxNode {
  operation: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, number | number[]>;
}

export interface OnnxModel {
  irVersion: number;
  opset: number;
  metadata: Record<string, string>;
  nodes: OnnxNode[];
  constants: Map<string, { shape: number[]; values: Float32Array | number[] }>;
  inputs: Record<string, (number | string)[]>;
  outputs: Record<string, (number | string)[]>;
}

export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = new Fields(bytes), graph = model.message(7);
  const values = (field: number) =>
    Object.fromEntries(
      graph.messages(field).map((value) => {
        const dimensions = value.message(2).message(1).message(2).messages(1);
        return [value.text(1), dimensions.map((size) => size.integer(1) ?? size.text(2))];
      }),
    );
  return {
    irVersion: model.integer(1),
    opset: model.message(8).integer(2),
    metadata: Object.fromEntries(model.messages(14).map((entry) => [entry.text(1), entry.text(2)])),
    nodes: graph.messages(1).map((node) => ({
      operation: node.text(4),
      inputs: node.texts(1),
      outputs: node.texts(2),
      attributes: Object.fromEntries(
        node.messages(5).map((attribute) => {
          const isList = attribute.integer(20) === 7;
          return [attribute.text(1), isList ? attribute.integers(8) : attribute.integer(3)];
        }),
      ),
    })),
    constants: new Map(
      graph.messages(5).map((tensor) => {
        const raw = tensor.bytes(9)[0].slice().buffer;
        const values = tensor.integer(2) === 1
          ? new Float32Array(raw)
          : [...new BigInt64Array(raw)].map(Number);
        return [tensor.text(8), { shape: tensor.integers(1), values }];
      }),
    ),
    inputs: values(11),
    outputs: values(12),
  };
}

/** Runs a model; `images` and all maps have their channels first. */
export function runOnnx({ nodes, constants }: OnnxModel, images: tf.Tensor4D): Record<string, tf.Tensor> {
  const tensors: Record<string, tf.Tensor> = { images };
  for (const [name, { shape, values }] of constants) tensors[name] = tf.tensor(values, shape);
  for (const { operation, inputs, outputs, attributes } of nodes) {
    const given = inputs.map((name) => {
      if (!tensors[name]) throw new Error(`${operation} uses ${name} before it is there`);
      return tensors[name];
    });
    const run = OPERATIONS[operation];
    if (!run) throw new Error(`no operation ${operation}`);
    tensors[outputs[0]] = run(given, attributes, constants.get(inputs[1])?.values as number[]);
  }
  return tensors;
}

type Run = (inputs: tf.Tensor[], attributes: OnnxNode["attributes"], second: number[]) => tf.Tensor;

const OPERATIONS: Record<string, Run> = {
  Add: ([x, y]) => tf.add(x, y),
  Mul: ([x, y]) => tf.mul(x, y),
  Relu: ([x]) => tf.relu(x),
  MatMul: ([x, y]) =>
    tf.reshape(tf.matMul(tf.reshape(x, [-1, x.shape.at(-1)!]), y as tf.Tensor2D), [
      ...x.shape.slice(0, -1),
      -1,
    ]),
  Reshape: ([x], _, shape) => tf.reshape(x, shape.map((size, axis) => size === 0 ? x.shape[axis] : size)),
  Expand: ([x], _, shape) => tf.broadcastTo(x, [x.shape[0], shape[1]]),
  Conv: ([x, kernel, bias], { pads = [0, 0, 0, 0], strides = [1, 1] }) => {
    const padded = padLast(channelsLast(x), pads as number[], 0);
    const transposed = tf.transpose(kernel, [2, 3, 1, 0]) as tf.Tensor4D;
    const y = tf.conv2d(padded, transposed, strides as [number, number], "valid");
    return tf.transpose(bias ? tf.add(y, bias) : y, [0, 3, 1, 2]);
  },
  MaxPool: ([x], { kernel_shape, pads, strides }) => {
    const padded = padLast(channelsLast(x), pads as number[], -1e30);
    const y = tf.maxPool(padded, kernel_shape as [number, number], strides as [number, number], "valid");
    return tf.transpose(y, [0, 3, 1, 2]);
  },
};

function channelsLast(x: tf.Tensor): tf.Tensor4D {
  return tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
}

function padLast(x: tf.Tensor4D, [top, left, bottom, right]: number[], value: number): tf.Tensor4D {
  return tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]], value);
}
