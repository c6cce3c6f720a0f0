import { createRequire } from "node:module";
import util from "node:util";
import { TensorFlowError } from "../errors.ts";
import { nativeBackend } from "./binding.ts";
import { type DeviceChoice, findInstallation, type Installation } from "./installation.ts";
import { loadKernels, readProcessor } from "./kernels.ts";
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
 * @throws {TensorFlowError} `not-installed`, `cannot-load` or `invalid-setting`; or `no-gpu`, `gpu-in-use`
 * where the runtime is not on the device that is asked for. None of them spoils another call, earlier or
 * later.
 */
export async function useNativeTensorFlow(options: NativeOptions = {}): Promise<NativeTensorFlow> {
  const { device = "auto", folder } = options;
  const installation = opened ? null : findInstallation(device, folder); // may lack what this device needs
  opened ??= openNative(device, installation!).catch((error) => {
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

async function openNative(
  device: DeviceChoice,
  { libraryFolder, addon, kernels }: Installation,
): Promise<NativeTensorFlow> {
  // settings first: TensorFlow dies of wrong ones, and reads them once
  const threads = readNumber("TF_NUM_INTRAOP_THREADS", MAXIMUM_THREADS) || navigator.hardwareConcurrency;
  readNumber("TF_NUM_INTEROP_THREADS", MAXIMUM_THREADS);
  readNumber("TF_CPP_MIN_LOG_LEVEL", 3);
  const wanted = readProcessor();
  if (setDefault("TF_CPP_MIN_LOG_LEVEL", "2") !== "0") loadQuietly(libraryFolder);
  setDefault("TF_FORCE_GPU_ALLOW_GROWTH", "true");
  Deno.env.set("TF_NUM_INTRAOP_THREADS", String(threads));
  // the first GPU that the user lets us see; of several the binding would take the last
  const gpu = Deno.env.get("CUDA_VISIBLE_DEVICES")?.split(",")[0] ?? "0";
  Deno.env.set("CUDA_VISIBLE_DEVICES", device === "cpu" ? "-1" : gpu);
  restoreNodeUtil();
  // as in the package's own index, which looks for the addon inside the package
  await import("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
  const { NodeJSKernelBackend } = await import("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js");
  const binding = createRequire(import.meta.url)(addon);
  tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(binding, "@tensorflow/tfjs-node-gpu"), 3);
  if (!await tf.setBackend("tensorflow")) throw new Error(`Cannot initialise the backend of ${addon}.`);
  const processor = loadKernels(kernels, threads, wanted);
  const { isUsingGpuDevice, binding: { TF_Version } } = nativeBackend()!;
  return { device: isUsingGpuDevice ? "gpu" : "cpu", version: TF_Version, threads, processor };
}

const MAXIMUM_THREADS = 1024;

/**
 * Reads a number from an environment variable: 0, TensorFlow's "you choose", where it is unset or blank.
 *
 * @throws {TensorFlowError} `invalid-setting` where it is anything else than a whole number up to `maximum`.
 */
function readNumber(name: string, maximum: number): number {
  const text = Deno.env.get(name)?.trim() ?? "";
  if (/^\d*$/.test(text) && Number(text) <= maximum) return Number(text);
  throw new TensorFlowError({
    code: "invalid-setting",
    what: `use the environment variable ${name}=${text}`,
    why: `it must be a whole number from 0 to ${maximum}`,
    advice: "set it so, or unset it for TensorFlow's own choice",
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
