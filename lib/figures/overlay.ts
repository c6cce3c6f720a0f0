import { type ColourMap, palette, paletteIndex } from "./colours.ts";
import type { MapOptions } from "./raster.ts";

/** Weight of a map's colour by its place in the palette, both 0–1: the picture shows near zero. */
const WEIGHTS: Record<ColourMap, (place: number) => number> = {
  viridis: () => 0.6,
  blues: () => 0.6,
  diverging: (place) => 0.9 * Math.sqrt(Math.abs(2 * place - 1)),
};

/**
 * Lays a map over a picture at the picture's size: grey, coloured by the map between its cells' centres.
 *
 * @param pixels Bytes `[size,size,3]`.
 * @param map `[side,side]`, enlarged bilinearly.
 * @returns Bytes `[size,size,3]`.
 * @throws {RangeError} If either is not square.
 */
export function layOver(
  pixels: ArrayLike<number>,
  map: ArrayLike<number>,
  { domain, colours }: MapOptions,
): Uint8Array {
  const [size, side] = [Math.sqrt(pixels.length / 3), Math.sqrt(map.length)];
  if (!Number.isInteger(size) || !Number.isInteger(side) || side === 0) {
    throw new RangeError(
      `${map.length} values cannot be laid over ${pixels.length} bytes: not both are square.`,
    );
  }
  // the two cells about each pixel, and the share of the second; beyond the outer centres both are the same
  const places = Array.from({ length: size }, (_, at) => {
    const place = Math.max(0, Math.min(side - 1, (at + 0.5) * side / size - 0.5));
    const first = Math.floor(place);
    return [first, Math.min(side - 1, first + 1), place - first];
  });
  const result = new Uint8Array(pixels.length);
  places.forEach(([top, bottom, down], y) =>
    places.forEach(([left, right, across], x) => {
      const row = (start: number) => (1 - across) * map[start + left] + across * map[start + right];
      const index = paletteIndex((1 - down) * row(top * side) + down * row(bottom * side), domain);
      const weight = WEIGHTS[colours](index / 255);
      const at = 3 * (y * size + x);
      const grey = 0.3 * pixels[at] + 0.59 * pixels[at + 1] + 0.11 * pixels[at + 2];
      const paper = colours === "diverging" ? 100 + 0.6 * grey : grey; // pale, for its pale middle
      palette(colours)[index].forEach((colour, channel) =>
        result[at + channel] = Math.round((1 - weight) * paper + weight * colour)
      );
    })
  );
  return result;
}
