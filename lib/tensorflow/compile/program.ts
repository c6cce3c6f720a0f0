import type * as tf from "../runtime/tf.ts";
import { type NativeBackend, type NativeBinding, wrapHandle } from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import { record } from "./recorder.ts";
import { fill, type Numbering, readResult, type Template } from "./template.ts";

/** What is known of one graph. */
export interface GraphStatistics {
  /** Operations, constants and inputs. */
  nodes: number;
  /** Of the graph as a file. */
  bytes: number;
  /** Spent on running the function once while recording it. */
  traceMilliseconds: number;
  /** Spent on giving the graph to TensorFlow. */
  loadMilliseconds: number;
  /** How often it ran. */
  calls: number;
}

/** A function as one graph, for arguments of one structure. */
export class Program {
  readonly args: Template;
  readonly statistics: GraphStatistics;
  readonly #name: string;
  readonly #binding: NativeBinding;
  readonly #session: number;
  readonly #feeds: string;
  readonly #fetches: string;
  readonly #result: Template;

  /**
   * Runs `fn` once on copies of its inputs, records it, and gives the graph to TensorFlow.
   *
   * @param name Names `fn` in a message.
   * @param args The structure of its arguments.
   * @param inputs The tensors in them.
   * @throws {CompileError} If `fn` does what a graph cannot, and whatever `fn` throws.
   */
  constructor(
    backend: NativeBackend,
    fn: (...args: unknown[]) => unknown,
    name: string,
    args: Template,
    inputs: tf.Tensor[],
  ) {
    const start = performance.now();
    const { bytes, nodes, feeds, fetches, result } = record(backend, name, (recorder, install) => {
      const copies = inputs.map((input, index) => recorder.input(input, index));
      install();
      const outputs: Numbering = new Map();
      const result = readResult(
        fn(...fill(args, copies.map(({ copy }) => copy)) as unknown[]),
        name,
        outputs,
      );
      const feeds = copies.map(({ feed }) => feed);
      const fetches = [...outputs.keys()].map((tensor, index) => recorder.output(tensor, index));
      return () => ({ ...recorder.graph.savedModel([...feeds, ...fetches]), feeds, fetches, result });
    });
    const recorded = performance.now();
    this.args = args;
    this.#name = name;
    this.#binding = backend.binding;
    this.#feeds = feeds.join(",");
    this.#fetches = fetches.join(",");
    this.#result = result;
    this.#session = load(backend.binding, bytes, name);
    this.statistics = {
      nodes,
      bytes: bytes.length,
      traceMilliseconds: recorded - start,
      loadMilliseconds: performance.now() - recorded,
      calls: 0,
    };
  }

  /** Runs it. The result's tensors belong to the caller, as any that TensorFlow.js makes. */
  run(backend: NativeBackend, inputs: tf.Tensor[]): unknown {
    this.statistics.calls++;
    if (this.#fetches === "") return fill(this.#result, []); // nothing in the result is a tensor
    const failure = `compile: the graph of ${this.#name} failed`;
    const graph = {
      binding: this.#binding,
      session: this.#session,
      feeds: this.#feeds,
      fetches: this.#fetches,
    };
    return fill(this.#result, runGraph(backend, graph, inputs, failure));
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#session);
  }
}

/** A graph that TensorFlow has, and what of it is to be run. */
export interface Runnable {
  binding: NativeBinding;
  session: number;
  /** Where the inputs go, `node:index`, with commas between. */
  feeds: string;
  /** Where the outputs come from, likewise. */
  fetches: string;
}

/**
 * Runs a graph.
 *
 * @param failure What to say if it fails, before the reason.
 */
export function runGraph(
  backend: NativeBackend,
  { binding, session, feeds, fetches }: Runnable,
  inputs: tf.Tensor[],
  failure: string,
): tf.Tensor[] {
  const handles = backend.getInputTensorIds(inputs);
  try {
    return binding.runSavedModel(session, handles, feeds, fetches)
      .map((output) => wrapHandle(backend, output));
  } catch (error) {
    throw new CompileError(`${failure}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Gives a graph to TensorFlow; returns its session's number. The binding takes a graph from a folder only.
 */
export function load(binding: NativeBinding, bytes: Uint8Array, name: string): number {
  const folder = Deno.makeTempDirSync({ prefix: "graph-" });
  try {
    Deno.writeFileSync(`${folder}/saved_model.pb`, bytes);
    return binding.loadSavedModel(folder, "serve");
  } catch (error) {
    throw new CompileError(
      `compile: TensorFlow does not take the graph of ${name}: ${(error as Error).message}`,
      { cause: error },
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
