/**
 * This project's own TensorFlow operations: C++ in the folder kernels, compiled by `deno task setup`, for the CPU.
 *
 * @module
 */
import { InputError } from "../input_error.ts";
import { nativeBackend } from "./binding.ts";

/** The operations compute that many channels side by side. */
const CHANNELS = 16;

/** Whether the operations can be used: on the native runtime's CPU, and these numbers of channels come in sixteens. */
export function canUseKernels(...channels: number[]): boolean {
  const backend = nativeBackend();
  return backend !== null && !backend.isUsingGpuDevice && channels.every((count) => count % CHANNELS === 0);
}

/** Kinds of processors that the operations are compiled for, in the order of kernels/processor.h. */
const PROCESSORS = ["baseline", "avx2", "avx512"];

/**
 * Makes the operations known to TensorFlow. They use the best instructions that the processor has, or those of the kind that the
 * environment variable `KERNELS_PROCESSOR` names (`baseline`, `avx2`, `avx512`), to look into a problem.
 *
 * @param path The compiled library. TensorFlow's own must have been loaded before.
 * @param threads How many threads the operations use.
 * @throws {InputError} If the variable names another kind.
 * @throws {Error} If TensorFlow refuses an operation.
 */
export function loadKernels(path: string, threads: number): void {
  const wanted = Deno.env.get("KERNELS_PROCESSOR") ?? PROCESSORS.at(-1)!;
  const processor = PROCESSORS.indexOf(wanted);
  if (processor < 0) {
    throw new InputError(`Cannot use KERNELS_PROCESSOR=${wanted}: it is one of ${PROCESSORS.join(", ")}.`);
  }
  const { symbols } = Deno.dlopen(path, {
    registerOperations: { parameters: ["i32", "i32"], result: "pointer" },
  });
  const failure = symbols.registerOperations(threads, processor);
  if (failure !== null) {
    throw new Error(
      `Cannot register the operations of ${path}: ${Deno.UnsafePointerView.getCString(failure)}`,
    );
  }
}
