import { join } from "@std/path";
import { type ProcessEnd, startProcess } from "../../lib/support/processes.ts";
import { PROJECT } from "./sources.ts";

/** A command that runs. */
export interface RunningCommand {
  output: Promise<ProcessEnd>;
  /** Resolves when its standard error has a line that matches; rejects when it ends without. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: Deno.Signal): void;
}

/** Arguments of Deno that run a task's program with the task's permissions. */
export function taskArguments(name: string): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(PROJECT, "deno.json")));
  const [, ...flags] = tasks[name].command.split(" ");
  return [...flags.slice(0, -1), "--no-check", join(PROJECT, flags.at(-1))];
}

/** Starts `cli/<name>.ts` in a process of its own, with its runs in `runs`. */
export function startCommand(name: string, args: string[], runs: string): RunningCommand {
  let stderr = "";
  let isOver = false;
  const waiting: (() => void)[] = [];
  const look = () => waiting.forEach((one) => one());
  const child = startProcess(Deno.execPath(), [...taskArguments(name), ...args], {
    cwd: PROJECT,
    env: { NO_COLOR: "1", INIT_CWD: "", CHECKPOINTS_DIR: runs, CIFAR10_DIR: "", RESNET18_WEIGHTS: "" },
    onError: (line) => {
      stderr += `${line}\n`;
      look();
    },
  });
  const output = child.then(({ ended }) => ended).then((end) => {
    isOver = true;
    look();
    return { ...end, stderr };
  });
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
    kill: (signal) => void child.then((running) => running.kill(signal)),
  };
}

/** Runs `cli/<name>.ts` to its end. */
export async function runCommand(name: string, args: string[], runs: string): Promise<ProcessEnd> {
  return await startCommand(name, args, runs).output;
}
