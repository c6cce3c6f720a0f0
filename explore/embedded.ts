/**
 * The parts that the page carries: `<script type="application/gzip;base64" id="…">` elements, which
 * explore/build_page.ts writes.
 *
 * @module
 */
/// <reference lib="dom" />
import { useWasmTensorFlow } from "../lib/tensorflow/runtime/wasm.ts";
import { Engine } from "./engine.ts";

/** Names of the parts: TensorFlow.js's WebAssembly, and the network as a checkpoint. */
export type Part = "wasm" | "network";

/** Starts TensorFlow.js and opens the network that the page carries. */
export async function startEngine(): Promise<Engine> {
  const [wasm, network] = await Promise.all([readPart("wasm"), readPart("network")]);
  await useWasmTensorFlow(wasm);
  return await Engine.open(network, "the page's own network");
}

/** Decodes a part. */
async function readPart(id: Part): Promise<Uint8Array<ArrayBuffer>> {
  const packed = Uint8Array.fromBase64(document.getElementById(id)!.textContent!);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
