import { TensorFlowError } from "../errors.ts";
import { logPath, type SetupContext } from "./context.ts";

/** A program to run, with its arguments and variables added to its environment. */
export interface Program {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** The end of a program (`missing`: it cannot be run) and all its output. */
export interface ProgramResult {
  outcome: "done" | "failed" | "missing";
  output: string;
}

/**
 * Runs a program; its output goes to the log, and each line to `onLine`.
 *
 * @throws If the user stops the set-up, which stops the program too.
 */
export async function runProgram(
  { command, args, env }: Program,
  { log, signal, staging }: SetupContext,
  onLine: (line: string) => void = () => {},
): Promise<ProgramResult> {
  const { execa } = await import("execa");
  log.write(`\n$ ${[command, ...args].map(quote).join(" ")}\n`);
  const child = execa(command, args, {
    env: { TMPDIR: staging, ...env }, // the system's temporary folder may be missing, small or full
    stdin: "ignore",
    all: true,
    cancelSignal: signal,
    reject: false,
    cleanup: false, // the set-up handles signals itself
  });
  if (child.pid !== undefined) {
    for await (const line of child.iterable({ from: "all" })) {
      log.write(`${line}\n`);
      onLine(line);
    }
  }
  const { all, exitCode, code, shortMessage } = await child;
  signal.throwIfAborted();
  if (child.pid !== undefined) return { outcome: exitCode === 0 ? "done" : "failed", output: all };
  if (code !== "ENOENT" && code !== "EACCES") throw new Error(shortMessage);
  log.write(`${shortMessage}\n`);
  return { outcome: "missing", output: "" };
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const MILLISECONDS_BETWEEN_LOOKS = 200;
const MILLISECONDS_BETWEEN_LINES = 15_000;

/** Reports the progress of `work` while it runs, with the seconds since it began. */
export async function withProgress<T>(
  { reporter }: SetupContext,
  state: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  let nextLine = MILLISECONDS_BETWEEN_LINES;
  const timer = setInterval(() => {
    const passed = performance.now() - start;
    const text = `  ${state()} · ${Math.floor(passed / 1000)} s`;
    if (reporter.live !== undefined) return reporter.live(text);
    if (passed < nextLine) return;
    nextLine += MILLISECONDS_BETWEEN_LINES;
    reporter.line(text);
  }, MILLISECONDS_BETWEEN_LOOKS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Reasons in the output of pip and compilers, with a remedy; the first match wins. */
const REASONS: [expression: RegExp, why: string, advice: string][] = [
  [/No space left on device|Disk quota exceeded/i, "the disk is full", "free some space"],
  [
    /Temporary failure in name resolution|Name or service not known|Network is unreachable|Failed to establish a new connection|Connection (refused|reset|aborted)|Read timed out|ProxyError|NewConnectionError|ConnectTimeout/i,
    "the network, or the package index on it, does not answer",
    "check the connection and pip's settings (`pip config list`)",
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError/i,
    "the package index's certificate is not trusted here",
    "check the clock and pip's settings (`pip config list`)",
  ],
  [
    /DO NOT MATCH THE HASHES/,
    "a fetched file is not the one that was pinned",
    "use another network or package index (`pip config list`)",
  ],
  [
    /require(s)? a different python/i,
    "this Python's version does not fit them",
    "install Python 3.10 or newer, delete .venv",
  ],
  [
    /No matching distribution found for ([^\s;]+)|Could not find a version that satisfies/i,
    "the package index has no fitting package",
    "check pip's settings (`pip config list`), and that this is Linux on x86-64 or ARM64",
  ],
  [
    /Permission denied|Read-only file system/i,
    "a file may not be written",
    "check the folder's permissions",
  ],
];

/**
 * Creates the error for a failed program: the reason, if its output has one, a remedy, and the log's path.
 *
 * @param what Completes "Cannot …".
 * @param program Names the program in the message.
 * @param advice What to do, where that is known without the output.
 */
export function explainFailure(
  { what, program, output, advice }: { what: string; program: string; output: string; advice?: string },
  context: SetupContext,
): TensorFlowError {
  const [, why, usual] = REASONS.find(([expression]) => expression.test(output)) ?? [];
  return new TensorFlowError({
    code: "install-failed",
    what,
    why: why ?? `${program} failed`,
    advice: `${advice ?? usual ?? "fix the cause"} and try again; details are in ${logPath(context)}`,
  });
}
