import { TensorFlowError } from "../errors.ts";
import { nativeBackend } from "./binding.ts";
import { openLibrary } from "./library.ts";

/** Channels are processed in groups of this size. */
const CHANNELS = 16;

/**
 * Tells whether the operations in C++ can be used: on the native runtime's CPU, for multiples of 16 channels.
 */
export function canUseKernels(...channels: number[]): boolean {
  const backend = nativeBackend();
  return backend !== null && !backend.isUsingGpuDevice && channels.every((count) => count % CHANNELS === 0);
}

/** Kinds of processors, in the order of kernels/processor.h. */
const PROCESSORS = ["baseline", "avx2", "avx512"];

/**
 * Reads the kind of processor that the environment variable `KERNELS_PROCESSOR` names, the best if it is
 * unset.
 *
 * @returns Its number, as in kernels/processor.h.
 * @throws {TensorFlowError} `invalid-setting`: the variable names another kind.
 */
export function readProcessor(): number {
  const wanted = Deno.env.get("KERNELS_PROCESSOR")?.trim() || PROCESSORS.at(-1)!;
  if (PROCESSORS.includes(wanted)) return PROCESSORS.indexOf(wanted);
  throw new TensorFlowError({
    code: "invalid-setting",
    what: `use KERNELS_PROCESSOR=${wanted}`,
    why: "no such kind of processor is known",
    advice: `choose one of ${PROCESSORS.join(", ")}`,
  });
}

/**
 * Registers the operations with TensorFlow.
 *
 * @param path The compiled library. TensorFlow's own must have been loaded before.
 * @param threads Number of threads for an operation.
 * @param wanted Use at most the instructions of this kind, see {@linkcode readProcessor}.
 * @returns The kind of processor whose instructions they use.
 * @throws {Error} If TensorFlow refuses an operation.
 */
export function loadKernels(path: string, threads: number, wanted: number): string {
  const { findProcessor, registerOperations } = openLibrary(path);
  const kind = Math.min(wanted, findProcessor());
  const failure = registerOperations(threads, kind);
  if (failure !== null) {
    const message = Deno.UnsafePointerView.getCString(failure);
    throw new Error(`Cannot register the operations of ${path}: ${message}`);
  }
  return PROCESSORS[kind];
}
