/**
 * Records the operations that TensorFlow.js runs. Its native backend does everything through one object, the
 * binding, on handles that are never used twice. A {@linkcode Recorder} replaces it for one call. It forwards
 * everything, so the operations run as usual, and adds each as a node to a graph, with a map from handles to
 * nodes' outputs.
 */
import * as tf from "../runtime/tf.ts";
import {
  type Attribute,
  DTYPE,
  type NativeBackend,
  type NativeBinding,
  wrapHandle,
} from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import { findVaryingShape } from "../runtime/library.ts";
import { Graph, typed, type Variable } from "./graph.ts";
import type { Output } from "./loaded_graph.ts";

/** Operations that draw random numbers and take a seed. */
const RANDOM = /^(Random[A-Z]\w*|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial)$/;
/** Operations whose attribute T the npm package leaves out or sets wrong, which fails in a graph only. */
const UNTYPED = ["ExpandDims", "Mean"];
/** Bytes of a number in the types that have NaN. */
const FLOAT_BYTES: Record<number, number> = { [DTYPE.float32]: 4, [DTYPE.float64]: 8, [DTYPE.bfloat16]: 2 };
/** The kernel of `tf.gather` reads its indices, only to check them. */
const CHECKING_KERNEL = "GatherV2";

/** Wraps the binding of the native backend while a function is recorded. */
export class Recorder {
  readonly graph = new Graph();
  /** The first reason why no graph is possible; the function may have caught the error. */
  refusal?: CompileError;

  readonly #backend: NativeBackend;
  readonly #binding: NativeBinding;
  readonly #subject: string;
  /** By handle: its name in the graph, its type, and whether another call may give it other values. */
  readonly #tensors = new Map<number, { name: string; dtype: number; varies: boolean }>();
  /** Data made from JavaScript's values in this call, mostly without a handle before its first use. */
  readonly #written = new WeakSet<tf.DataId>();
  /** Handles of this call that are not freed. */
  readonly #alive = new Set<number>();
  #checking = false;

  /** @param subject Names the function in messages. */
  constructor(backend: NativeBackend, subject: string) {
    this.#backend = backend;
    this.#binding = backend.binding;
    this.#subject = subject;
  }

