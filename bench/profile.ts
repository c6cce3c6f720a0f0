/**
 * What the time of a step is spent on.
 *
 * @module
 */
import { CHANNELS, type NetworkSpec } from "../lib/model/spec.ts";
import { summarise } from "../lib/model/summary.ts";
import { listTensors } from "../lib/model/tensor_list.ts";
import { nativeBackend } from "../lib/tensorflow/runtime/binding.ts";
import { matMul } from "../lib/tensorflow/operations/mat_mul.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";

/** One operation of TensorFlow's, all its calls of a step together. */
export interface OperationTime {
  operation: string;
  /** Calls a step. */
  count: number;
  /** Of a step. */
  milliseconds: number;
  /** Of the step's time. */
  share: number;
}

/** A step's time, parted. */
export interface Parted {
  /** Of a step. */
  milliseconds: number;
  /** Of that, outside TensorFlow: in JavaScript, and in handing tensors over and back. */
  javaScript: number;
}

/** A step's profile, and what to hold it against. */
export interface StepProfile extends Parted {
  batchSize: number;
  /** Steps that were timed. */
  steps: number;
  /** Of the step that is run operation by operation, as are `milliseconds` and `javaScript`. */
  operations: OperationTime[];
  /** The step as one graph. */
  compiled: Parted;
  /** Floating-point operations of a step by the textbook. */
  flops: number;
  /** Floating-point operations a second of the machine in a large matrix product. */
  matMulRate: number;
}

/** Of the binding's functions, those that compute: an operation, or a whole graph. */
type Computing = "executeOp" | "runSavedModel";

/** Calls of one kind. */
interface Calls {
  count: number;
  milliseconds: number;
}

/**
 * Times what TensorFlow computes, as long as it is not disposed; only graphs that are compiled meanwhile. On a CPU its calls return when
 * all is done. On a GPU they do not, and what is timed is the asking.
 */
class CallTimer implements Disposable {
  /** By operation; graphs are all one. */
  readonly calls = new Map<string, Calls>();
  readonly #backend = nativeBackend()!;
  readonly #binding = this.#backend.binding;

  constructor(name: Computing) {
    const original = this.#binding[name] as (...args: unknown[]) => unknown;
    const timed = (...args: unknown[]) => {
      const start = performance.now();
      try {
        return original.apply(this.#binding, args);
      } finally {
        const key = name === "executeOp" ? args[0] as string : name;
        const { count, milliseconds } = this.calls.get(key) ?? { count: 0, milliseconds: 0 };
        this.calls.set(key, { count: count + 1, milliseconds: milliseconds + performance.now() - start });
      }
    };
    // the binding's own functions cannot be replaced
    this.#backend.binding = Object.create(this.#binding, { [name]: { value: timed, writable: true } });
  }

  [Symbol.dispose](): void {
    this.#backend.binding = this.#binding;
  }
}

const STEPS_TO_BUILD = 2;

/** What part of `count` steps' time a kind of call takes. `run` must be new, so that it compiles what it compiles here. */
async function timeSteps(
  name: Computing,
  run: (count: number) => Promise<unknown>,
  count: number,
): Promise<Parted & { calls: Map<string, Calls> }> {
  using timer = new CallTimer(name);
  await run(STEPS_TO_BUILD);
  timer.calls.clear();
  const start = performance.now();
  await run(count);
  const all = performance.now() - start;
  const native = timer.calls.values().reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return { milliseconds: all / count, javaScript: 1 - native / all, calls: timer.calls };
}

/** JavaScript's part of a compiled step. `run` trains that often, and must not have been used. */
export async function partCompiled(run: (count: number) => Promise<unknown>, count: number): Promise<Parted> {
  const { milliseconds, javaScript } = await timeSteps("runSavedModel", run, count);
  return { milliseconds, javaScript };
}

/** The operations of a step that is run one by one, the longest first. `run` trains that often. */
export async function profileOperations(
  run: (count: number) => Promise<unknown>,
  count: number,
): Promise<Parted & { operations: OperationTime[] }> {
  const { milliseconds, javaScript, calls } = await timeSteps("executeOp", run, count);
  const operations = [...calls].map(([operation, sum]): OperationTime => ({
    operation,
    count: sum.count / count,
    milliseconds: sum.milliseconds / count,
    share: sum.milliseconds / (milliseconds * count),
  }));
  return {
    milliseconds,
    javaScript,
    operations: operations.sort((one, other) => other.milliseconds - one.milliseconds),
  };
}

const SIDE = 1024;

/** Floating-point operations a second of this machine in a product of two 1024×1024 matrices: the best of some. */
export async function measureMatMul(seconds = 0.5): Promise<number> {
  const [a, b] = [1, 2].map((seed) => tf.randomNormal([SIDE, SIDE], 0, 1, "float32", seed) as tf.Tensor2D);
  let best = Infinity;
  const end = performance.now() + 1000 * seconds;
  do {
    const start = performance.now();
    const product = matMul(a, b);
    const corner = tf.slice(product, [0, 0], [1, 1]); // on a GPU it is done when it can be read
    await corner.data();
    best = Math.min(best, performance.now() - start);
    tf.dispose([product, corner]);
  } while (performance.now() < end);
  tf.dispose([a, b]);
  return 2 * SIDE ** 3 / (best / 1000);
}

/**
 * Floating-point operations of a step by the textbook, a multiplication and an addition each: convolutions and fully connected layers
 * forwards, by their inputs and by their weights. Winograd's algorithm does with fewer.
 */
export function countStepFlops(spec: NetworkSpec, B: number): number {
  const shapes = new Map(listTensors(spec).map(({ name, shape }) => [name, shape]));
  let flops = 0;
  for (const { layer, kind, outputShape } of summarise(spec).layers) {
    const isWeighted = kind.startsWith("convolution") || kind.startsWith("fully connected");
    if (!isWeighted && layer !== "response maps") continue;
    const outputs = multiply(outputShape.map((size) => size === "B" ? B : size));
    // an output is a row of the kernel, or a filter, times as much of the input
    const products = isWeighted ? multiply(shapes.get(`${layer}.weight`)!.slice(1)) : CHANNELS;
    flops += 2 * outputs * products * countPasses(layer, spec);
  }
  return flops;
}

function multiply(sizes: number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** Forwards, by the weights, by the input: how many of these a layer needs. */
function countPasses(layer: string, { backbone, adapter }: NetworkSpec): number {
  const isFrozen = backbone === "frozen";
  // nothing asks for the gradient of what comes first, or out of what is frozen
  const isFirst = layer === "backbone.conv1" || (isFrozen && layer === "adapter.0") ||
    (isFrozen && adapter === "none" && layer === "response maps");
  const learns = !layer.startsWith("backbone.") || backbone === "trainable";
  if (isFrozen && layer.startsWith("backbone.")) return 1;
  return 1 + (learns ? 1 : 0) + (isFirst ? 0 : 1);
}
