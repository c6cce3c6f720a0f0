import { fromFileUrl, join } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import type { BenchOptions } from "./bench_options.ts";
import { type BenchProcess, openProcess } from "./process.ts";
import type { OwnDescription, PeerDescription } from "./protocol.ts";

const HERE = fromFileUrl(new URL(".", import.meta.url));

/** Starts the process of ours and of plain TensorFlow.js. */
export function openOwn({ device, threads }: BenchOptions, onMessage?: (line: string) => void): BenchProcess {
  return openProcess({
    name: "TensorFlow.js",
    command: Deno.execPath(),
    args: ["run", "-A", join(HERE, "serve.ts"), device],
    env: { TF_NUM_INTRAOP_THREADS: String(threads) },
    onMessage,
  });
}

/** Starts the process of PyTorch. */
export function openPeer({ python, device, threads }: BenchOptions): BenchProcess {
  const flags = ["--threads", String(threads), "--device", device === "gpu" ? "cuda" : device];
  return openProcess({
    name: "PyTorch",
    command: python!,
    args: [join(HERE, "pytorch", "peer.py"), ...flags],
    cure: "Give another --python, or leave it out to have PyTorch installed.",
  });
}

/**
 * Refuses to compare a GPU with a CPU.
 *
 * @throws {InputError} If one computes on the one and the other on the other.
 */
export function requireSameDevice(own: OwnDescription, peer: PeerDescription): void {
  if ((own.device === "cpu") === (peer.device === "cpu")) return;
  throw new InputError(
    `Cannot compare: TensorFlow computes on the ${own.device.toUpperCase()} and PyTorch on ${peer.device}. ` +
      "Use --device cpu, or see that both find the GPU.",
  );
}
