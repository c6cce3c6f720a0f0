import { InputError } from "../lib/support/errors.ts";
import type { Command, OwnCommand } from "./protocol.ts";

/** How to start a process that answers. */
export interface ProcessOptions {
  /** What messages call it. */
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** What to do where it does not even start, for its message. */
  cure?: string;
  /** Told what it says beside its answers. */
  onMessage?(line: string): void;
}

/** A process that answers commands one by one. */
export interface BenchProcess extends AsyncDisposable {
  /**
   * @throws {InputError} If it ended instead.
   * @throws {Error} If it answered that it could not.
   */
  ask<Answer>(command: Command | OwnCommand): Promise<Answer>;
  /** The most memory it ever held, in bytes; null where the system does not tell. */
  peakMemory(): number | null;
}

const PATIENCE = 2000; // milliseconds

/** Starts a process that reads commands and answers. It ends with the end of its input. */
export function openProcess({ name, command, args, env, cure, onMessage }: ProcessOptions): BenchProcess {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, { args, env, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
    throw new InputError(`Cannot start ${name}: ${command} is no program that can be run.`, { cause: error });
  }
  let said = ""; // last: an error's message comes after its stack in Python, and we print nothing else
  const listening = (async () => {
    for await (const line of readLines(child.stderr)) {
      if (line.trim() !== "") said = line.trim();
      onMessage?.(line);
    }
  })();
  const answers = readLines(child.stdout);
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  return {
    async ask<Answer>(question: Command | OwnCommand): Promise<Answer> {
      // a process that is gone takes no more input; what it said last tells why
      await writer.write(encoder.encode(JSON.stringify(question) + "\n")).catch(() => {});
      const { value, done } = await answers.next();
      if (done) {
        await listening;
        const end = `Cannot measure ${name}: it ended at "${question.command}".`;
        throw new InputError(
          [end, said, question.command === "describe" ? cure : ""].filter(Boolean).join(" "),
        );
      }
      const answer = JSON.parse(value) as Answer & { error?: string; isInput?: boolean };
      if (answer.error !== undefined) {
        if (answer.isInput) throw new InputError(answer.error);
        throw new Error(`${name} could not do ${JSON.stringify(question)}: ${answer.error}`);
      }
      return answer;
    },
    peakMemory: () => readPeakMemory(child.pid),
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await answers.return(undefined);
      const impatience = setTimeout(() => stop(child), PATIENCE); // it may be in the middle of something
      await child.status.finally(() => clearTimeout(impatience));
      await listening;
    },
  };
}

function stop(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has just ended by itself
  }
}

/** `VmHWM` of Linux's `/proc/<pid>/status`. What getrusage tells instead is inherited from the process that started it. */
function readPeakMemory(pid: number): number | null {
  if (Deno.build.os !== "linux") return null;
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return kilobytes === null ? null : 1024 * Number(kilobytes[1]);
}

/** Lines of a stream, without their ends. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
