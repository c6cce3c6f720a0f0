import type * as tf from "../runtime/tf.ts";
import { type NativeBackend, type NativeBinding, wrapHandle } from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import { makeTemporaryFolder } from "../temporary_folder.ts";
import type { Variable } from "./graph.ts";
import { record } from "./record.ts";
import type { Recorder } from "./recorder.ts";
import { fill, type Numbering, readResult, type Structure, type Template } from "./template.ts";

/** Size, times and use of one graph. */
export interface GraphStatistics {
  /** Operations, constants and inputs. */
  nodes: number;
  /** Size of the graph as a file. */
  bytes: number;
  /** Time to run the function once while recording it. */
  traceMilliseconds: number;
  /** Time to load the graph into TensorFlow. */
  loadMilliseconds: number;
  /** Number of runs. */
  calls: number;
}

/** A loaded graph. Inputs and outputs are named `node:index`. */
class LoadedGraph {
  readonly #binding: NativeBinding;
  readonly #session: number;
  readonly #failure: string;

  constructor(binding: NativeBinding, bytes: Uint8Array, caller: string, name: string) {
    this.#binding = binding;
    this.#failure = `${caller}: the graph of ${name} failed`;
    using folder = makeTemporaryFolder(); // the binding loads graphs from folders only
    Deno.writeFileSync(`${folder.path}/saved_model.pb`, bytes);
    try {
      this.#session = binding.loadSavedModel(folder.path, "serve");
    } catch (cause) {
      const { message } = cause as Error;
      throw new CompileError(`compile: TensorFlow rejects the graph of ${name}: ${message}`, { cause });
    }
  }

  /**
   * @param feeds Comma-separated names of the placeholders. @param fetches Comma-separated names of the
   * outputs.
   */
  run(backend: NativeBackend, inputs: tf.Tensor[], feeds: string, fetches: string): tf.Tensor[] {
    const handles = backend.getInputTensorIds(inputs);
    try {
      return this.#binding.runSavedModel(this.#session, handles, feeds, fetches)
        .map((output) => wrapHandle(backend, output));
    } catch (cause) {
      throw new CompileError(`${this.#failure}: ${(cause as Error).message}`, { cause });
    }
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#session);
  }
}

/** A function as one graph, for arguments of one structure. */
export class Program {
  readonly args: Template;
  readonly statistics: GraphStatistics;
  readonly #graph: LoadedGraph;
  readonly #feeds: string;
  readonly #fetches: string;
  readonly #result: Template;

  /**
   * Runs `fn` once on copies of its arguments, records it, and loads the graph.
   *
   * @param name Names `fn` in messages.
   * @throws {CompileError} If `fn` cannot be recorded; errors of `fn` are passed on.
   */
  constructor(
    backend: NativeBackend,
    fn: (...args: unknown[]) => unknown,
    name: string,
    { template, tensors }: Structure,
  ) {
    const start = performance.now();
    const { bytes, nodes, feeds, fetches, result } = record(backend, name, (recorder, install) => {
      const inputs = tensors.map((tensor, index) => recorder.input(tensor, index));
      install();
      const outputs: Numbering = new Map();
      const result = readResult(fn(...fillArguments(template, inputs)), name, outputs);
      const feeds = inputs.map(({ feed }) => feed), fetches = fetchOutputs(recorder, outputs);
      return () => ({ ...recorder.graph.savedModel([...feeds, ...fetches]), feeds, fetches, result });
    });
    const recorded = performance.now();
    this.args = template;
    this.#feeds = feeds.join(",");
    this.#fetches = fetches.join(",");
    this.#result = result;
    this.#graph = new LoadedGraph(backend.binding, bytes, "compile", name);
    this.statistics = {
      nodes,
      bytes: bytes.length,
      traceMilliseconds: recorded - start,
      loadMilliseconds: performance.now() - recorded,
      calls: 0,
    };
  }

