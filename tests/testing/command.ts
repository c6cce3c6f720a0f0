import { join } from "@std/path";
import { PROJECT } from "./sources.ts";

/** What a command said and how it ended. */
export interface CommandOutput {
  code: number;
  /** The signal that ended it, if one did. */
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  output: Promise<CommandOutput>;
  /** Resolves when its standard error has a line that matches; rejects when it ends without. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: Deno.Signal): void;
}

/** Starts `cli/<name>.ts` in a process of its own, with its runs in `runs`. */
export function startCommand(name: string, args: string[], runs: string): RunningCommand {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", join(PROJECT, "cli", `${name}.ts`), ...args],
    cwd: PROJECT,
    env: { NO_COLOR: "1", INIT_CWD: "", CHECKPOINTS_DIR: runs, CIFAR10_DIR: "", RESNET18_WEIGHTS: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  let isOver = false;
  const waiting: (() => void)[] = [];
  const read = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      for (const look of waiting) look();
    }
    isOver = true;
    for (const look of waiting) look();
  };
  const output = Promise.all([child.status, new Response(child.stdout).text(), read()])
    .then(([{ code, signal }, stdout]) => ({ code, signal, stdout, stderr }));
  return {
    output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(stderr)) resolve();
          else if (isOver) reject(new Error(`${name} ended without saying ${pattern}:\n${stderr}`));
        };
        waiting.push(look);
        look();
      }),
    kill: (signal) => child.kill(signal),
  };
}

/** Runs `cli/<name>.ts` to its end. */
export async function runCommand(name: string, args: string[], runs: string): Promise<CommandOutput> {
  return await startCommand(name, args, runs).output;
}
