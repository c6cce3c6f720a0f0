/**
 * Makes pictures smaller by averaging areas: each pixel of the small picture is the mean of what it covers of the large one, parts of
 * pixels counted as parts. Nothing is passed over, so nothing flickers, as with nearest neighbours.
 *
 * @module
 */
import type { Picture } from "./decode_picture.ts";

/** A part of a picture, in pixels and fractions of them. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Which pixels of a line go into one of the shorter line, and with what weights, which sum up to 1. */
export interface Taps {
  first: number;
  weights: number[];
}

/**
 * How a line of `count` pixels is made of `length` pixels from `start` on: areas where it becomes shorter, linear interpolation where
 * it becomes longer.
 *
 * @param limit Pixels of the whole line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { computeTaps } from "./average.ts";
 * assert.deepEqual(computeTaps(0, 3, 2, 3), [
 *   { first: 0, weights: [2 / 3, 1 / 3] },
 *   { first: 1, weights: [1 / 3, 2 / 3] },
 * ]);
 * ```
 */
export function computeTaps(start: number, length: number, count: number, limit: number): Taps[] {
  const step = length / count;
  return Array.from({ length: count }, (_, index) => {
    if (step < 1) {
      const centre = Math.max(0, Math.min(limit - 1, start + (index + 0.5) * step - 0.5));
      const first = Math.min(limit - 1, Math.floor(centre));
      const part = centre - first;
      return { first, weights: part === 0 ? [1] : [1 - part, part] };
    }
    const [from, to] = [start + index * step, Math.min(limit, start + (index + 1) * step)];
    const first = Math.floor(from);
    const covered = Array.from(
      { length: Math.ceil(to) - first },
      (_, at) => Math.min(to, first + at + 1) - Math.max(from, first + at),
    );
    const sum = covered.reduce((total, part) => total + part, 0);
    return { first, weights: covered.map((part) => part / sum) };
  });
}

/**
 * Brings an area of a picture to `width`×`height` pixels, transparent parts on white.
 *
 * @returns Bytes `[height,width,3]`, and whether something was transparent.
 */
export function averageArea(
  picture: Picture,
  area: Area,
  width: number,
  height: number,
): { pixels: Uint8Array; transparent: boolean } {
  const across = computeTaps(area.x, area.width, width, picture.width);
  const down = computeTaps(area.y, area.height, height, picture.height);
  const top = down[0].first;
  const bottom = Math.max(...down.map(({ first, weights }) => first + weights.length));
  const narrow = new Float32Array((bottom - top) * width * 3); // narrowed, not yet lowered
  let transparent = false;
  picture.readRows(top, bottom, (row, y) => {
    const isOpaque = narrowRow(row, across, narrow.subarray((y - top) * width * 3));
    transparent ||= !isOpaque;
  });
  const pixels = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y];
    for (let x = 0; x < width * 3; x++) {
      let sum = 0;
      for (let at = 0; at < weights.length; at++) {
        sum += weights[at] * narrow[(first - top + at) * width * 3 + x];
      }
      pixels[y * width * 3 + x] = Math.round(sum);
    }
  }
  return { pixels, transparent };
}

/** Returns whether all pixels were opaque. */
function narrowRow(row: Uint8ClampedArray, taps: readonly Taps[], into: Float32Array): boolean {
  let isOpaque = true;
  for (let x = 0; x < taps.length; x++) {
    const { first, weights } = taps[x];
    let [red, green, blue] = [0, 0, 0];
    for (let at = 0, from = 4 * first; at < weights.length; at++, from += 4) {
      const opacity = row[from + 3];
      const weight = weights[at] * opacity / 255;
      const white = (weights[at] - weight) * 255;
      red += weight * row[from] + white;
      green += weight * row[from + 1] + white;
      blue += weight * row[from + 2] + white;
      if (opacity !== 255) isOpaque = false;
    }
    into[3 * x] = red;
    into[3 * x + 1] = green;
    into[3 * x + 2] = blue;
  }
  return isOpaque;
}
