/**
 * The native backend of `@tensorflow/tfjs-node-gpu`, below TensorFlow.js's own types.
 *
 * Only this file casts it. {@linkcode execute} and {@linkcode executeMany} run any TensorFlow
 * operation by its name (https://www.tensorflow.org/api_docs/python/tf/raw_ops), with attributes made by
 * {@linkcode typeAttribute} and similar functions.
 */
import * as tf from "./tf.ts";

/** The number of an attribute's type, `TF_AttrType` in TensorFlow's `tf_attrtype.h`. */
export const ATTRIBUTE = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

/** The number of a tensor's type, `TF_DataType` in TensorFlow's `tf_datatype.h`. */
export const DTYPE = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
} as const;

/** A tensor's type by its name: TensorFlow.js's own, and those that only TensorFlow knows. */
export type DataTypeName = keyof typeof DTYPE;

/** An attribute of an operation, as the binding takes it. */
export interface Attribute {
  /** Its name in TensorFlow. */
  name: string;
  /** One of {@linkcode ATTRIBUTE}. */
  type: number;
  /** Its value, or values for a list. */
  value: boolean | number | string | number[] | string[];
}

/** A tensor of the binding: `id` is its handle, never used again. */
export interface TensorHandle {
  id: number;
  shape: number[];
  /** One of {@linkcode DTYPE}. */
  dtype: number;
}

/** A graph that TensorFlow has loaded. */
export type LoadedGraphHandle = { readonly kind: unique symbol };

/** A way to run a graph. */
export type GraphCall = { readonly kind: unique symbol };

