import { IMAGE_SIZE } from "../lib/data/dataset.ts";
import { colourDomain, type ColourMap, palette } from "../lib/figures/colours.ts";
import { layOver } from "../lib/figures/overlay.ts";
import { MAP_SIZE } from "../lib/model/spec.ts";
import { argMax } from "../lib/support/statistics.ts";

const CELLS = MAP_SIZE * MAP_SIZE;

/** Creates a canvas of 32×32 pixels, which the style enlarges. */
export function smallCanvas(canvas = document.createElement("canvas")): HTMLCanvasElement {
  canvas.width = canvas.height = IMAGE_SIZE;
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

/** Paints bytes `[32,32,3]`. */
export function paintPixels(canvas: HTMLCanvasElement, pixels: ArrayLike<number>): void {
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(IMAGE_SIZE, IMAGE_SIZE);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    image.data[to] = pixels[from];
    image.data[to + 1] = pixels[from + 1];
    image.data[to + 2] = pixels[from + 2];
    image.data[to + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** How maps are coloured: all of them on one scale, so that they can be compared. */
export interface Colouring {
  colours: ColourMap;
  domain: [number, number];
}

/** Chooses the colours of maps `[K,8,8]`: viridis for responses, blue to orange for evidence. */
export function colouringOf(maps: Float32Array, kind: "response" | "evidence"): Colouring {
  const colours = kind === "evidence" ? "diverging" : "viridis";
  return { colours, domain: colourDomain(maps, colours) };
}

/** Paints a map over a picture. */
export function paintMap(
  canvas: HTMLCanvasElement,
  pixels: Uint8Array,
  map: Float32Array,
  colouring: Colouring,
): void {
  paintPixels(canvas, layOver(pixels, map, colouring));
}

/** One map of maps `[K,8,8]`, or the one that all classes share. */
export function mapOf(maps: Float32Array, label: number): Float32Array {
  const shared = maps.length === CELLS;
  return shared ? maps : maps.subarray(label * CELLS, (label + 1) * CELLS);
}

/** Writes a colour map as a CSS gradient. */
export function gradientOf(colours: ColourMap): string {
  const stops = palette(colours).filter((_, index) => index % 15 === 0).map((colour) => `rgb(${colour})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** Says in words where a map `[8,8]` is highest: "upper left". */
export function placeOf(map: ArrayLike<number>): string {
  const best = argMax(map);
  return placeName(Math.floor(best / MAP_SIZE), best % MAP_SIZE);
}

/** Says in words where a cell is. */
export function placeName(row: number, column: number): string {
  const third = (at: number) => at < 3 ? 0 : at < 5 ? 1 : 2;
  const [vertical, horizontal] = [["upper", "", "lower"][third(row)], ["left", "", "right"][third(column)]];
  return [vertical, horizontal].filter((word) => word !== "").join(" ") || "middle";
}
