import { setImmediate } from "node:timers";

/** The user, or the system, asked the program to stop (Ctrl-C, SIGTERM), and what was to be kept is kept; exit code 130. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** A watch on the signals that ask a program to stop. */
export interface InterruptWatch {
  /** The signal that came, or `null`. Looks for new ones at most every 50 ms, so it can be asked after every step. */
  signal(): Promise<Deno.Signal | null>;
  /** Lets signals end the program as before. */
  close(): void;
}

const SIGNALS: Deno.Signal[] = ["SIGINT", "SIGTERM"];
const MILLISECONDS_BETWEEN_LOOKS = 50;

/**
 * From now on Ctrl-C and SIGTERM no longer end the program at once, so that it can save its work first. A second one does, for a
 * program that hangs.
 */
export function watchInterrupts(): InterruptWatch {
  let received: Deno.Signal | null = null;
  let lastLook = performance.now();
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      if (received !== null) Deno.exit(130);
      received = signal;
    };
    Deno.addSignalListener(signal, listener);
    return [signal, listener] as const;
  });
  return {
    async signal() {
      if (received === null && performance.now() - lastLook >= MILLISECONDS_BETWEEN_LOOKS) {
        // promises alone never let the event loop turn, and it is the loop that delivers signals
        await new Promise<void>((resolve) => setImmediate(resolve));
        lastLook = performance.now();
      }
      return received;
    },
    close() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
