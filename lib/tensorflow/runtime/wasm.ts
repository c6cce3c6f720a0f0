import * as tf from "./tf.ts";

/**
 * Makes WebAssembly the backend of TensorFlow.js, in a browser: its SIMD build on one thread, from bytes
 * rather than from a server.
 *
 * @param bytes The file `tfjs-backend-wasm-simd.wasm`.
 * @throws {Error} If the browser lacks WebAssembly or its SIMD.
 */
export async function useWasmTensorFlow(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm"); // registers itself
  await import("@tensorflow/tfjs-core/dist/register_all_gradients.js"); // which core leaves out
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/wasm" }));
  try {
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // the names below are of one file
    const names = ["", "-simd", "-threaded-simd"].map((build) => `tfjs-backend-wasm${build}.wasm` as const);
    setWasmPaths(Object.fromEntries(names.map((name) => [name, url])) as Parameters<typeof setWasmPaths>[0]);
    if (!await tf.setBackend("wasm")) throw new Error("WebAssembly with SIMD cannot be used here.");
  } finally {
    URL.revokeObjectURL(url);
  }
}
