import { Plot } from "./plot.ts";
import type { Rgb } from "./png.ts";

/**
 * The colour maps of the figures: `"viridis"` and `"cividis"` for amounts, `"blues"` for amounts behind printed numbers,
 * `"diverging"` from blue over near-white to orange for values on both sides of zero. All can be read with any common
 * kind of colour blindness, and all but the last in grey print as well.
 */
export type ColourMap = "viridis" | "cividis" | "blues" | "diverging";

const BLUES = ["#f6f9fc", "#c9dcee", "#85b2d8", "#3d7fb8", "#0f4c81"];
const DIVERGING = ["#0b4a8f", "#5b9ccf", "#f4f4f2", "#ea9a4e", "#a34a00"];

const palettes = new Map<ColourMap, readonly Rgb[]>();

/** The 256 colours of a map, from its lowest value to its highest. */
export function palette(map: ColourMap): readonly Rgb[] {
  let colours = palettes.get(map);
  if (!colours) {
    const stops = map === "blues" ? BLUES : map === "diverging" ? DIVERGING : undefined;
    const scale = Plot.scale({
      color: stops
        ? { type: "linear", domain: [0, 0.25, 0.5, 0.75, 1], range: stops, interpolate: "lab" }
        : { type: "linear", domain: [0, 1], scheme: map as "viridis" | "cividis" },
    }) as unknown as { apply(value: number): string };
    colours = Array.from({ length: 256 }, (_, index) => parseColour(scale.apply(index / 255)));
    palettes.set(map, colours);
  }
  return colours;
}

/** The number, 0–255, of a value's colour between `low` and `high`; values outside take the end's colour. */
export function paletteIndex(value: number, [low, high]: readonly [number, number]): number {
  if (!(high > low)) return 128;
  return Math.max(0, Math.min(255, Math.round((value - low) / (high - low) * 255)));
}

/** A value's colour between `low` and `high`, as `#rrggbb`. */
export function colourOf(value: number, domain: readonly [number, number], map: ColourMap): string {
  return toHex(palette(map)[paletteIndex(value, domain)]);
}

/** White or near-black, whichever is easier to read on `#rrggbb` (contrast by WCAG 2's relative luminance). */
export function readableOn(colour: string): string {
  const [red, green, blue] = parseColour(colour).map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.2 ? "#1d2733" : "#ffffff";
}

function toHex(colour: Rgb): string {
  return `#${colour.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function parseColour(colour: string): Rgb {
  const bytes = colour.startsWith("#")
    ? [1, 3, 5].map((index) => parseInt(colour.slice(index, index + 2), 16))
    : colour.match(/\d+/g)!.map(Number);
  return [bytes[0], bytes[1], bytes[2]];
}
