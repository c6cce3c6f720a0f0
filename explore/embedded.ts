/**
 * The parts that the page carries: `<script type="application/gzip;base64" id="…">` elements, which
 * explore/build_page.ts writes.
 *
 * @module
 */
/// <reference lib="dom" />
import { useWasmTensorFlow } from "../lib/tensorflow/runtime/wasm.ts";
import { Engine } from "./engine.ts";
import { parseKnownFeatures } from "./known_features.ts";
import { unshuffleBytes } from "./packing.ts";

/**
 * Names of the parts: TensorFlow.js's WebAssembly, the network as a checkpoint, and, in a page that can teach,
 * feature maps of the classes that it knows.
 */
export type Part = "wasm" | "network" | "known";

/** Starts TensorFlow.js and opens the network that the page carries. */
export async function startEngine(): Promise<Engine> {
  const [wasm, network, known] = await Promise.all((["wasm", "network", "known"] as const).map(readPart));
  await useWasmTensorFlow(wasm!);
  return await Engine.open(unshuffleBytes(network!), NAME, known && parseKnownFeatures(known, NAME));
}

const NAME = "this page"; // in errors

/** Decodes a part; null if the page has none of that name. */
async function readPart(id: Part): Promise<Uint8Array<ArrayBuffer> | null> {
  const text = document.getElementById(id)?.textContent;
  if (text === undefined) return null;
  const packed = Uint8Array.fromBase64(text!);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
