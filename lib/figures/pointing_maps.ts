import { colourBar, colourDomain } from "./colour_bar.ts";
import type { ColourMap } from "./colours.ts";
import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { type Matrix, toRows } from "../support/format.ts";
import { imageElement, mapElement } from "./raster.ts";
import { type FigureOptions, FONT_SIZE, INK, MUTED, PAPER, TRUE_COLOUR, WINNER_COLOUR } from "./style.ts";
import { element, text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";
import { argMax } from "../support/statistics.ts";

/** A mosaic of four images, and the map of each one's class. */
export interface PointingExample {
  /** Bytes `[32,32,3]`, red, green, blue. */
  image: ArrayLike<number>;
  /** Names of the classes: top left, top right, bottom left, bottom right. */
  names: readonly string[];
  /** Their maps in that order, `[4,height,width]`; square, high where the class is. */
  maps: Matrix;
}

/** Options of {@linkcode pointingMaps}. */
export interface PointingMapsOptions extends FigureOptions {
  /** The maps' colours (default `"viridis"`). */
  colours?: ColourMap;
}

const GAP = 14;
const PARTS = 4;

/**
 * Does each class's map point at its quarter of a mosaic? A row a mosaic: the image, then the four classes' maps, each with a frame about the
 * quarter where its class is and a dot at its greatest value, blue within the frame and orange outside.
 *
 * @throws {RangeError} If there is no mosaic, or one has not four names and maps.
 */
export function pointingMaps(
  examples: readonly PointingExample[],
  options: PointingMapsOptions = {},
): Figure {
  if (examples.length === 0) throw new RangeError("A figure of pointing needs at least one mosaic.");
  const { colours = "viridis" } = options;
  const rows = examples.map(({ names, maps }) => {
    if (names.length !== PARTS) throw new RangeError(`A mosaic has ${PARTS} classes, not ${names.length}.`);
    return toRows(maps, PARTS);
  });
  const domain = colourDomain(rows.flat(2), colours);
  const width = contentWidth(options);
  const size = Math.floor((width - PARTS * GAP) / (PARTS + 1));
  const step = size + 28;
  let hits = 0;
  const markup = examples.map(({ image, names }, row) => {
    const tiles = rows[row].map((map, part) => {
      const left = (part + 1) * (size + GAP);
      const { markup, isHit } = pointedMap(map, part, { left, size, domain, colours });
      hits += isHit ? 1 : 0;
      return markup + text(names[part], left + size / 2, size + 16, { anchor: "middle", weight: "bold" });
    }).join("");
    return translate(0, row * step, imageElement(image, { x: 0, y: 0, width: size, height: size }) + tiles);
  }).join("");
  const bottom = examples.length * step + 4;
  return composeFigure({
    markup: markup + translate(0, bottom, colourBar(size, { colours, domain, label: "Evidence" })) +
      translate(size + GAP, bottom + 16, key()),
    height: bottom + 42,
    description:
      `${examples.length} mosaics of four images each, and the maps of their classes: ${hits} of ${
        PARTS * examples.length
      } ` +
      "maps have their greatest value in the quarter of their class.",
  }, options);
}

function pointedMap(
  map: readonly number[],
  part: number,
  { left, size, domain, colours }: {
    left: number;
    size: number;
    domain: readonly [number, number];
    colours: ColourMap;
  },
): { markup: string; isHit: boolean } {
  const side = Math.sqrt(map.length);
  const peak = argMax(map);
  const [row, column] = [Math.floor(peak / side), peak % side];
  const isHit = 2 * Math.floor(2 * row / side) + Math.floor(2 * column / side) === part;
  const half = size / 2;
  // dark with a white edge: to be seen on every colour
  const frame = [[PAPER, 4.4], [INK, 1.8]].map(([stroke, thickness]) =>
    element("rect", {
      x: left + part % 2 * half + 2.2,
      y: Math.floor(part / 2) * half + 2.2,
      width: half - 4.4,
      height: half - 4.4,
      fill: "none",
      stroke,
      "stroke-width": thickness,
    })
  ).join("");
  const dot = element("circle", {
    cx: left + (column + 0.5) * size / side,
    cy: (row + 0.5) * size / side,
    r: 5,
    fill: isHit ? TRUE_COLOUR : WINNER_COLOUR,
    stroke: PAPER,
    "stroke-width": 1.5,
  });
  const picture = mapElement(map, side, side, { x: left, y: 0, width: size, height: size }, {
    domain,
    colours,
  });
  return { markup: picture + frame + dot, isHit };
}

function key(): string {
  let x = 0;
  const entry = (sign: (x: number) => string, label: string) => {
    const markup = sign(x + 6) + text(label, x + 18, 4, { size: FONT_SIZE.tick, fill: MUTED });
    x += 18 + textWidth(label, FONT_SIZE.tick) + 18;
    return markup;
  };
  const dot = (colour: string) => (x: number) => element("circle", { cx: x, cy: 0, r: 5, fill: colour });
  const frame = (x: number) =>
    element("rect", {
      x: x - 5,
      y: -5,
      width: 10,
      height: 10,
      fill: "none",
      stroke: INK,
      "stroke-width": 1.8,
    });
  return entry(frame, "quarter of the class") + entry(dot(TRUE_COLOUR), "greatest value, in it") +
    entry(dot(WINNER_COLOUR), "greatest value, elsewhere");
}
