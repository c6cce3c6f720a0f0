import { type ColourMap, palette, paletteIndex } from "./colours.ts";
import { encodePng, pngDataUri } from "./png.ts";
import { element } from "./svg.ts";

/** How a small map becomes a large picture: every value a square, or bilinear in between. */
export type Interpolation = "nearest" | "smooth";

/** Where a picture lies on a figure, in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * Repeats every pixel `factor` times in both directions. We enlarge pictures ourselves because not every SVG viewer (resvg
 * and typst among them) honours `image-rendering: pixelated`.
 *
 * @param pixels `[height,width,channels]`.
 * @returns `[height·factor,width·factor,channels]`.
 */
export function enlarge(
  pixels: ArrayLike<number>,
  width: number,
  height: number,
  factor: number,
  channels = 1,
): Uint8Array {
  const result = new Uint8Array(width * height * factor * factor * channels);
  for (let y = 0, at = 0; y < height * factor; y++) {
    const row = Math.floor(y / factor) * width;
    for (let x = 0; x < width * factor; x++) {
      const from = (row + Math.floor(x / factor)) * channels;
      for (let channel = 0; channel < channels; channel++) result[at++] = pixels[from + channel];
    }
  }
  return result;
}

/**
 * Bilinear interpolation between the centres of a map's cells, as PyTorch's `interpolate(mode="bilinear")` does it. It
 * invents no value above or below the map's own, which a cubic would.
 *
 * @param values `[height,width]`.
 * @returns `[height·factor,width·factor]`.
 */
export function interpolateBilinear(
  values: ArrayLike<number>,
  width: number,
  height: number,
  factor: number,
): Float32Array {
  const result = new Float32Array(width * height * factor * factor);
  for (let y = 0, at = 0; y < height * factor; y++) {
    const [top, bottom, down] = neighbours((y + 0.5) / factor - 0.5, height);
    for (let x = 0; x < width * factor; x++) {
      const [left, right, across] = neighbours((x + 0.5) / factor - 0.5, width);
      const above = values[top * width + left] * (1 - across) + values[top * width + right] * across;
      const below = values[bottom * width + left] * (1 - across) + values[bottom * width + right] * across;
      result[at++] = above * (1 - down) + below * down;
    }
  }
  return result;
}

function neighbours(position: number, length: number): [number, number, number] {
  const inside = Math.max(0, Math.min(length - 1, position));
  const first = Math.floor(inside);
  return [first, Math.min(length - 1, first + 1), inside - first];
}

/**
 * A square colour image as an SVG `<image>`.
 *
 * @param pixels `[size,size,3]` bytes, red, green, blue.
 * @param options `grey` draws it in grey and pale, to lie under a map.
 * @throws {RangeError} If the pixels do not make a square.
 */
export function imageElement(pixels: ArrayLike<number>, box: Box, { grey = false } = {}): string {
  const size = Math.sqrt(pixels.length / 3);
  if (!Number.isInteger(size) || size === 0) {
    throw new RangeError(`${pixels.length} bytes do not make a square image of three channels.`);
  }
  const factor = Math.max(1, Math.round(2 * box.width / size));
  const bytes = grey ? toGrey(pixels) : pixels;
  const large = enlarge(bytes, size, size, factor, 3);
  return rasterElement(encodePng(large, size * factor, size * factor), box);
}

/**
 * A map of values as an SVG `<image>`.
 *
 * @param values `[height,width]`.
 * @param options `domain`: the values at the two ends of the colour map; `opacity` 0–1 (default 1).
 */
export function mapElement(
  values: ArrayLike<number>,
  width: number,
  height: number,
  box: Box,
  options: {
    domain: readonly [number, number];
    colours: ColourMap;
    interpolation?: Interpolation;
    opacity?: number;
  },
): string {
  const { domain, colours, interpolation = "nearest", opacity } = options;
  // enlarged to twice its size on the page: sharp on today's screens, and no larger a file than that needs
  const factor = Math.max(1, Math.round(2 * Math.max(box.width, box.height) / Math.max(width, height)));
  const indices = (from: ArrayLike<number>) => Uint8Array.from(from, (value) => paletteIndex(value, domain));
  const large = interpolation === "smooth"
    ? indices(interpolateBilinear(values, width, height, factor))
    : enlarge(indices(values), width, height, factor);
  return rasterElement(encodePng(large, width * factor, height * factor, palette(colours)), box, opacity);
}

function rasterElement(png: Uint8Array, box: Box, opacity?: number): string {
  return element("image", {
    x: box.x,
    y: box.y,
    width: box.width,
    height: box.height,
    preserveAspectRatio: "none",
    opacity: opacity === 1 ? undefined : opacity,
    href: pngDataUri(png),
  });
}

function toGrey(pixels: ArrayLike<number>): Uint8Array {
  const result = new Uint8Array(pixels.length);
  for (let index = 0; index < pixels.length; index += 3) {
    // Rec. 601 luma
    const luma = 0.299 * pixels[index] + 0.587 * pixels[index + 1] + 0.114 * pixels[index + 2];
    result.fill(Math.round(luma), index, index + 3);
  }
  return result;
}
