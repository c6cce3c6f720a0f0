// @ts-types="@types/d3-interpolate"
import { interpolateLab } from "d3-interpolate";
// @ts-types="@types/d3-scale-chromatic"
import { interpolateViridis } from "d3-scale-chromatic";
import { extent } from "../support/format.ts";

/** Red, green and blue, 0–255. */
export type Rgb = readonly [number, number, number];

/**
 * Colour map: `"viridis"` for amounts, `"blues"` for amounts behind printed numbers, `"diverging"` (blue,
 * near-white, orange) for values on both sides of zero. All are safe for colour-blind readers.
 */
export type ColourMap = "viridis" | "blues" | "diverging";

const BLUES = ["#f6f9fc", "#c9dcee", "#85b2d8", "#3d7fb8", "#0f4c81"];
const DIVERGING = ["#0b4a8f", "#5b9ccf", "#f4f4f2", "#ea9a4e", "#a34a00"];

const palettes = new Map<ColourMap, readonly Rgb[]>();

/** Samples a colour map at 256 points, lowest value first. */
export function palette(map: ColourMap): readonly Rgb[] {
  let colours = palettes.get(map);
  if (!colours) {
    const stops = map === "blues" ? BLUES : map === "diverging" ? DIVERGING : undefined;
    const sample = stops === undefined ? interpolateViridis : (place: number) => {
      const first = Math.min(stops.length - 2, Math.floor(place * (stops.length - 1)));
      return interpolateLab(stops[first], stops[first + 1])(place * (stops.length - 1) - first);
    };
    colours = Array.from({ length: 256 }, (_, index) => parseColour(sample(index / 255)));
    palettes.set(map, colours);
  }
  return colours;
}

/** Maps a value between `low` and `high` to its place in {@linkcode palette}; values outside are clamped. */
export function paletteIndex(value: number, [low, high]: readonly [number, number]): number {
  if (!(high > low)) return 128;
  return Math.max(0, Math.min(255, Math.round((value - low) / (high - low) * 255)));
}

/** Colour of a value between `low` and `high`, as `#rrggbb`. */
export function colourOf(value: number, domain: readonly [number, number], map: ColourMap): string {
  const colour = palette(map)[paletteIndex(value, domain)];
  return `#${colour.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Picks white or near-black text for a background `#rrggbb`, by WCAG 2's relative luminance. */
export function readableOn(colour: string): string {
  const [red, green, blue] = parseColour(colour).map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.2 ? "#1d2733" : "#ffffff";
}

function parseColour(colour: string): Rgb {
  const bytes = colour.startsWith("#")
    ? [1, 3, 5].map((index) => parseInt(colour.slice(index, index + 2), 16))
    : colour.match(/\d+/g)!.map(Number);
  return [bytes[0], bytes[1], bytes[2]];
}

/** Domain of some values' colours: their extent, symmetric about zero for diverging colours. */
export function colourDomain(values: Iterable<number>, colours: ColourMap): [number, number] {
  const [low, high] = extent(values);
  if (colours !== "diverging") return low < high ? [low, high] : [low - 0.5, low + 0.5];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return [-most, most];
}
