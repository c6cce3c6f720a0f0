import { InputError } from "./errors.ts";

export interface ProcessOptions {
  /** Environment variables, added to this process's own unless `extendEnv` is false. */
  env?: Record<string, string>;
  /** Pass this process's environment on. @default true */
  extendEnv?: boolean;
  /** Working directory. @default this process's own */
  cwd?: string;
  /** Open a pipe to its standard input, for {@linkcode ChildProcess.write}. @default false */
  input?: boolean;
  /** Sends SIGTERM when aborted, and SIGKILL 5 s later; to a group SIGKILL at once. */
  signal?: AbortSignal;
  /**
   * Start a process group, so that `signal` reaches the processes that it starts, too; Ctrl-C in a terminal no
   * longer does. @default false
   */
  group?: boolean;
  /** Receives each line of standard output, which then is not collected. */
  onOutput?(line: string): void;
  /** Receives each line of standard error, which then is not collected. */
  onError?(line: string): void;
}

/** Exit status and output of a process. */
export interface ProcessEnd {
  /** Exit code; null where a signal ended it. */
  code: number | null;
  /** The signal that ended it, if one did. */
  signal: string | null;
  /** Standard output, unless `onOutput` received it. */
  stdout: string;
  /** Standard error, unless `onError` received it. */
  stderr: string;
}

/** A running child process. */
export interface ChildProcess {
  readonly pid: number;
  /** Resolves when it has ended and all its lines were received; does not reject for a failing exit code. */
  readonly ended: Promise<ProcessEnd>;
  /** Writes to its standard input; without effect after the process has ended. */
  write(text: string): void;
  /** Closes its standard input. */
  closeInput(): void;
  /** Sends a signal; after SIGTERM, SIGKILL 5 s later. Without effect after it has ended. */
  kill(signal?: Deno.Signal): void;
}

/**
 * Starts a program. It outlives this process unless it is stopped: Ctrl-C in a terminal reaches both, and
 * this process's own handling of signals is unchanged.
 *
 * @throws {InputError} If the program is missing or not executable.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ChildProcess> {
  const { env, extendEnv = true, cwd, input = false, signal, group = false, onOutput, onError } = options;
  const { execa } = await import("execa");
  const child = execa(command, args, {
    env,
    extendEnv,
    cwd,
    stdin: input ? "pipe" : "ignore",
    cancelSignal: group ? undefined : signal,
    detached: group,
    buffer: { stdout: onOutput === undefined, stderr: onError === undefined },
    stripFinalNewline: false,
    reject: false,
    cleanup: false, // execa's clean-up would listen for signals and end this process before it has saved
  });
  if (child.pid === undefined) {
    const { cause } = await child;
    throw new InputError(
      { what: `run ${command}`, why: "it is not installed or not executable" },
      { cause },
    );
  }
  const { pid } = child;
  const killGroup = () => ignoreMissing(() => Deno.kill(-pid, "SIGKILL"));
  if (group) signal?.addEventListener("abort", killGroup);
  if (group && signal?.aborted) killGroup();
  const handOver = async (from: "stdout" | "stderr", onLine?: (line: string) => void) => {
    if (onLine === undefined) return;
    for await (const line of child.iterable({ from })) onLine(line);
  };
  child.stdin?.on("error", () => {}); // EPIPE: it ended before it had read all
  const ended = Promise.all([child, handOver("stdout", onOutput), handOver("stderr", onError)])
    .then(([{ exitCode = null, signal = null, stdout, stderr }]): ProcessEnd => ({
      code: exitCode,
      signal,
      stdout: stdout ?? "",
      stderr: stderr ?? "",
    })).finally(() => signal?.removeEventListener("abort", killGroup));
  return {
    pid,
    ended,
    write: (text) => void (child.stdin?.writable && child.stdin.write(text)),
    closeInput: () => void child.stdin?.end(),
    kill: (name = "SIGTERM") => void child.kill(name as NodeJS.Signals),
  };
}

/** Ignores that a process has ended. */
function ignoreMissing(kill: () => void): void {
  try {
    kill();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