/** Functions of the addon (`binding/tfjs_binding.cc` of the package, and addon/addon.cc). */
export interface NativeBinding {
  /** TensorFlow's version, such as `2.21.0`. */
  readonly TF_Version: string;
  createTensor(shape: number[], dtype: number, values: ArrayBufferView | Uint8Array[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(operation: string, attributes: Attribute[], inputs: number[], outputs: number): TensorHandle[];
  getNumOfTensors(): number;
  /** Loads a graph from a `GraphDef` and a session's `ConfigProto`. */
  openGraph(definition: Uint8Array, options: Uint8Array): LoadedGraphHandle;
  /** Finds what a run feeds and fetches, by comma-separated names `node:index`. It is freed with the graph. */
  prepareCall(graph: LoadedGraphHandle, feeds: string, fetches: string): GraphCall;
  /** Runs a graph on the tensors of the first `handles`, one per feed; writes the results' after them. */
  runCall(call: GraphCall, handles: Int32Array): void;
  closeGraph(graph: LoadedGraphHandle): void;
}

/** A tensor as the backend keeps it. */
export interface TensorData {
  id: number;
  dtype: number;
  /** Values from JavaScript without a handle yet; null afterwards. */
  values: tf.BackendValues | null;
}

/** The native backend (`src/nodejs_kernel_backend.ts` of the package). */
export interface NativeBackend {
  binding: NativeBinding;
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: { get(data: tf.DataId): TensorData | undefined };
  write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId;
  read(data: tf.DataId): Promise<tf.BackendValues>;
  readSync(data: tf.DataId): tf.BackendValues;
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(handle: TensorHandle): tf.Tensor;
}

/** Internals of TensorFlow.js's engine that recording a function needs. */
export interface EngineInternals {
  readonly state: {
    /** Above 0 while a gradient's function runs. */
    readonly gradientDepth: number;
    /** True inside `tf.profile`. */
    readonly profiling: boolean;
    readonly scopeStack: readonly unknown[];
  };
  /** Called for every new tensor. */
  trackTensor(tensor: tf.Tensor, backend: unknown): void;
  startScope(): void;
  endScope(): void;
}

/** Returns TensorFlow.js's global engine. */
export function engineInternals(): EngineInternals {
  return tf.engine() as unknown as EngineInternals;
}

/** Returns the native backend if it is the one in use, else null. */
export function nativeBackend(): NativeBackend | null {
  if (tf.getBackend() !== "tensorflow") return null;
  const backend = tf.backend() as unknown as NativeBackend;
  return typeof backend.binding?.executeOp === "function" ? backend : null;
}

/**
 * Runs a TensorFlow operation that has one output.
 *
 * TensorFlow.js has no gradient for it: wrap it in `tf.customGrad` if one is needed. A `bfloat16` output
 * looks like `float32` to TensorFlow.js; give it only to further operations run from here.
 *
 * @param operation Its name in TensorFlow, as `"Relu"`.
 * @throws {Error} If the native backend is not in use, or TensorFlow refuses the inputs.
 */
export function execute(operation: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor {
  return executeMany(operation, attributes, inputs, 1)[0];
}

/** Runs a TensorFlow operation that has `count` outputs. See {@linkcode execute}. */
export function executeMany(
  operation: string,
  attributes: Attribute[],
  inputs: tf.Tensor[],
  count: number,
): tf.Tensor[] {
  const backend = nativeBackend();
  if (!backend) {
    throw new Error(
      `Cannot run the TensorFlow operation ${operation} on the backend "${tf.getBackend()}": call useNativeTensorFlow() first.`,
    );
  }
  return backend.binding.executeOp(operation, attributes, backend.getInputTensorIds(inputs), count)
    .map((handle) => wrapHandle(backend, handle));
}

/** Wraps a handle as a tensor of TensorFlow.js, which then owns it. */
export function wrapHandle(backend: NativeBackend, handle: TensorHandle): tf.Tensor {
  if (handle.dtype !== DTYPE.bfloat16) return backend.createOutputTensor(handle);
  const tensor = backend.createOutputTensor({ ...handle, dtype: DTYPE.float32 });
  backend.tensorMap.get(tensor.dataId)!.dtype = handle.dtype;
  return tensor;
}

/** A function of tensors whose gradient is given rather than composed. */
export interface Differentiable {
  /** Computes the value, and the tensors that {@linkcode backward} needs. */
  forward(...inputs: tf.Tensor[]): { value: tf.Tensor; saved: tf.Tensor[] };
  /** Gradients of the inputs, in their order, from the gradient `dy` of the value. */
  backward(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[];
}

/** Applies `rule` to `inputs`; a typed `tf.customGrad`. */
export function differentiate(rule: Differentiable, inputs: tf.Tensor[]): tf.Tensor {
  const withGradient = tf.customGrad((...received: Array<tf.Tensor | tf.GradSaveFunc>) => {
    const save = received.pop() as tf.GradSaveFunc;
    const { value, saved } = rule.forward(...received as tf.Tensor[]);
    save(saved);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => rule.backward(dy, kept) };
  });
  return withGradient(...inputs);
}

/** Makes an attribute that is a tensor's type, as `T`. */
export function typeAttribute(name: string, dtype: DataTypeName): Attribute {
  return { name, type: ATTRIBUTE.type, value: DTYPE[dtype] };
}

/** Makes an attribute that is a flag, as `transpose_a`. */
export function boolAttribute(name: string, value: boolean): Attribute {
  return { name, type: ATTRIBUTE.bool, value };
}

/** Makes an attribute that is a real number, as `epsilon`. */
export function floatAttribute(name: string, value: number): Attribute {
  return { name, type: ATTRIBUTE.float, value };
}

/** Makes an attribute that is an integer, as `axis`. */
export function intAttribute(name: string, value: number): Attribute {
  return { name, type: ATTRIBUTE.int, value };
}

/** Makes an attribute that is a list of integers, as `strides`. */
export function intsAttribute(name: string, value: number[]): Attribute {
  return { name, type: ATTRIBUTE.int, value };
}

/** Makes an attribute that is a string, as `padding`. */
export function stringAttribute(name: string, value: string): Attribute {
  return { name, type: ATTRIBUTE.string, value };
}
