import type { NextStep } from "./errors.ts";

/**
 * The user or the system stopped the program (Ctrl-C, SIGTERM, a closed terminal), after it saved its work;
 * exit code 130.
 */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** @param next Ways to continue. */
  constructor(message: string, readonly next: readonly NextStep[] = []) {
    super(message);
  }
}

/** Throws {@linkcode Interrupted} if a signal was aborted. */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Interrupted("");
}

/**
 * Watches for Ctrl-C, SIGTERM and the closing of the terminal: the first no longer ends the program, so that
 * it can save its work; a second Ctrl-C or SIGTERM does, in case the program hangs. Disposing the watch
 * restores the default; its `signal` is aborted by the first.
 *
 * @param onSecond What the second does instead.
 * @param also Signals that stop it too, with or without a terminal.
 */
export function watchInterrupts(
  onSecond: () => void = () => Deno.exit(130),
  also: readonly Deno.Signal[] = [],
) {
  const controller = new AbortController();
  let firstStop: number | null = null;
  const stop = () => {
    // one that is sent to all processes of a group reaches this one twice, since `deno task` passes it on
    if (firstStop !== null && performance.now() - firstStop > MILLISECONDS_OF_ONE_SIGNAL) onSecond();
    firstStop ??= performance.now();
    controller.abort();
  };
  const listeners: [Deno.Signal, () => void][] = [["SIGINT", stop], ["SIGTERM", stop]];
  // a closed terminal sends several, and SIGTERM may follow at the end of a session
  const quiet = new Set([...also, ...hasTerminal() ? ["SIGHUP" as const] : []]);
  for (const signal of quiet) listeners.push([signal, () => controller.abort()]);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

const MILLISECONDS_OF_ONE_SIGNAL = 300;

/** Lets a program outlive SIGHUP where it has no terminal: Deno undoes what nohup set. */
export function outliveHangUp(): void {
  if (!hasTerminal()) Deno.addSignalListener("SIGHUP", () => {});
}

function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
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
