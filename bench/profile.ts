/** Profiles a training step by timing the calls into TensorFlow. */
import { nativeBackend } from "../lib/tensorflow/runtime/binding.ts";

/** All calls of one TensorFlow operation within a step. */
export interface OperationTime {
  operation: string;
  /** Calls per step. */
  count: number;
  /** Per step. */
  milliseconds: number;
  /** Fraction of the step's time. */
  share: number;
}

/** Time of a step, and the fraction of it outside TensorFlow. */
export interface Overhead {
  /** Per step. */
  milliseconds: number;
  /** Fraction of it outside TensorFlow: JavaScript and passing tensors. */
  outside: number;
}

export interface StepProfile extends Overhead {
  batchSize: number;
  /** Timed steps. */
  steps: number;
  /** Operations of the eager step, longest first; `milliseconds` and `outside` are the eager step's too. */
  operations: OperationTime[];
  /** The compiled step. */
  compiled: Overhead;
}

/** Functions of the binding that compute: one operation, or a whole graph. */
type Computing = "executeOp" | "runCall";

interface Calls {
  count: number;
  milliseconds: number;
}

/**
 * Times the calls into TensorFlow until it is disposed; of graphs, only those compiled meanwhile. On a CPU a
 * call returns when the work is done. On a GPU it does not, and only launching is timed.
 */
class CallTimer implements Disposable {
  /** By operation; all graphs count as one. */
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

/** Times `count` steps and one kind of call in them. `run` must be new, so that its graphs count. */
async function timeSteps(
  name: Computing,
  run: (count: number) => Promise<unknown>,
  count: number,
): Promise<Overhead & { calls: Map<string, Calls> }> {
  using timer = new CallTimer(name);
  await run(STEPS_TO_BUILD);
  timer.calls.clear();
  const start = performance.now();
  await run(count);
  const all = performance.now() - start;
  const native = timer.calls.values().reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return { milliseconds: all / count, outside: 1 - native / all, calls: timer.calls };
}

/** Times `count` compiled steps. `run` trains as many, and must not have been used before. */
export async function measureOverhead(
  run: (count: number) => Promise<unknown>,
  count: number,
): Promise<Overhead> {
  const { milliseconds, outside } = await timeSteps("runCall", run, count);
  return { milliseconds, outside };
}

/** Times the operations of `count` eager steps, longest first. `run` trains as many. */
export async function profileOperations(
  run: (count: number) => Promise<unknown>,
  count: number,
): Promise<Overhead & { operations: OperationTime[] }> {
  const { milliseconds, outside, calls } = await timeSteps("executeOp", run, count);
  const operations = [...calls].map(([operation, sum]): OperationTime => ({
    operation,
    count: sum.count / count,
    milliseconds: sum.milliseconds / count,
    share: sum.milliseconds / (milliseconds * count),
  }));
  return {
    milliseconds,
    outside,
    operations: operations.sort((one, other) => other.milliseconds - one.milliseconds),
  };
}
