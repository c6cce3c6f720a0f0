import { createRequire } from "node:module";
import util from "node:util";
import { TensorFlowError } from "../errors.ts";
import { nativeBackend } from "./binding.ts";
import { type DeviceChoice, findInstallation } from "./installation.ts";
import { loadKernels } from "./kernels.ts";
import { loadQuietly } from "./log.ts";
import * as tf from "./tf.ts";

/** Options of {@linkcode useNativeTensorFlow}. */
export interface NativeOptions {
  /** Device to compute on: `auto` takes a GPU where one answers. @default "auto" */
  device?: DeviceChoice;
  /** Folder of the installation. @default {@linkcode tensorflowFolder}'s choice */
  folder?: string;
}

/** The native runtime in use. */
export interface NativeTensorFlow {
  /** Device that operations actually run on: TensorFlow falls back from GPU to CPU silently. */
  device: "cpu" | "gpu";
  /** TensorFlow's own version, such as `2.21.0`. */
  version: string;
  /** Threads within one operation. It determines the order of sums, and so the last bits. */
  threads: number;
  /** Kind of processor whose instructions the operations in C++ use; it changes the last bits, too. */
  processor: string;
}

let opened: Promise<NativeTensorFlow> | undefined;

/**
 * Makes the native runtime the backend of TensorFlow.js, once per process: later calls return the
 * same runtime.
 *
 * @throws {TensorFlowError} `not-installed` or `cannot-load`; or `no-gpu`, `gpu-in-use` where the runtime is not on the device
 * that is asked for.
 */
export async function useNativeTensorFlow(options: NativeOptions = {}): Promise<NativeTensorFlow> {
  const { device = "auto", folder } = options;
  opened ??= openNative(device, folder).catch((error) => {
    opened = undefined; // retry in the next call: it may be installed by then
    throw explainLoading(error);
  });
  const runtime = await opened;
  if (device === "auto" || device === runtime.device) return runtime;
  throw new TensorFlowError(
    device === "gpu"
      ? {
        code: "no-gpu",
        what: "compute on a GPU",
        why: "TensorFlow finds none here",
        advice: "check that `nvidia-smi` lists one and that the CUDA build is installed",
      }
      : {
        code: "gpu-in-use",
        what: "compute on the CPU",
        why: "TensorFlow already runs on the GPU in this process",
        advice: "start a new process",
      },
  );
}

async function openNative(device: DeviceChoice, folder?: string): Promise<NativeTensorFlow> {
  const { libraryFolder, addon, kernels } = findInstallation(device, folder);
  if (setDefault("TF_CPP_MIN_LOG_LEVEL", "2") !== "0") loadQuietly(libraryFolder);
  setDefault("TF_FORCE_GPU_ALLOW_GROWTH", "true");
  const threads = readThreads();
  Deno.env.set(THREADS, String(threads));
  if (device === "cpu") Deno.env.set("CUDA_VISIBLE_DEVICES", "-1");
  restoreNodeUtil();
  // as in the package's own index, which looks for the addon inside the package
  await import("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
  const { NodeJSKernelBackend } = await import("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js");
  const binding = createRequire(import.meta.url)(addon);
  tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(binding, "@tensorflow/tfjs-node-gpu"), 3);
  if (!await tf.setBackend("tensorflow")) throw new Error(`Cannot initialise the backend of ${addon}.`);
  const processor = loadKernels(kernels, threads);
  const { isUsingGpuDevice, binding: { TF_Version } } = nativeBackend()!;
  return { device: isUsingGpuDevice ? "gpu" : "cpu", version: TF_Version, threads, processor };
}

const THREADS = "TF_NUM_INTRAOP_THREADS";
const MAXIMUM_THREADS = 1024;

/**
 * Reads the number of threads within an operation from the environment: as many as processors where it is unset,
 * blank or 0, as TensorFlow has it.
 *
 * @throws {TensorFlowError} `invalid-setting` where it is anything else than a number of threads.
 */
function readThreads(): number {
  const text = Deno.env.get(THREADS)?.trim() ?? "";
  if (text === "" || text === "0") return navigator.hardwareConcurrency;
  const threads = Number(text);
  if (/^\d+$/.test(text) && threads <= MAXIMUM_THREADS) return threads;
  throw new TensorFlowError({
    code: "invalid-setting",
    what: `use the environment variable ${THREADS}=${text}`,
    why: `it must be a whole number from 0 to ${MAXIMUM_THREADS}`,
    advice: "set it so, or unset it for as many threads as processors",
  });
}

/** Converts an error of the system's loader of libraries; returns other errors. */
function explainLoading(error: unknown): unknown {
  const message = error instanceof Error ? error.message : "";
  const loader =
    /failed to map segment|cannot open shared object|version `.+' not found|invalid ELF|too short/;
  const why = message.split(": ").findLast((part) => loader.test(part));
  if (why === undefined) return error;
  const advice = why.includes("map segment")
    ? "that file system forbids programs (noexec): set TENSORFLOW_FOLDER to a folder elsewhere"
    : "use a Linux with glibc 2.28 or newer, and install TensorFlow anew";
  return new TensorFlowError({ code: "cannot-load", what: "load TensorFlow", why, advice }, { cause: error });
}

/** Sets an environment variable unless the user has; returns its value. */
function setDefault(name: string, value: string): string {
  const own = Deno.env.get(name);
  if (own) return own;
  Deno.env.set(name, value);
  return value;
}

/** Restores two functions that Node 23 removed from `node:util` and the package calls. */
function restoreNodeUtil(): void {
  const functions = util as unknown as Record<string, unknown>;
  functions.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  functions.isArray ??= Array.isArray;
}