  /** Runs the graph. The result's tensors belong to the caller. */
  run(backend: NativeBackend, inputs: tf.Tensor[]): unknown {
    this.statistics.calls++;
    if (this.#fetches === "") return fill(this.#result, []); // nothing in the result is a tensor
    return fill(this.#result, this.#graph.run(backend, inputs, this.#feeds, this.#fetches));
  }

  dispose(): void {
    this.#graph.dispose();
  }
}

/** A function of a state and other arguments as one graph that keeps the state in variables between calls. */
export class KeptProgram {
  /** Structure of the arguments beside the state. */
  readonly args: Template;
  readonly #graph: LoadedGraph;
  readonly #state: { template: Template; feeds: string; fetches: string };
  readonly #feeds: string;
  readonly #fetches: string;
  readonly #result: Template;

  /**
   * Records `fn` and loads the graph.
   *
   * @param fn Takes the state and the other arguments; returns `[state, result]`.
   * @throws {CompileError} As `compile`, and if the state comes back in another structure.
   */
  constructor(
    backend: NativeBackend,
    fn: (...args: unknown[]) => [unknown, unknown],
    name: string,
    state: Structure,
    args: Structure,
  ) {
    const recorded = record(backend, name, (recorder, install) => {
      const { graph } = recorder;
      const kept = state.tensors.map((tensor, index) => recorder.kept(tensor, index));
      const inputs = args.tensors.map((tensor, index) => recorder.input(tensor, index));
      install();
      const before = fill(state.template, kept.map(({ copy }) => copy));
      const [after, rest] = fn(before, ...fillArguments(args.template, inputs));
      const values: Numbering = new Map(), outputs: Numbering = new Map();
      requireSame(state.template, readResult(after, name, values), name);
      const result = readResult(rest, name, outputs);
      const variables = kept.map(({ variable }) => variable);
      const fetches = fetchOutputs(recorder, outputs);
      fetches.push(assignNext(recorder, variables, [...values.keys()], fetches));
      const places = variables.map(({ dtype }, index) =>
        graph.placeholder(dtype, state.tensors[index].shape, `new_${index}`)
      );
      const assigned = variables.map((variable, index) =>
        graph.assign(variable, graph.copy(places[index], variable.dtype))
      );
      const written = graph.done(assigned, "written");
      const current = variables.map(({ dtype, value }, index) =>
        graph.identity(value, dtype, `now_${index}`)
      );
      const feeds = inputs.map(({ feed }) => feed);
      const ends = [...fetches, ...places, written, ...current, ...feeds];
      return () => ({ ...graph.savedModel(ends), feeds, fetches, places, current, result });
    });
    this.args = args.template;
    this.#feeds = recorded.feeds.join(",");
    this.#fetches = recorded.fetches.join(",");
    const [feeds, fetches] = [recorded.places.join(","), recorded.current.join(",")];
    this.#state = { template: state.template, feeds, fetches };
    this.#result = recorded.result;
    this.#graph = new LoadedGraph(backend.binding, recorded.bytes, "keepState", name);
  }

  /** Computes the next state and the result. `inputs` are the tensors of the other arguments. */
  run(backend: NativeBackend, inputs: tf.Tensor[]): unknown {
    const outputs = this.#graph.run(backend, inputs, this.#feeds, this.#fetches);
    outputs.pop()!.dispose(); // fetched to wait for all assignments
    return fill(this.#result, outputs);
  }

  /** Replaces the state. */
  write(backend: NativeBackend, tensors: tf.Tensor[]): void {
    this.#graph.run(backend, tensors, this.#state.feeds, "written:0")[0].dispose();
  }

  /** Reads the state into new tensors. */
  read(backend: NativeBackend): unknown {
    return fill(this.#state.template, this.#graph.run(backend, [], "", this.#state.fetches));
  }

  dispose(): void {
    this.#graph.dispose();
  }
}

/** @throws {CompileError} If two states differ in structure. */
export function requireSame(given: Template, returned: Template, name: string): void {
  if (JSON.stringify(given) === JSON.stringify(returned)) return;
  throw new CompileError(
    `keepState: the state of ${name} must keep its structure: the same names in the same order, each tensor once and of the same shape.`,
  );
}

function fillArguments(template: Template, inputs: { copy: tf.Tensor }[]): unknown[] {
  return fill(template, inputs.map(({ copy }) => copy)) as unknown[];
}

function fetchOutputs(recorder: Recorder, outputs: Numbering): string[] {
  return [...outputs.keys()].map((tensor, index) => recorder.output(tensor, index));
}

/** Assigns the next state to the variables that change, once it and the result are computed. */
function assignNext(recorder: Recorder, variables: Variable[], next: tf.Tensor[], outputs: string[]): string {
  const { graph } = recorder, current = variables.map(({ value }) => value);
  const changes = next.map((tensor) => recorder.locate(tensor)).flatMap(({ name, dtype }, index) =>
    name === current[index] ? [] : [{ variable: variables[index], value: graph.copy(name, dtype) }]
  );
  const ready = graph.done([...current, ...changes.map(({ value }) => value), ...outputs], "ready");
  return graph.done(changes.map(({ variable, value }) => graph.assign(variable, value, [ready])), "stepped");
}
