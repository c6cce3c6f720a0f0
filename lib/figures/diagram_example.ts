import type { DiagramExample } from "./network_diagram.ts";

/** Pictures for a diagram without an example: a disc on a meadow, and what might be made of it. */
export function madeUpExample(classes: number, filters: number): DiagramExample {
  const image = new Uint8Array(3072);
  for (let index = 0; index < 1024; index++) {
    const [x, y] = [index % 32, Math.floor(index / 32)];
    const colour = Math.hypot(x - 18, y - 15) < 8
      ? [226, 120, 52]
      : y > 22
      ? [96, 140, 72]
      : [150 + 2 * y, 190 + y, 226];
    image.set(colour.map((byte) => byte + (x * 7 + y * 13) % 11), 3 * index);
  }
  const maps = Float32Array.from({ length: filters * 64 }, (_, index) => {
    const [k, cell] = [Math.floor(index / 64), index % 64];
    const [x, y] = [
      cell % 8 - 3.5 - 3 * Math.sin(2.4 * k),
      Math.floor(cell / 8) - 3.5 - 3 * Math.cos(3.1 * k),
    ];
    return (0.35 + 0.65 * Math.abs(Math.sin(1.7 * k + 0.6))) * Math.exp(-(x * x + y * y) / 7);
  });
  return {
    image,
    maps,
    scores: Array.from({ length: classes }, (_, k) => k === 6 ? 2.6 : Math.sin(2.1 * k)),
    filters: noise(filters * 64, 1),
    embeddings: noise(classes * 32, 2),
  };
}

/** Numbers between −1 and 1 without a pattern, always the same. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed * 0x9e3779b1;
  return Float32Array.from({ length }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5 | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 0x80000000 - 1;
  });
}
