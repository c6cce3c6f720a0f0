import assert from "node:assert/strict";
import { createRandom } from "../../lib/support/random.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { nativeBackend } from "../../lib/tensorflow/runtime/binding.ts";
import { countGraphs } from "../../lib/tensorflow/compile/loaded_graph.ts";
import { replace } from "../../lib/tensorflow/compile/recorder.ts";
import { assertClose } from "./oracle.ts";

/** Sizes of an operation's tensors: B images of H×W pixels, C channels in and K out. */
export interface Size {
  B: number;
  H: number;
  W: number;
  C: number;
  K: number;
}

/** A tensor of normally distributed values, the same for the same key. */
export function randomTensor<T extends tf.Tensor = tf.Tensor4D>(shape: number[], ...key: number[]): T {
  const random = createRandom(0, ...key);
  const values = Float32Array.from(
    { length: shape.reduce((size, length) => size * length, 1) },
    random.normal,
  );
  return tf.tensor(values, shape) as T;
}

/** Values of tensors by name, which outlive a change of backend. */
export type Values = Record<string, Float32Array>;

/** Reads and disposes tensors. */
export async function readAll(tensors: Record<string, tf.Tensor>): Promise<Values> {
  const values: Values = {};
  for (const [name, tensor] of Object.entries(tensors)) values[name] = await tensor.data() as Float32Array;
  tf.dispose(Object.values(tensors));
  return values;
}

/** Computes tensors on TensorFlow.js's backend in plain JavaScript: what a browser without WebGL would do. */
export async function onPlainBackend(compute: () => Record<string, tf.Tensor>): Promise<Values> {
  const native = tf.getBackend();
  tf.env().set("PROD", true); // no advice to install the native backend
  await tf.setBackend("cpu");
  try {
    assert.equal(nativeBackend(), null);
    return await readAll(compute());
  } finally {
    await tf.setBackend(native);
  }
}

/**
 * Asserts that a computation gives the same on the native backend and on
 * {@linkcode onPlainBackend plain JavaScript's}.
 */
export async function assertSameOnBothBackends(
  compute: () => Record<string, tf.Tensor>,
  tolerance: number,
): Promise<void> {
  assert.notEqual(nativeBackend(), null);
  const native = await readAll(compute());
  assertAllClose(await onPlainBackend(compute), native, tolerance);
}

/** Asserts that tensors agree by name, each to `tolerance` times its largest value. */
export function assertAllClose(actual: Values, expected: Values, tolerance: number): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const name of Object.keys(expected)) assertClose(actual[name], expected[name], tolerance, name);
}

/** Whether two arrays hold the same bytes. */
export function isSame(one: ArrayBufferView, other: ArrayBufferView): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  const [left, right] = [bytes(one), bytes(other)];
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/**
 * Asserts that tensors agree bit for bit. A failure names them: to show how thousands of values differ takes
 * minutes.
 */
export function assertSameValues(
  actual: Record<string, ArrayBufferView>,
  expected: Record<string, ArrayBufferView>,
  what = "",
): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), `names of tensors ${what}`);
  const differing = Object.keys(expected).filter((name) => !isSame(actual[name], expected[name]));
  assert.deepEqual(differing, [], `tensors ${what} that differ`);
}

/** Lists TensorFlow's operations that a computation runs, in order. */
export function listOperations(compute: () => unknown): string[] {
  const backend = nativeBackend()!, { binding } = backend, operations: string[] = [];
  const executeOp: typeof binding.executeOp = (operation, ...rest) => {
    operations.push(operation);
    return binding.executeOp(operation, ...rest);
  };
  using _ = replaced(backend, "binding", Object.setPrototypeOf({ executeOp }, binding));
  tf.tidy(() => void compute());
  return operations;
}

/** Lets the library believe that it runs on a GPU, until the end of the block, to rehearse its rules. */
export function gpuRules(): Disposable {
  return replaced(nativeBackend()!, "isUsingGpuDevice", true);
}

function replaced<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): Disposable {
  return { [Symbol.dispose]: replace(object, key, value) };
}

/** Counts what TensorFlow.js and TensorFlow hold. */
export function countTensors(): { tensors: number; natives: number | undefined; graphs: number } {
  const binding = nativeBackend()?.binding;
  return {
    tensors: tf.memory().numTensors,
    natives: binding?.getNumOfTensors(),
    graphs: countGraphs(),
  };
}
