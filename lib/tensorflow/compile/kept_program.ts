import type * as tf from "../runtime/tf.ts";
import { ATTRIBUTE, type NativeBackend, type NativeBinding } from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import { load, runGraph } from "./program.ts";
import { record } from "./recorder.ts";
import { fill, type Numbering, readResult, type Template } from "./template.ts";

/** Nested arrays and records, and the tensors in them. */
export interface Structure {
  template: Template;
  tensors: tf.Tensor[];
}

/**
 * A function of a state and more as one graph, which keeps the state in variables of its own from call to
 * call.
 */
export class KeptProgram {
  /** The structure of the arguments beside the state. */
  readonly args: Template;
  readonly #name: string;
  readonly #binding: NativeBinding;
  readonly #session: number;
  /** Of the variables. */
  readonly #state: { template: Template; feeds: string[]; fetches: string[] };
  readonly #feeds: string[];
  readonly #fetches: string[];
  readonly #result: Template;

  /**
   * Records `fn` and gives the graph to TensorFlow.
   *
   * @param fn Takes the state and the other arguments; returns `[state, result]`, the state in the structure
   * it came in.
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
      const fed = args.tensors.map((tensor, index) => recorder.input(tensor, index));
      install();
      const copies = (inputs: { copy: tf.Tensor }[]) => inputs.map(({ copy }) => copy);
      const [next, rest] = fn(
        fill(state.template, copies(kept)),
        ...fill(args.template, copies(fed)) as unknown[],
      );
      const values: Numbering = new Map(), outputs: Numbering = new Map();
      requireSame(state.template, readResult(next, name, values), name);
      const result = readResult(rest, name, outputs);
      const variables = kept.map(({ variable }) => variable);
      // a variable may change when all have been read
      const assignments = [...values.keys()].flatMap((tensor, index) => {
        const value = recorder.nameOf(tensor), variable = variables[index];
        return value === variable.value
          ? []
          : [graph.assign(variable, value, variables.map(({ value }) => value))];
      });
      const fetches = [...outputs.keys()].map((tensor, index) => recorder.output(tensor, index));
      const places = variables.map(({ dtype }, index) =>
        graph.placeholder(dtype, state.tensors[index].shape, `new_${index}`)
      );
      const written = graph.done(
        variables.map((variable, index) => graph.assign(variable, places[index])),
        "written",
      );
      const stepped = graph.done(assignments, "stepped");
      const current = [...kept.keys()].map((index) =>
        graph.node("Identity", [{ name: "T", type: ATTRIBUTE.type, value: variables[index].dtype }], [
          variables[index].value,
        ], `now_${index}`) + ":0"
      );
      return () => ({
        bytes: graph.savedModel([
          ...fetches,
          stepped,
          ...places,
          written,
          ...current,
          ...fed.map(({ feed }) => feed),
        ]).bytes,
        feeds: fed.map(({ feed }) => feed),
        fetches: [...fetches, stepped],
        state: { template: state.template, feeds: places, fetches: current },
        result,
      });
    });
    this.args = args.template;
    this.#name = name;
    this.#binding = backend.binding;
    this.#feeds = recorded.feeds;
    this.#fetches = recorded.fetches;
    this.#state = recorded.state;
    this.#result = recorded.result;
    this.#session = load(backend.binding, recorded.bytes, name);
  }

  /** Moves the state on. `inputs` are the tensors of the other arguments. */
  run(backend: NativeBackend, inputs: tf.Tensor[]): unknown {
    const outputs = this.#runGraph(backend, inputs, this.#feeds, this.#fetches);
    outputs.pop()!.dispose(); // the sign that all is assigned
    return fill(this.#result, outputs);
  }

  /** Puts a state in. */
  write(backend: NativeBackend, tensors: tf.Tensor[]): void {
    this.#runGraph(backend, tensors, this.#state.feeds, ["written:0"])[0].dispose();
  }

  /** The state as it is, in tensors of its own. */
  read(backend: NativeBackend): unknown {
    return fill(this.#state.template, this.#runGraph(backend, [], [], this.#state.fetches));
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#session);
  }

  #runGraph(backend: NativeBackend, inputs: tf.Tensor[], feeds: string[], fetches: string[]): tf.Tensor[] {
    const failure = `keepState: the graph of ${this.#name} failed`;
    const graph = {
      binding: this.#binding,
      session: this.#session,
      feeds: feeds.join(","),
      fetches: fetches.join(","),
    };
    return runGraph(backend, graph, inputs, failure);
  }
}

/** @throws {CompileError} If two states differ in structure. */
export function requireSame(given: Template, returned: Template, name: string): void {
  if (JSON.stringify(given) === JSON.stringify(returned)) return;
  throw new CompileError(
    `keepState: the state of ${name} must keep its structure: the same names in the same order, each tensor once and of the same shape.`,
  );
}
