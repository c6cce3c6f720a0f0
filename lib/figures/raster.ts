import { encode } from "fast-png";
import { formatNumber } from "../support/format.ts";
import { type ColourMap, palette, paletteIndex } from "./colours.ts";
import { type Box, element, line, text } from "./figure.ts";
import { widestOf } from "./fonts.ts";
import { FONT_SIZE, GREY, MUTED, NOTE } from "./style.ts";

/**
 * Repeats every pixel of `[height,width,channels]` `factor` times in both directions. Not every SVG viewer
 * (resvg and typst among them) honours `image-rendering: pixelated`.
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

/** Draws a square image, `[size,size,3]` bytes. @throws {RangeError} If the pixels do not make a square. */
export function imageElement(pixels: ArrayLike<number>, box: Box): string {
  const size = Math.sqrt(pixels.length / 3);
  if (!Number.isInteger(size) || size === 0) {
    throw new RangeError(`${pixels.length} bytes do not make a square image of three channels.`);
  }
  const factor = Math.max(1, Math.round(2 * box.width / size));
  const large = enlarge(pixels, size, size, factor, 3);
  return rasterElement(encodePng(large, size * factor, size * factor), box);
}

export interface MapOptions {
  /** Values at the two ends of the colour map. */
  domain: readonly [number, number];
  colours: ColourMap;
}

/** Draws a map of values, `[height,width]` row by row. */
export function mapElement(
  values: ArrayLike<number>,
  width: number,
  height: number,
  box: Box,
  { domain, colours }: MapOptions,
): string {
  // enlarged to twice its size on the page: sharp on today's screens, and no larger a file than that needs
  const factor = Math.max(1, Math.round(2 * Math.max(box.width, box.height) / Math.max(width, height)));
  const indices = Uint8Array.from(values, (value) => paletteIndex(value, domain));
  const large = enlarge(indices, width, height, factor);
  return rasterElement(encodePng(large, width * factor, height * factor, palette(colours)), box);
}

/** Draws a square map of values. @throws {RangeError} If the values do not make a square. */
export function squareMap(values: ArrayLike<number>, box: Box, options: MapOptions): string {
  const side = Math.sqrt(values.length);
  if (!Number.isInteger(side)) throw new RangeError(`${values.length} values do not make a square map.`);
  return mapElement(values, side, side, box, options);
}

function rasterElement(png: Uint8Array, box: Box): string {
  return element("image", {
    ...box,
    preserveAspectRatio: "none",
    href: `data:image/png;base64,${png.toBase64()}`,
  });
}

/**
 * Encodes pixels as a PNG file, without a canvas: the same bytes on every machine.
 *
 * @param pixels `[height,width,3]`; with a palette `[height,width]` indices into it, a third of the size.
 * @throws {RangeError} If the number of pixels does not fit the size.
 */
function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
  palette?: readonly (readonly number[])[],
): Uint8Array {
  const colours = palette && { channels: 1, palette: palette.map((colour) => [...colour]) };
  return encode({ width, height, data: pixels, channels: 3, ...colours }, { zlib: { level: 9 } });
}

export interface ColourBarOptions {
  colours: ColourMap;
  /** Values at its ends. */
  domain: readonly [number, number];
  /** Quantity and unit. */
  label: string;
  /** Labelled values. @default round ones inside the domain */
  ticks?: readonly number[];
  /** Position of a value, 0–1, on a scale that is not linear. */
  position?: (value: number) => number;
}

/** Draws a horizontal colour bar from (0, 0), `width` × 38 pixels, label above and values below. */
export function colourBar(width: number, options: ColourBarOptions): string {
  const { colours, domain: [low, high], label } = options;
  const ticks = options.ticks ?? fittingTicks([low, high], width);
  const { position = (value: number) => (value - low) / (high - low) } = options;
  const png = encodePng(Uint8Array.from({ length: 256 }, (_, index) => index), 256, 1, palette(colours));
  const numbers = formatTicks(ticks);
  return text(label, 0, 10, NOTE) +
    rasterElement(png, { x: 0, y: 16, width, height: 9 }) +
    ticks.map((tick, index) => {
      const x = Math.max(0, Math.min(1, position(tick))) * width;
      return line([x, 25], [x, 28], GREY) +
        text(numbers[index], x, 38, { size: FONT_SIZE.small, fill: MUTED, anchor: "middle" });
    }).join("");
}

/** Picks as many round values as fit along `width` pixels, or the domain's ends where too few do. */
export function fittingTicks([low, high]: readonly [number, number], width: number): number[] {
  for (let count = Math.ceil(width / 30); count > 0; count--) {
    const ticks = roundTicks([low, high], count);
    const room = width * (ticks[1] - ticks[0]) / (high - low) - 8;
    if (ticks.length > 1 && widestOf(formatTicks(ticks), FONT_SIZE.small) <= room) return ticks;
  }
  const unit = 10 ** (Math.floor(Math.log10(high - low)) - 1);
  return [Math.ceil(low / unit), Math.floor(high / unit)].map((end) => Number((end * unit).toPrecision(6)));
}

/** Picks about `count` round values (1, 2 or 5 times a power of ten) inside a domain. */
export function roundTicks([low, high]: readonly [number, number], count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const ratio = rough / power;
  const step = power *
    (ratio >= Math.sqrt(50) ? 10 : ratio >= Math.sqrt(10) ? 5 : ratio >= Math.SQRT2 ? 2 : 1);
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

/** Formats ticks with as many decimals as they need. */
export function formatTicks(ticks: readonly number[]): string[] {
  const decimals = Math.max(...ticks.map((tick) => (String(tick).split(".")[1] ?? "").length));
  return ticks.map((tick) => formatNumber(tick, decimals));
}
