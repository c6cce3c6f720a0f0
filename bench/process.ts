/**
 * The processes under test and their protocol: one JSON command per line in, one JSON answer per line out.
 * `serve.ts` and `pytorch/peer.py` implement it.
 */
import { fromFileUrl } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import { startProcess } from "../lib/support/processes.ts";
import type { NetworkSpec } from "../lib/model/spec.ts";

/** Loads data and initial state. */
export interface LoadCommand {
  command: "load";
  /** Safetensors file of the initial network. */
  state: string;
  /** Folder of the images; null for synthetic ones. */
  data: string | null;
  /** Training images to keep. */
  images: number;
}

/** Commands that both sides understand. */
export type Command =
  | { command: "describe" }
  | LoadCommand
  | ({ command: "step"; count: number } & LearnerOptions)
  | ({ command: "epoch"; images: number } & LearnerOptions)
  | { command: "evaluate"; form: string; batchSize: number; count: number }
  | { command: "test"; form: string; batchSize: number }
  | { command: "gradients"; form: string; batch: string; out: string };

/** Commands that only our side understands. */
export type OwnCommand =
  | { command: "prepare"; folder: string; data: string | null; weights: string | null }
  | { command: "batches"; batchSize: number; images: number }
  | { command: "overhead"; form: string; batchSize: number; count: number }
  | { command: "profile"; batchSize: number; count: number };

/** Network and row that a training command is for. */
export interface LearnerOptions extends Partial<Pick<NetworkSpec, "backbone" | "adapter">> {
  /** The row. */
  form: string;
  batchSize: number;
}

/** Answer to a timed command. */
export interface Timing {
  /** Per repetition. */
  milliseconds: number;
  /** 99th percentile of the milliseconds of a repetition, of `evaluate`. */
  percentile99?: number;
  /** Images that `epoch`, `test` and `batches` processed. */
  images?: number;
  /** Mean loss, if computed. */
  loss?: number;
  /** Test accuracy 0–1. */
  accuracy?: number;
}

/** Answer to `prepare`. */
export interface Prepared {
  /** Safetensors file of the network that all start from. */
  state: string;
  /** Safetensors files with a batch each, `images` [B,32,32,3] and `labels` [B], to compare gradients on. */
  batches: string[];
  /** Folder of the images; null for synthetic ones. */
  data: string | null;
  dataName: string;
  weightsName: string;
  /** Number of training images. */
  images: number;
}

/** Our side's answer to `describe`. */
export interface OwnDescription {
  device: "cpu" | "gpu";
  tensorflow: string;
  tfjs: string;
  deno: string;
  threads: number;
}

/** PyTorch's answer to `describe`. */
export interface PyTorchDescription {
  torch: string;
  python: string;
  /** `cpu`, or the GPU's name. */
  device: string;
  threads: number;
  allocator: string;
  /** Instruction set of PyTorch's own kernels. */
  capability: string;
}

/** A process under test. Disposing it closes its input and waits for its end. */
export interface BenchProcess extends AsyncDisposable {
  /**
   * Sends a command and waits for the answer.
   *
   * @throws {InputError} If the process ended instead.
   * @throws {Error} If it answered with an error.
   */
  ask<Answer>(command: Command | OwnCommand): Promise<Answer>;
  /** Reads the peak resident memory in bytes; null if the system does not report it. */
  peakMemory(): number | null;
}

export interface OpenProcessOptions {
  /** Name in messages. */
  name: string;
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
  /** Advice if its first command fails. */
  advice?: string;
  /** Kills the process and those that it started when aborted. */
  signal?: AbortSignal;
  /** Receives its standard error line by line. */
  onMessage?(line: string): void;
}

/** Starts our own side on a device. */
export function openOwn(device: string, options: Omit<OpenProcessOptions, "command" | "args">) {
  const script = fromFileUrl(new URL("serve.ts", import.meta.url));
  const args = ["run", "-q", "--no-prompt", "-P=compute", script, device];
  return openProcess({ ...options, command: Deno.execPath(), args });
}

const GRACE = 2000; // milliseconds

/** Starts a process under test. */
export async function openProcess(options: OpenProcessOptions): Promise<BenchProcess> {
  const { name, command, args, env, advice, signal, onMessage } = options;
  let lastMessage = ""; // Python prints an error's message after its stack
  let onAnswer: ((line: string | null) => void) | null = null;
  const child = await startProcess(command, args, {
    env,
    input: true,
    signal,
    group: true, // PyTorch's workers would hold its output open for seconds
    onOutput: (line) => onAnswer?.(line),
    onError: (line) => {
      if (line.trim() !== "") lastMessage = line.trim();
      onMessage?.(line);
    },
  });
  let hasEnded = false;
  const ended = child.ended.then(() => {
    hasEnded = true;
    onAnswer?.(null);
  });
  return {
    async ask<Answer>(question: Command | OwnCommand): Promise<Answer> {
      const line = await new Promise<string | null>((resolve) => {
        if (hasEnded) return resolve(null);
        onAnswer = resolve;
        child.write(JSON.stringify(question) + "\n");
      });
      if (line === null) {
        throw new InputError({
          what: `measure ${name}`,
          why: [`it ended at "${question.command}"`, lastMessage].filter(Boolean).join(": "),
          next: advice !== undefined && question.command === "describe" ? [{ advice }] : [],
        });
      }
      const answer = JSON.parse(line) as Answer & { error?: string; isInput?: boolean };
      if (answer.error === undefined) return answer;
      if (answer.isInput) throw new InputError(answer.error);
      throw new Error(`${name} failed at ${JSON.stringify(question)}: ${answer.error}`);
    },
    peakMemory: () => readPeakMemory(child.pid),
    async [Symbol.asyncDispose]() {
      child.closeInput();
      const timer = setTimeout(() => child.kill(), GRACE); // it may be busy computing
      await ended.finally(() => clearTimeout(timer));
    },
  };
}

/** Reads `VmHWM` of Linux's `/proc/<pid>/status`; getrusage's value is inherited from the parent. */
function readPeakMemory(pid: number): number | null {
  if (Deno.build.os !== "linux") return null;
  // Deno itself may read nothing in /proc without all permissions
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).outputSync();
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(new TextDecoder().decode(stdout));
  return kilobytes === null ? null : 1024 * Number(kilobytes[1]);
}
