import * as tf from "../runtime/tf.ts";
import { type NativeBackend, nativeBackend } from "../runtime/binding.ts";
import type { CompileOptions } from "./compile.ts";
import { KeptProgram, requireSame } from "./program.ts";
import { fill, limitError, matches, type Numbering, readStructure } from "./template.ts";

const STATE = "the state"; // its name in messages

/** A function with a state of its own. */
export interface StateKeeper<S, A extends unknown[], R> {
  /** Computes the next state; returns the result in tensors that belong to the caller. */
  (...args: A): R;
  /** Reads the state into new tensors that belong to the caller. */
  read(): S;
  /** Replaces the state. The tensors stay the caller's. */
  write(state: S): void;
  /** Frees the state and the graphs. */
  dispose(): void;
}

/** Options of {@linkcode keepState}. */
export type KeepStateOptions = Omit<CompileOptions, "eager">;

/**
 * Makes a function `(state, …) → [next state, result]` run as one graph that holds the state in variables.
 *
 * A compiled function's state goes in and comes out with each call. On a CPU that costs next to nothing; on a
 * GPU it crosses the bus twice. Here it stays on the device, and crosses only for `read` and `write`, and
 * when other shapes among the arguments need another graph.
 *
 * Where there is no native backend `fn` itself runs, with the same result.
 *
 * @param fn Pure, as for `compile`; the state comes back in the structure it went in.
 * @throws {CompileError} At a call, as `compile`, or if the state comes back in another structure.
 */
export function keepState<S, A extends unknown[], R>(
  fn: (state: S, ...args: A) => [S, R],
  initial: S,
  options: KeepStateOptions = {},
): StateKeeper<S, A, R> {
  const { name = fn.name || "the function", graphs = 32 } = options;
  const structure = readStructure(initial, STATE);
  let programs: KeptProgram[] = [];
  let holder: KeptProgram | null = null; // holds the state, unless …
  let outside: S | null = keep(copy(initial)); // … the state is in these tensors

  const read = (): S => outside === null ? holder!.read(nativeBackend()!) as S : copy(outside);
  const write = (state: S) => {
    requireSame(structure.template, readStructure(state, STATE).template, name);
    if (outside !== null) tf.dispose(outside as tf.TensorContainer);
    outside = keep(copy(state));
  };
  const callEagerly = (args: A): R => {
    const state = outside!;
    const [next, result] = tf.tidy(() => {
      const [next, result] = fn(state, ...args);
      requireSame(structure.template, readStructure(next, STATE).template, name);
      return [copy(next), copy(result)] as tf.TensorContainer;
    }) as [S, R];
    outside = keep(next);
    tf.dispose(state as tf.TensorContainer);
    return result;
  };
  /** Puts the state into a graph for such arguments. */
  const prepare = (backend: NativeBackend, args: A): KeptProgram => {
    const state = outside ?? read();
    try {
      const tensors = readStructure(state, STATE).tensors;
      let program = programs.find((one) => matches(one.args, args, new Map()));
      if (!program) {
        const rest = readStructure(args, `${name}'s arguments`);
        if (programs.length >= graphs) {
          throw limitError(name, [...programs.map((one) => one.args), rest.template]);
        }
        const pair = fn as unknown as (...args: unknown[]) => [unknown, unknown];
        program = new KeptProgram(backend, pair, name, { template: structure.template, tensors }, rest);
        programs.push(program);
      }
      program.write(backend, tensors);
      if (outside === state) outside = null;
      return holder = program;
    } finally {
      if (outside !== state) tf.dispose(state as tf.TensorContainer);
    }
  };
  const call = (...args: A): R => {
    const backend = nativeBackend();
    if (!backend) return callEagerly(args);
    const inputs: Numbering = new Map();
    if (outside !== null || !matches(holder!.args, args, inputs)) {
      prepare(backend, args);
      inputs.clear();
      matches(holder!.args, args, inputs);
    }
    return holder!.run(backend, [...inputs.keys()]) as R;
  };
  const dispose = () => {
    for (const program of programs) program.dispose();
    if (outside !== null) tf.dispose(outside as tf.TensorContainer);
    programs = [];
    [holder, outside] = [null, null];
  };
  return Object.assign(call, { read, write, dispose });
}

/** Copies a structure of tensors. */
function copy<T>(value: T): T {
  const { template, tensors } = readStructure(value, STATE);
  return fill(template, tensors.map((tensor) => tf.clone(tensor))) as T;
}

/** Keeps a structure's tensors beyond the tidy they were created in. */
function keep<T>(value: T): T {
  for (const tensor of readStructure(value, STATE).tensors) tf.keep(tensor);
  return value;
}
