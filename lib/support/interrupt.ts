import type { NextStep } from "./errors.ts";

/** The user or the system stopped the program (Ctrl-C, SIGTERM), after it saved its work; exit code 130. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** @param next Ways to continue. */
  constructor(message: string, readonly next: readonly NextStep[] = []) {
    super(message);
  }
}

/** Watch for the signals that stop a program. */
export interface InterruptWatch extends Disposable {
  /** Aborted by the first signal. */
  signal: AbortSignal;
}

const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];

/**
 * Watches for Ctrl-C and SIGTERM: the first no longer ends the program, so that it can save its work; a
 * second one does, in case the program hangs. Disposing the watch restores the default.
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
 * Yields to the event loop, so that signals, timers and requests are handled between long computations;
 * promises alone never do.
 *
 * It waits for a system call: only when nothing else is ready does the loop poll for signals at once. With
 * `setImmediate` it polls on every 61st turn only, and a signal waited for up to three seconds.
 */
export async function yieldToEventLoop(): Promise<void> {
  await Deno.stat("/");
}
