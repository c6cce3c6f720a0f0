import * as tf from "../runtime/tf.ts";
import { CompileError } from "../errors.ts";
import { engineInternals, nativeBackend } from "../runtime/binding.ts";
import { type GraphStatistics, Program } from "./program.ts";
import { countGraphs } from "./loaded_graph.ts";
import { isRecording } from "./record.ts";
import { fill, limitError, matches, type Numbering, readResult, readStructure } from "./template.ts";

export type { GraphStatistics } from "./program.ts";

/** Graphs in a process: so many are only of functions that are compiled anew at each call. */
const MAXIMUM_GRAPHS = 1000;

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Name of the function in messages. @default its own */
  name?: string;
  /** Maximum number of graphs. @default 32 */
  graphs?: number;
  /** Run the function eagerly instead of as a graph, to debug it. @default false */
  eager?: boolean;
  /**
   * Tensors from outside that `fn` uses: their values when a graph is made are its constants, and all that depends
   * on nothing else is computed then, such as the folded weights of a network that no longer learns.
   */
  constants?: readonly tf.Tensor[];
}

/** Use of a compiled function since the last `dispose`. */
export interface CompileStatistics {
  /** Calls that ran the function eagerly. */
  eagerCalls: number;
  /** Its graphs, most recently used first. */
  graphs: readonly Readonly<GraphStatistics>[];
}

/** A compiled function and its graphs. */
export type Compiled<F> = F & {
  /** Counts graphs and calls. */
  statistics(): CompileStatistics;
  /** Frees the graphs. A later call compiles again. */
  dispose(): void;
};

/** A function that may be compiled. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/**
 * Makes a function run as one TensorFlow graph, as `tf.function` does in Python.
 *
 * The first call runs `fn` once, and records its operations as a graph; every call then runs
 * the graph, which TensorFlow optimises as a whole and which costs one call into it instead of hundreds.
 * Arguments and result are tensors, or nested arrays and plain records of them. Other arguments (numbers,
 * strings, flags, null, functions) are constants of the graph. Each shape and type of a tensor, and each
 * value of a constant, makes another graph.
 *
 * `fn` must be pure: its result depends on its arguments and the constants alone, and it returns all that
 * matters. What it computes in JavaScript is computed once. The tensors it returns belong to the caller and
 * are new, also where `fn` returns an argument.
 *
 * Where there is no native backend, inside another function's recording, under a gradient, a profile or the
 * debug mode, `fn` itself runs, with the same result.
 *
 * @throws {CompileError} At a call, when `fn` uses a tensor from outside, reads values, returns a promise,
 * makes strings or a variable, draws random numbers without a seed, or uses an operation whose result's shape
 * depends on values; when an argument keeps changing so that it needs more than `graphs` graphs, or functions
 * are compiled anew at each call; and when the graph fails. What `fn` throws itself is passed on.
 * Nothing is left behind in any of these cases.
 *
 * @example
 * ```ts
 * import * as tf from "../runtime/tf.ts";
 * import { compile } from "./compile.ts";
 * import { useNativeTensorFlow } from "../runtime/native.ts";
 *
 * await useNativeTensorFlow();
 * const standardise = compile((x: tf.Tensor) => {
 *   const { mean, variance } = tf.moments(x, 0);
 *   return { y: tf.div(tf.sub(x, mean), tf.sqrt(variance)), mean };
 * });
 * const { y } = standardise(tf.tensor1d([1, 2, 3]));
 * console.log(await y.data()); // -1.2247, 0, 1.2247
 * ```
 */
export function compile<F extends AnyFunction>(fn: F, options: CompileOptions = {}): Compiled<F> {
  const { name = fn.name || "the function", graphs = 32, eager = false, constants = [] } = options;
  let programs: Program[] = []; // most recently used first
  let eagerCalls = 0;

  const call = (...args: unknown[]): unknown => {
    const backend = nativeBackend();
    if (eager || !backend || mustRunEagerly()) {
      eagerCalls++;
      return runEagerly(fn, name, args);
    }
    for (let at = 0; at < programs.length; at++) {
      const inputs: Numbering = new Map(), program = programs[at];
      if (!matches(program.args, args, inputs)) continue;
      if (at > 0) programs = [program, ...programs.filter((other) => other !== program)];
      return program.run([...inputs.keys()]);
    }
    const structure = readStructure(args, `${name}'s arguments`);
    if (programs.length >= graphs) {
      throw limitError(name, [...programs.map((program) => program.args).reverse(), structure.template]);
    }
    if (countGraphs() >= MAXIMUM_GRAPHS) {
      throw new CompileError(
        `compile: ${name} would be the graph number ${
          MAXIMUM_GRAPHS + 1
        } in this process. Compile a function ` +
          "once, not at each call, or dispose of it after use.",
      );
    }
    const program = new Program(backend, fn, name, structure, constants);
    programs.unshift(program);
    return program.run(structure.tensors);
  };
  const statistics = (): CompileStatistics => ({
    eagerCalls,
    graphs: programs.map((program) => ({ ...program.statistics })),
  });
  const dispose = () => {
    const old = programs;
    programs = [];
    for (const program of old) program.dispose();
  };
  return Object.assign(call, { statistics, dispose }) as unknown as Compiled<F>;
}

/** Tells whether something watches the operations of a function, so that it must run itself. */
export function mustRunEagerly(): boolean {
  const { state } = engineInternals();
  return isRecording() || state.gradientDepth > 0 || state.profiling || tf.env().getBool("DEBUG");
}

/**
 * Runs `fn` eagerly with the semantics of its graph: only the result's tensors remain, none is an argument.
 */
function runEagerly(fn: AnyFunction, name: string, args: unknown[]): unknown {
  const outputs: Numbering = new Map();
  const inputs = new Set(readStructure(args, `${name}'s arguments`).tensors);
  return tf.tidy(() => {
    const result = readResult(fn(...args), name, outputs);
    const own = [...outputs.keys()].map((tensor) => inputs.has(tensor) ? tf.clone(tensor) : tensor);
    return fill(result, own) as tf.TensorContainer;
  });
}
