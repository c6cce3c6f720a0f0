import type * as tf from "../runtime/tf.ts";
import type { NativeBackend } from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import type { Variable } from "./graph.ts";
import { LoadedGraph, type Output, type RunGraph, signal } from "./loaded_graph.ts";
import { record } from "./record.ts";
import type { Recorder } from "./recorder.ts";
import { fill, type Numbering, readResult, type Structure, type Template } from "./template.ts";

/** Size, times and use of one graph. */
export interface GraphStatistics {
  /** Operations, constants and inputs. */
  nodes: number;
  /** Size of the graph in TensorFlow's format. */
  bytes: number;
  /** Time to run the function once while recording it. */
  traceMilliseconds: number;
  /** Time to load the graph into TensorFlow. */
  loadMilliseconds: number;
  /** Number of runs. */
  calls: number;
}

/** A function as one graph, for arguments of one structure. */
export class Program {
  readonly args: Template;
  readonly statistics: GraphStatistics;
  readonly #graph: LoadedGraph;
  readonly #run: RunGraph | null; // null where nothing in the result is a tensor
  readonly #result: Template;

  /**
   * Runs `fn` once on copies of its arguments, records it, and loads the graph.
   *
   * @param name Names `fn` in messages.
   * @param constants Tensors from outside that `fn` uses.
   * @throws {CompileError} If `fn` cannot be recorded; errors of `fn` are passed on.
   */
  constructor(
    backend: NativeBackend,
    fn: (...args: unknown[]) => unknown,
    name: string,
    { template, tensors }: Structure,
    constants: readonly tf.Tensor[],
  ) {
    const start = performance.now();
    const { bytes, nodes, feeds, fetches, result } = record(backend, name, (recorder, install) => {
      const inputs = tensors.map((tensor, index) => recorder.input(tensor, index));
      for (const tensor of constants) recorder.constant(tensor);
      install();
      const outputs: Numbering = new Map();
      const result = readResult(fn(...fillArguments(template, inputs)), name, outputs);
      const feeds = inputs.map(({ feed }) => feed), fetches = fetchOutputs(recorder, outputs);
      const ends = [...feeds, ...fetches.map(({ name }) => name)];
      return () => ({ ...recorder.graph.definition(ends), feeds, fetches, result });
    });
    const recorded = performance.now();
    this.args = template;
    this.#result = result;
    this.#graph = new LoadedGraph(backend, bytes, "compile", name);
    this.#run = fetches.length === 0 ? null : this.#graph.prepare(feeds, fetches);
    this.statistics = {
      nodes,
      bytes: bytes.length,
      traceMilliseconds: recorded - start,
      loadMilliseconds: performance.now() - recorded,
      calls: 0,
    };
  }

  /** Runs the graph. The result's tensors belong to the caller. */
  run(inputs: tf.Tensor[]): unknown {
    this.statistics.calls++;
    return fill(this.#result, this.#run?.(inputs) ?? []);
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
  readonly #step: RunGraph;
  readonly #write: RunGraph;
  readonly #read: RunGraph;
  readonly #state: Template;
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
      fetches.push(signal(assignNext(recorder, variables, [...values.keys()], fetches)));
      const places = variables.map(({ dtype }, index) =>
        graph.placeholder(dtype, state.tensors[index].shape, `new_${index}`)
      );
      const assigned = variables.map((variable, index) =>
        graph.assign(variable, graph.copy(places[index], variable.dtype))
      );
      const written = [signal(graph.done(assigned, "written"))];
      const current = variables.map(({ dtype, value }, index): Output => ({
        name: graph.identity(value, dtype, `now_${index}`),
        shape: state.tensors[index].shape,
        dtype,
      }));
      const feeds = inputs.map(({ feed }) => feed);
      const ends = [...feeds, ...places, ...[...fetches, ...written, ...current].map(({ name }) => name)];
      return () => ({ ...graph.definition(ends), feeds, fetches, places, written, current, result });
    });
    this.args = args.template;
    this.#state = state.template;
    this.#result = recorded.result;
    this.#graph = new LoadedGraph(backend, recorded.bytes, "keepState", name);
    this.#step = this.#graph.prepare(recorded.feeds, recorded.fetches);
    this.#write = this.#graph.prepare(recorded.places, recorded.written);
    this.#read = this.#graph.prepare([], recorded.current);
  }

  /** Computes the next state and the result. `inputs` are the tensors of the other arguments. */
  run(inputs: tf.Tensor[]): unknown {
    const outputs = this.#step(inputs);
    outputs.pop()!.dispose(); // fetched to wait for all assignments
    return fill(this.#result, outputs);
  }

  /** Replaces the state. */
  write(tensors: tf.Tensor[]): void {
    this.#write(tensors)[0].dispose();
  }

  /** Reads the state into new tensors. */
  read(): unknown {
    return fill(this.#state, this.#read([]));
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

function fetchOutputs(recorder: Recorder, outputs: Numbering): Output[] {
  return [...outputs.keys()].map((tensor, index) => recorder.output(tensor, index));
}

/** Assigns the next state to the variables that change, once it and the result are computed. */
function assignNext(recorder: Recorder, variables: Variable[], next: tf.Tensor[], outputs: Output[]): string {
  const { graph } = recorder,
    current = [...variables.map(({ value }) => value), ...outputs.map(({ name }) => name)];
  const changes = next.map((tensor) => recorder.locate(tensor)).flatMap(({ name, dtype }, index) =>
    name === variables[index].value ? [] : [{ variable: variables[index], value: graph.copy(name, dtype) }]
  );
  const ready = graph.done([...current, ...changes.map(({ value }) => value)], "ready");
  return graph.done(changes.map(({ variable, value }) => graph.assign(variable, value, [ready])), "stepped");
}
