/** The packing of weights in the page: fewer digits, and bytes in an order that compresses. */

/** Bits of the mantissa that are kept, of float32's 23: scores change by less than 2e-3. */
const MANTISSA_BITS = 14;

/** Rounds weights to the precision that a page holds them in. */
export function roundWeights(weights: Float32Array): Float32Array<ArrayBuffer> {
  const rounded = Float32Array.from(weights);
  const bits = new Uint32Array(rounded.buffer);
  const dropped = 23 - MANTISSA_BITS;
  const half = 1 << (dropped - 1);
  for (let at = 0; at < bits.length; at++) bits[at] = (bits[at] + half) >>> dropped << dropped;
  return rounded;
}

/** Puts the first bytes of all 32-bit words first, then the second bytes, and so on. */
export function shuffleBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = Math.ceil(bytes.length / 4);
  const shuffled = new Uint8Array(4 * count);
  bytes.forEach((byte, at) => shuffled[(at & 3) * count + (at >> 2)] = byte);
  return shuffled;
}

/** Reverses {@linkcode shuffleBytes}, of whole words. */
export function unshuffleBytes(shuffled: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = shuffled.length / 4;
  return Uint8Array.from(shuffled, (_, at) => shuffled[(at & 3) * count + (at >> 2)]);
}
