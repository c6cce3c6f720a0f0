import type * as tf from "../runtime/tf.ts";
import {
  DTYPE,
  type GraphCall,
  type LoadedGraphHandle,
  type NativeBackend,
  type TensorHandle,
  wrapHandle,
} from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import { encodeSessionOptions } from "./graph.ts";

/** An output of a graph that is fetched. */
export interface Output extends Omit<TensorHandle, "id"> {
  /** Its name, `node:index`. */
  name: string;
}

/** Runs a graph on the tensors that it is fed, in their order; the result's belong to the caller. */
export type RunGraph = (inputs: tf.Tensor[]) => tf.Tensor[];

let count = 0;

/** Counts the graphs in this process that TensorFlow has loaded. */
export function countGraphs(): number {
  return count;
}

/** A graph that TensorFlow has loaded. */
export class LoadedGraph {
  readonly #backend: NativeBackend;
  readonly #graph: LoadedGraphHandle;
  readonly #failure: string;

  /**
   * @param definition The graph, a `GraphDef`.
   * @param caller The function that needs it, for messages. @param name Names the compiled function.
   * @throws {CompileError} If TensorFlow rejects the graph.
   */
  constructor(backend: NativeBackend, definition: Uint8Array, caller: string, name: string) {
    this.#backend = backend;
    this.#failure = `${caller}: the graph of ${name} failed`;
    try {
      this.#graph = backend.binding.openGraph(definition, encodeSessionOptions(backend.isUsingGpuDevice));
    } catch (cause) {
      const { message } = cause as Error;
      throw new CompileError(`compile: TensorFlow rejects the graph of ${name}: ${message}`, { cause });
    }
    count++;
  }

  /** Prepares a way to run the graph. @param feeds Names of the placeholders. */
  prepare(feeds: readonly string[], fetches: readonly Output[]): RunGraph {
    const names = fetches.map(({ name }) => name);
    const call = this.#backend.binding.prepareCall(this.#graph, feeds.join(), names.join());
    return (inputs) => this.#run(call, inputs, fetches);
  }

  #run(call: GraphCall, inputs: tf.Tensor[], fetches: readonly Output[]): tf.Tensor[] {
    const backend = this.#backend, handles = new Int32Array(inputs.length + fetches.length);
    handles.set(backend.getInputTensorIds(inputs));
    try {
      backend.binding.runCall(call, handles);
    } catch (cause) {
      throw new CompileError(`${this.#failure}: ${(cause as Error).message}`, { cause });
    }
    return fetches.map(({ shape, dtype }, at) =>
      wrapHandle(backend, { id: handles[inputs.length + at], shape, dtype })
    );
  }

  dispose(): void {
    this.#backend.binding.closeGraph(this.#graph);
    count--;
  }
}

/** Describes an output without dimensions that only tells that operations have run. */
export function signal(name: string): Output {
  return { name, shape: [], dtype: DTYPE.int32 };
}
