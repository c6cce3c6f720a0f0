import * as tf from "../runtime/tf.ts";
import { execute, type NativeBackend, nativeBackend } from "../runtime/binding.ts";
import { CompileError } from "../errors.ts";
import { type CompileOptions, mustRunEagerly } from "./compile.ts";
import { isRecording } from "./record.ts";
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
export type KeepStateOptions = Omit<CompileOptions, "eager" | "constants">;

/**
 * Makes a function `(state, …) → [next state, result]` run as one graph that holds the state in variables.
 *
 * A compiled function's state goes in and comes out with each call. On a CPU that costs next to nothing; on a
 * GPU it crosses the bus twice. Here it stays on the device, and crosses only for `read` and `write`, and
 * when other shapes among the arguments need another graph.
 *
 * `fn` itself runs where that of `compile` does, with the same result.
 *
 * @param fn Pure, as for `compile`; the state comes back in the structure it went in.
 * @throws {CompileError} At a call, as `compile`, or if the state comes back in another structure. The state
 * is then the one before the call. Also after `dispose`, and in a compiled function.
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

  const refuse = (reason: string): never => {
    throw new CompileError(`keepState: ${name} ${reason}`);
  };
  const requireState = () => {
    if (outside === null && holder === null) refuse("was disposed of, and its state with it.");
  };
  const read = (): S => {
    requireState();
    if (outside !== null) return copy(outside);
    const backend = nativeBackend();
    return backend
      ? holder!.read() as S
      : refuse("has its state in a graph. Read it, change the backend, and write it.");
  };
  const write = (state: S) => {
    requireState();
    requireSame(structure.template, readStructure(state, STATE).template, name);
    if (outside !== null) tf.dispose(outside as tf.TensorContainer);
    outside = keep(copy(state));
  };
  const callEagerly = (args: A): R => {
    const state = outside ??= keep(read());
    const [next, result] = tf.tidy(() => {
      const [next, result] = fn(state, ...args);
      requireSame(structure.template, readStructure(next, STATE).template, name);
      return [copy(next), copy(result, tf.clone)] as tf.TensorContainer;
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
      program.write(tensors);
      if (outside === state) outside = null;
      return holder = program;
    } finally {
      if (outside !== state) tf.dispose(state as tf.TensorContainer);
    }
  };
  const call = (...args: A): R => {
    const backend = nativeBackend();
    if (isRecording()) refuse("cannot be called in a compiled function, which keeps no state.");
    if (!backend || mustRunEagerly()) return callEagerly(args);
    const inputs: Numbering = new Map();
    if (outside !== null || holder === null || !matches(holder.args, args, inputs)) {
      prepare(backend, args);
      inputs.clear();
      matches(holder!.args, args, inputs);
    }
    return holder!.run([...inputs.keys()]) as R;
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
function copy<T>(value: T, copyOne: (tensor: tf.Tensor) => tf.Tensor = copyMemory): T {
  const { template, tensors } = readStructure(value, STATE);
  return fill(template, tensors.map((tensor) => copyOne(tensor))) as T;
}

/** Copies a tensor, natively for real: a clone shares memory, perhaps an array that the caller changes. */
function copyMemory(tensor: tf.Tensor): tf.Tensor {
  return nativeBackend() ? execute("Snapshot", [], [tensor]) : tf.clone(tensor);
}

/** Keeps a structure's tensors beyond the tidy they were created in. */
function keep<T>(value: T): T {
  for (const tensor of readStructure(value, STATE).tensors) tf.keep(tensor);
  return value;
}
