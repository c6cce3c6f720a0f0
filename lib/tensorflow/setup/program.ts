import type { Workplace } from "./workplace.ts";

/** A program to run, with its arguments and what is added to its environment. */
export interface Program {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** How a program ended (`missing`: there is none of that name) and all it said. */
export interface ProgramResult {
  outcome: "done" | "failed" | "missing";
  output: string;
}

/**
 * Runs a program; what it says goes to the log, and each line to `onLine`.
 *
 * @throws If the user stops the set-up, which stops the program too.
 */
export async function runProgram(
  { command, args, env }: Program,
  { log, signal, project }: Workplace,
  onLine: (line: string) => void = () => {},
): Promise<ProgramResult> {
  let output = "";
  log.write(`\n$ ${[command, ...args].map(quote).join(" ")}\n`);
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, {
      args,
      env,
      cwd: project,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
    log.write(`${(error as Error).message}\n`);
    return { outcome: "missing", output };
  }
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  try {
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      let rest = "";
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        log.write(text);
        output += text;
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        lines.forEach(onLine);
      }
    };
    await Promise.all([read(child.stdout), read(child.stderr)]);
    const { success } = await child.status;
    signal.throwIfAborted();
    return { outcome: success ? "done" : "failed", output };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
