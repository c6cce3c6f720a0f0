import * as tf from "../runtime/tf.ts";
import { engineInternals, type NativeBackend } from "../runtime/binding.ts";
import { Recorder } from "./recorder.ts";
import { replace } from "./replace.ts";
import { readResult } from "./result.ts";
import { fill, type Numbering, type Template } from "./template.ts";

/** A function written down. */
export interface Recording {
  /** The file `saved_model.pb`. */
  bytes: Uint8Array<ArrayBuffer>;
  nodes: number;
  /** What is fed, in the order of the inputs, as `node:index`. */
  feeds: string[];
  /** What is fetched, in the order of the result's tensors. */
  fetches: string[];
  result: Template;
}

let recording = false;

/** Whether a function is being recorded. */
export function isRecording(): boolean {
  return recording;
}

/**
 * Runs `fn` once, on copies of its inputs, and writes down what it does.
 *
 * @param name What to call `fn` in a message.
 * @param args The structure of its arguments.
 * @param inputs The tensors in them.
 * @throws {CompileError} Where `fn` does what a graph cannot, and whatever `fn` throws.
 */
export function record(
  backend: NativeBackend,
  fn: (...args: unknown[]) => unknown,
  name: string,
  args: Template,
  inputs: tf.Tensor[],
): Recording {
  return recordWith(backend, name, (recorder, install) => {
    const copies = inputs.map((input, index) => recorder.input(input, index));
    install();
    const numbering: Numbering = new Map();
    const given = fill(args, copies.map(({ copy }) => copy)) as unknown[];
    const result = readResult(fn(...given), name, numbering);
    const feeds = copies.map(({ feed }) => feed);
    const fetches = [...numbering.keys()].map((tensor, index) => recorder.output(tensor, index));
    return () => ({ ...recorder.graph.savedModel([...feeds, ...fetches]), feeds, fetches, result });
  });
}

/**
 * Runs `run` with a recorder, which it installs when all inputs are copied. What it returns is called when nothing speaks against a graph.
 *
 * Whether it returns or throws, nothing is left of the run: no tensor, no scope, and the backend is as it was.
 */
export function recordWith<T>(
  backend: NativeBackend,
  name: string,
  run: (recorder: Recorder, install: () => void) => () => T,
): T {
  const engine = engineInternals(), scopes = engine.state.scopeStack.length, { trackTensor } = engine;
  const recorder = new Recorder(backend, name), made: tf.Tensor[] = [];
  const undo = [replace(engine, "trackTensor", (tensor, home) => {
    made.push(tensor);
    trackTensor.call(engine, tensor, home);
  })];
  engine.startScope();
  try {
    const finish = run(recorder, () => {
      undo.push(recorder.install());
      recording = true;
    });
    if (recorder.refusal) throw recorder.refusal;
    if (made.some((tensor) => tensor instanceof tf.Variable && !tensor.isDisposed)) {
      recorder.refuse(
        "makes a variable, and a graph keeps no state. Take the state as an argument, and return the next.",
      );
    }
    return finish();
  } catch (error) {
    throw recorder.refusal ?? error; // the reason, where the error is what came of it
  } finally {
    recording = false;
    while (engine.state.scopeStack.length > scopes) engine.endScope();
    for (const tensor of made) if (!tensor.isDisposed) tensor.dispose(); // kept ones, and those of a gradient that was cut short
    recorder.discard();
    for (const restore of undo) restore();
  }
}
