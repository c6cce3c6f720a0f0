import * as tf from "../runtime/tf.ts";
import { engineInternals, type NativeBackend } from "../runtime/binding.ts";
import { Recorder, replace } from "./recorder.ts";

let recording = false;

/** Tells whether a function is being recorded. */
export function isRecording(): boolean {
  return recording;
}

/**
 * Runs `run` with a recorder, which it installs when all inputs are copied. The returned function is called
 * if a graph is possible.
 *
 * Frees all tensors and scopes of the run and restores the backend, also if it throws.
 *
 * @param subject Names the function in a message.
 * @throws {CompileError} If the function cannot be recorded; errors of its own are passed on.
 */
export function record<T>(
  backend: NativeBackend,
  subject: string,
  run: (recorder: Recorder, install: () => void) => () => T,
): T {
  const engine = engineInternals(), scopes = engine.state.scopeStack.length, { trackTensor } = engine;
  const recorder = new Recorder(backend, subject), made: tf.Tensor[] = [];
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
    recorder.requireFixedShapes();
    if (made.some((tensor) => tensor instanceof tf.Variable && !tensor.isDisposed)) {
      recorder.refuse(
        "makes a variable, and a graph keeps no state. Take the state as an argument, and return the next.",
      );
    }
    return finish();
  } catch (error) {
    throw recorder.refusal ?? error; // the original reason, if this error is its consequence
  } finally {
    recording = false;
    while (engine.state.scopeStack.length > scopes) engine.endScope();
    // kept ones, and those of a gradient that was cut short
    for (const tensor of made) if (!tensor.isDisposed) tensor.dispose();
    recorder.discard();
    for (const restore of undo) restore();
  }
}
