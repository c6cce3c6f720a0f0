/**
 * Opens TensorFlow's native runtime for TensorFlow.js.
 *
 * @module
 */
import util from "node:util";
import { nativeBackend } from "./binding.ts";
import { InputError } from "../../support/errors.ts";
import { loadQuietly } from "./log.ts";
import { loadKernels } from "../kernels.ts";
import { type DeviceChoice, findRuntime, kernelsPath } from "./runtime.ts";

/** Options of {@linkcode useNativeTensorFlow}. */
export interface NativeOptions {
  /** Where to compute: `auto` takes a GPU where one answers. @default "auto" */
  device?: DeviceChoice;
}

/** What the native runtime turned out to be. */
export interface NativeTensorFlow {
  /** Where operations run. TensorFlow falls back from GPU to CPU silently; this says what it really uses. */
  device: "cpu" | "gpu";
  /** TensorFlow's own version, such as `2.21.0`. */
  version: string;
  /** Threads within one operation. Another number sums in another order, which changes the last bits of results. */
  threads: number;
}

let opened: Promise<NativeTensorFlow> | undefined;

/**
 * Makes the native runtime the backend of TensorFlow.js, once in a process.
 *
 * @throws {InputError} If the runtime is not set up, or a GPU is asked for and none answers.
 *
 * @example
 * ```ts
 * import { useNativeTensorFlow } from "./native.ts";
 * import * as tf from "./tf.ts";
 *
 * const { device } = await useNativeTensorFlow({ device: "cpu" });
 * console.assert(device === "cpu" && tf.getBackend() === "tensorflow");
 * ```
 */
export async function useNativeTensorFlow(options: NativeOptions = {}): Promise<NativeTensorFlow> {
  const { device = "auto" } = options;
  const runtime = await (opened ??= openNative(device));
  if (device !== "auto" && device !== runtime.device) {
    throw device === "gpu"
      ? new InputError(
        "TensorFlow finds no GPU here, so --device gpu cannot be used: check that `nvidia-smi` answers and run " +
          "`deno task setup --device gpu`, or use --device cpu.",
      )
      : new InputError(
        "TensorFlow already runs on the GPU in this process: start a new one for --device cpu.",
      );
  }
  return runtime;
}

async function openNative(device: DeviceChoice): Promise<NativeTensorFlow> {
  const { libraryFolder } = findRuntime(device);
  if (setDefault("TF_CPP_MIN_LOG_LEVEL", "2") !== "0") loadQuietly(libraryFolder);
  setDefault("TF_FORCE_GPU_ALLOW_GROWTH", "true");
  const threads = Number(setDefault("TF_NUM_INTRAOP_THREADS", String(navigator.hardwareConcurrency)));
  if (device === "cpu") Deno.env.set("CUDA_VISIBLE_DEVICES", "-1");
  restoreNodeUtil();
  await import("@tensorflow/tfjs-node-gpu");
  loadKernels(kernelsPath(), threads);
  const { isUsingGpuDevice, binding } = nativeBackend()!;
  return { device: isUsingGpuDevice ? "gpu" : "cpu", version: binding.TF_Version, threads };
}

/** Sets an environment variable unless the user has; returns its value. */
function setDefault(name: string, value: string): string {
  const own = Deno.env.get(name);
  if (own === undefined) Deno.env.set(name, value);
  return own ?? value;
}

/** The package calls two functions that Node 23 removed from `node:util`. */
function restoreNodeUtil(): void {
  const functions = util as unknown as Record<string, unknown>;
  functions.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  functions.isArray ??= Array.isArray;
}