  /** Copies a tensor for use as an input, and names its placeholder. */
  input(tensor: tf.Tensor, index: number): { copy: tf.Tensor; feed: string } {
    const { copy, place } = this.#standIn(tensor, (dtype) => {
      const feed = this.graph.placeholder(dtype, tensor.shape, `input_${index}`);
      return { place: feed, value: feed };
    });
    return { copy, feed: place };
  }

  /** Makes a tensor's values a constant of the graph. */
  constant(tensor: tf.Tensor): void {
    if (tensor.isDisposed) this.refuse("needs another graph, and one of its constants was disposed.");
    const [handle] = this.#backend.getInputTensorIds([tensor]);
    const { dtype } = this.#backend.tensorMap.get(tensor.dataId)!;
    const name = this.graph.constant(dtype, tensor.shape, this.#binding.tensorDataSync(handle));
    this.#tensors.set(handle, { name, dtype, varies: false });
  }

  /** Copies a tensor for use as a state of the graph, and adds its variable. */
  kept(tensor: tf.Tensor, index: number): { copy: tf.Tensor; variable: Variable } {
    const { copy, place } = this.#standIn(tensor, (dtype) => {
      const variable = this.graph.variable(dtype, tensor.shape, `state_${index}`);
      return { place: variable, value: variable.value };
    });
    return { copy, variable: place };
  }

  /** Locates a tensor of the function's result in the graph, as `node:index`. */
  locate(tensor: tf.Tensor): { name: string; dtype: number } {
    return this.#lookUp(this.#backend.getInputTensorIds([tensor])[0], "its result");
  }

  /** Adds the `index`th output: a copy, since an argument that is returned belongs to the caller. */
  output(tensor: tf.Tensor, index: number): Output {
    const { name, dtype } = this.locate(tensor);
    return { name: this.graph.copy(name, dtype, `output_${index}`), shape: tensor.shape, dtype };
  }

  /** Replaces the binding; returns the function that restores it. */
  install(): () => void {
    const undo = [
      ...this.#replaceMethods(this.#backend),
      this.#replaceGather(),
      replace(Math, "random", this.#refuseRandom),
    ];
    return () => undo.forEach((restore) => restore());
  }

  /** Frees handles that no tensor holds, such as those of an operation whose output was refused. */
  discard(): void {
    for (const handle of this.#alive) this.#binding.deleteTensor(handle);
    this.#alive.clear();
  }

  /** Refuses an operation whose result's shape depends on values: `fn` saw the first call's only. */
  requireFixedShapes(): void {
    const operation = findVaryingShape(this.graph.definition().bytes);
    if (operation === null) return;
    this.refuse(
      `uses the operation ${operation}, the shape of whose result depends on values, and a graph keeps the ` +
        "shapes of its first call. Run it outside and pass the result as an argument, or choose with tf.where.",
    );
  }

  /** Refuses to record the function. */
  refuse(reason: string): never {
    this.refusal ??= new CompileError(`compile: ${this.#subject} ${reason}`);
    throw this.refusal;
  }

  /** Copies a tensor; `make` adds its source to the graph, and names the source's output. */
  #standIn<P>(
    tensor: tf.Tensor,
    make: (dtype: number) => { place: P; value: string },
  ): { copy: tf.Tensor; place: P } {
    const [handle] = this.#backend.getInputTensorIds([tensor]);
    const { dtype } = this.#backend.tensorMap.get(tensor.dataId)!;
    const [copy] = this.#binding.executeOp("Identity", [typed("T", dtype)], [handle], 1);
    const { place, value } = make(dtype);
    this.#tensors.set(copy.id, { name: value, dtype, varies: true });
    return { copy: wrapHandle(this.#backend, copy), place };
  }

  #replaceMethods(backend: NativeBackend): (() => void)[] {
    const { write, getInputTensorIds, readSync } = backend;
    return [
      replace(backend, "binding", Object.setPrototypeOf(this.#overrides(), this.#binding)),
      replace(backend, "write", (...values) => {
        const data = write.apply(backend, values);
        this.#written.add(data);
        return data;
      }),
      replace(backend, "getInputTensorIds", (tensors) => {
        for (const { dataId } of tensors) this.#checkOrigin(dataId, "an operation");
        return getInputTensorIds.call(backend, tensors);
      }),
      replace(backend, "readSync", (data) => {
        if (!this.#checking) this.#checkOrigin(data, "reading it");
        return readSync.call(backend, data);
      }),
      // a refused read stays pending, to avoid an unhandled rejection: the refusal is kept
      replace(backend, "read", (data) => {
        try {
          return Promise.resolve(backend.readSync(data));
        } catch {
          return new Promise(() => {});
        }
      }),
    ];
  }

  #replaceGather(): () => void {
    const kernel = tf.getKernel(CHECKING_KERNEL, tf.getBackend()), { kernelFunc } = kernel;
    return replace(kernel, "kernelFunc", (parameters) => {
      this.#checking = true;
      try {
        return kernelFunc(parameters);
      } finally {
        this.#checking = false;
      }
    });
  }

  #overrides(): Partial<NativeBinding> {
    return {
      executeOp: (operation, attributes, handles, count) => {
        const inputs = handles.map((handle) => this.#lookUp(handle, operation));
        const random = RANDOM.test(operation);
        if (random && !attributes.some(isSeed)) this.#refuseRandom();
        const outputs = this.#binding.executeOp(operation, attributes, handles, count);
        for (const { id } of outputs) this.#alive.add(id);
        if (UNTYPED.includes(operation)) {
          attributes = [...attributes.filter(({ name }) => name !== "T"), typed("T", inputs[0].dtype)];
        }
        const node = this.#addNode(operation, attributes, inputs);
        const varies = random || inputs.some((input) => input.varies);
        outputs.forEach(({ id, dtype }, index) =>
          this.#tensors.set(id, { name: `${node}:${index}`, dtype, varies })
        );
        return outputs;
      },
      createTensor: (shape, dtype, values) => {
        if (!ArrayBuffer.isView(values)) {
          this.refuse(
            "makes a tensor of strings; a graph has numbers and flags only. Keep strings outside.",
          );
        }
        const handle = this.#binding.createTensor(shape, dtype, values);
        this.#alive.add(handle);
        this.#tensors.set(handle, { name: this.graph.constant(dtype, shape, values), dtype, varies: false });
        return handle;
      },
      deleteTensor: (handle) => {
        this.#alive.delete(handle);
        this.#binding.deleteTensor(handle);
      },
      tensorDataSync: (handle) => {
        if (!this.#checking && this.#lookUp(handle, "reading it").varies) {
          this.refuse(
            "reads a tensor's values (by data, array, print, or an operation that decides by them in JavaScript), " +
              "which a graph does not have yet. Return the tensor and read it after the call.",
          );
        }
        return this.#binding.tensorDataSync(handle);
      },
    };
  }

  /**
   * Adds an operation to the graph. A ReLU becomes a maximum: TensorFlow's graph optimiser fuses a ReLU with
   * a bias or a normalisation before it, and then it gives 0 for NaN, so that a diverged training looks
   * sound.
   */
  #addNode(operation: string, attributes: Attribute[], inputs: { name: string; dtype: number }[]): string {
    const names = inputs.map(({ name }) => name), bytes = FLOAT_BYTES[inputs[0]?.dtype];
    if (!/^Relu6?$/.test(operation) || bytes === undefined) {
      return this.graph.node(operation, attributes, names);
    }
    const { dtype } = inputs[0], zero = this.graph.constant(dtype, [], new Uint8Array(bytes));
    const maximum = this.graph.node("Maximum", [typed("T", dtype)], [names[0], zero]);
    return operation === "Relu" ? maximum : this.graph.node(operation, attributes, [`${maximum}:0`]);
  }

  #lookUp(handle: number, where: string): { name: string; dtype: number; varies: boolean } {
    return this.#tensors.get(handle) ?? this.#refuseOutside(where);
  }

  /** Refuses data from outside that has no handle yet. (Data is missing for 64-bit constants.) */
  #checkOrigin(data: tf.DataId | undefined, where: string): void {
    if (data && this.#backend.tensorMap.get(data)?.values != null && !this.#written.has(data)) {
      this.#refuseOutside(where);
    }
  }

  #refuseOutside(where: string): never {
    return this.refuse(
      `uses a tensor from outside (in ${where}), which a graph would never see change. ` +
        "Pass it as an argument, name it in the option constants, or make it inside from plain values.",
    );
  }

  #refuseRandom = (): never => {
    return this.refuse(
      "draws random numbers without a seed, and a graph would draw the same in every call. " +
        "Draw them outside and pass them as a tensor, or give a seed.",
    );
  };
}

function isSeed({ name, value }: Attribute): boolean {
  return (name === "seed" || name === "seed2") && Math.trunc(Number(value)) !== 0;
}

/** Replaces a property of an object until the returned function is called. */
export function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): () => void {
  const before = Object.getOwnPropertyDescriptor(object, key);
  object[key] = value;
  return () => {
    if (before) Object.defineProperty(object, key, before);
    else delete object[key]; // uncovers the method of its class
  };
}
