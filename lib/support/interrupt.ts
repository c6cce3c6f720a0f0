/** The user, or the system, asked the program to stop (Ctrl-C, SIGTERM), and what was to be kept is kept; exit code 130. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** A watch on the signals that ask a program to stop. */
export interface InterruptWatch extends Disposable {
  /** Aborted when one came. */
  signal: AbortSignal;
}

const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];

/**
 * From now on Ctrl-C and SIGTERM no longer end the program at once, so that it can save its work first. A second one does, for a
 * program that hangs. Disposing the watch lets signals end the program as before.
 */
export function watchInterrupts(): InterruptWatch {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, listener);
    },
  };
}

/**
 * Lets signals, timers and requests in between long computations: promises alone never let the event loop turn.
 *
 * It waits for an answer from the system, so that the loop has nothing to do and looks for what has come. As long as something is ready,
 * as by `setImmediate`, it looks at every 61st turn only, and a signal waited for up to three seconds.
 */
export async function yieldToEventLoop(): Promise<void> {
  await Deno.stat("/");
}
