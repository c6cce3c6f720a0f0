import { type Matrix, toRows } from "../support/arrays.ts";
import { argMax } from "../support/statistics.ts";
import { colourDomain } from "./colours.ts";
import { type Box, composeFigure, contentWidth, type Figure, frame, text, translate } from "./figure.ts";
import { fitFontSize, type FontWeight } from "./fonts.ts";
import { diamond, dot, key } from "./key.ts";
import { colourBar, imageElement, squareMap } from "./raster.ts";
import { type FigureOptions, FONT_SIZE, INK, PAPER, PREDICTED_COLOUR, TRUE_COLOUR } from "./style.ts";

/** Line of text below a tile; shrunk if it is wider than its column. */
export interface TileLine {
  content: string;
  /** @default INK */
  fill?: string;
  /** @default "regular" */
  weight?: FontWeight;
}

/** An image or a map, and what stands about it. */
export interface Tile {
  draw: (box: Box) => string;
  /** In pixels, where it is lower than the others. */
  height?: number;
  lines?: readonly TileLine[];
  /** Colours of frames, from the innermost out. They lie outside the tile and hide none of it. */
  frames?: readonly string[];
}

const LEADING = 14;

/** Side of the tiles in pixels where so many columns fill a width. */
export function tileSize(width: number, columns: number, gap: number): number {
  return Math.floor((width - (columns - 1) * gap) / columns);
}

/** Draws tiles in rows from (0, 0), `gap` pixels apart, each with its text below; null leaves a place empty. */
export function tileGrid(
  rows: readonly (readonly (Tile | null)[])[],
  { size, height = size, gap, headings = [] }: {
    size: number;
    /** Of a tile. @default size */
    height?: number;
    gap: number;
    headings?: readonly TileLine[];
  },
) {
  const lineCount = Math.max(0, ...rows.flat().map((tile) => tile?.lines?.length ?? 0));
  const step = height + LEADING * lineCount + Math.max(gap, 14);
  const left = (column: number) => column * (size + gap);
  const top = (row: number) => (headings.length > 0 ? 22 : 4) + row * step;
  const write = ({ content, fill = INK, weight }: TileLine, x: number, y: number) =>
    content === "" ? "" : text(content, x, y, {
      size: fitFontSize(content, FONT_SIZE.tick, size + gap - 3, weight),
      fill,
      weight,
      anchor: "middle",
    });
  const tiles = rows.flatMap((row, y) =>
    row.map((tile, x) => {
      if (tile === null) return "";
      const box = { x: left(x), y: top(y), width: size, height: tile.height ?? height };
      return tile.draw(box) +
        (tile.frames ?? []).map((colour, index) => frame(box, colour, 2.25, 1.9 + 2.3 * index)).join("") +
        (tile.lines ?? []).map((line, index) =>
          write(line, box.x + size / 2, box.y + box.height + 15 + LEADING * index)
        ).join("");
    })
  );
  return {
    markup: headings.map((line, x) => write(line, left(x) + size / 2, 11)).join("") + tiles.join(""),
    height: top(rows.length) - Math.max(gap, 14) + (lineCount > 0 ? 5 : 0),
    left,
  };
}

/** An image of a contact sheet. */
export interface SheetImage {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** Line below it, such as the class. */
  label?: string;
  /** Second line. */
  detail?: string;
}

/** Options of {@linkcode contactSheet}. */
export interface ContactSheetOptions extends FigureOptions {
  /** Images per row: fewer leave more room for their lines. @default 10 */
  columns?: number;
}

/**
 * Draws images in rows, each with its label.
 *
 * @throws {RangeError} If there is no image.
 */
export function contactSheet(images: readonly SheetImage[], options: ContactSheetOptions = {}): Figure {
  if (images.length === 0) throw new RangeError("A contact sheet needs at least one image.");
  const columns = Math.min(options.columns ?? 10, images.length);
  const gap = 10;
  const tiles = images.map(({ image, label = "", detail }): Tile => ({
    draw: (box) => imageElement(image, box),
    lines: [{ content: label, weight: "bold" }, ...detail === undefined ? [] : [{ content: detail }]],
  }));
  const rows = Array.from(
    { length: Math.ceil(tiles.length / columns) },
    (_, row) => tiles.slice(row * columns, (row + 1) * columns),
  );
  const size = Math.min(128, tileSize(contentWidth(options), columns, gap));
  const { markup, height } = tileGrid(rows, { size, gap });
  const labels = images.map(({ label, detail }) => [label, detail].filter(Boolean).join(" "))
    .filter((label) => label !== "");
  return composeFigure({
    markup,
    height,
    alt: `${images.length} images${labels.length > 0 ? `: ${labels.join(", ")}` : ""}.`,
  }, options);
}

/** A map of the network's 8×8 cells, such as a mean over many images. */
export interface CellMap {
  /** Heading above the tile. */
  title: string;
  /** `[height·width]`; square. */
  values: ArrayLike<number>;
  /** Quantity and unit. */
  measure: string;
  /** Values at the ends of the colours. @default the map's own, symmetric about zero */
  domain?: readonly [number, number];
}

/**
 * Draws maps side by side, each with its own diverging colour scale.
 *
 * @throws {RangeError} If there is no map, or one is not square.
 */
export function cellMaps(maps: readonly CellMap[], options: FigureOptions = {}): Figure {
  if (maps.length === 0) throw new RangeError("A figure of cells needs at least one map.");
  const gap = 32;
  const colours = "diverging";
  const size = Math.min(240, tileSize(contentWidth(options), maps.length, gap));
  const domains = maps.map(({ values, domain }) => domain ?? colourDomain(Array.from(values), colours));
  const tiles = maps.map(({ values }, index): Tile => ({
    draw: (box) => squareMap(values, box, { domain: domains[index], colours }),
  }));
  const headings = maps.map(({ title }) => ({ content: title, weight: "bold" as const }));
  const grid = tileGrid([tiles], { size, gap, headings });
  const bars = maps.map(({ measure }, index) =>
    translate(
      grid.left(index),
      grid.height + 12,
      colourBar(size, { colours, domain: domains[index], label: measure }),
    )
  );
  return composeFigure({
    markup: grid.markup + bars.join(""),
    height: grid.height + 54,
    alt: `${maps.map(({ title }) => title).join(", ")}: maps of the network's cells.`,
  }, options);
}

/** A mosaic of four images, and the map of each one's class. */
export interface PointingExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** Names of the classes: top left, top right, bottom left, bottom right. */
  names: readonly string[];
  /** Evidence for them in that order, `[4,height,width]`; square. */
  maps: Matrix;
}

const QUARTERS = 4;

/**
 * Draws the pointing game on mosaics, one row each: the mosaic and its four classes' maps, with a frame about
 * the quarter of the class and a mark at the map's greatest value.
 *
 * @throws {RangeError} If there is no mosaic, or one has not four names and maps.
 */
export function pointingMaps(
  examples: readonly PointingExample[],
  options: FigureOptions = {},
): Figure {
  if (examples.length === 0) throw new RangeError("A figure of pointing needs at least one mosaic.");
  const colours = "diverging";
  const maps = examples.map((example) => toRows(example.maps, QUARTERS));
  const domain = colourDomain(maps.flat(2), colours);
  const gap = 14;
  const size = tileSize(contentWidth(options), QUARTERS + 1, gap);
  const isHit = (map: readonly number[], quarter: number) => quarterOf(argMax(map), map.length) === quarter;
  const rows = examples.map(({ image, names }, row) => {
    if (names.length !== QUARTERS) {
      throw new RangeError(`A mosaic has ${QUARTERS} classes, not ${names.length}.`);
    }
    return [
      { draw: (box: Box) => imageElement(image, box) },
      ...maps[row].map((map, quarter): Tile => ({
        draw: (box) =>
          squareMap(map, box, { domain, colours }) +
          drawPointing(map, quarter, box, isHit(map, quarter)),
        lines: [{ content: names[quarter], weight: "bold" }],
      })),
    ];
  });
  const grid = tileGrid(rows, { size, gap });
  const hits = maps.flatMap((quarters) => quarters.filter(isHit)).length;
  const entries = [
    { label: "quarter of the class", colour: INK, mark: "frame" },
    { label: "greatest value, in it", colour: TRUE_COLOUR, mark: "dot" },
    { label: "greatest value, elsewhere", colour: PREDICTED_COLOUR, mark: "diamond" },
  ] as const;
  return composeFigure({
    markup: grid.markup +
      translate(0, grid.height + 10, colourBar(size, { colours, domain, label: "Evidence" })) +
      key(entries, grid.left(1), grid.height + 26),
    height: grid.height + 50,
    alt: `${examples.length} mosaics of four images each, and the maps of their classes: ${hits} of ${
      QUARTERS * examples.length
    } maps have their greatest value in the quarter of their class.`,
  }, options);
}

/** Quarter of a square map that a cell lies in, row by row. */
function quarterOf(cell: number, cells: number): number {
  const side = Math.sqrt(cells);
  return 2 * Math.floor(2 * Math.floor(cell / side) / side) + Math.floor(2 * (cell % side) / side);
}

function drawPointing(map: readonly number[], quarter: number, { x, y, width }: Box, isHit: boolean): string {
  const side = Math.sqrt(map.length);
  const peak = argMax(map);
  const half = width / 2;
  const box = { x: x + quarter % 2 * half, y: y + Math.floor(quarter / 2) * half, width: half, height: half };
  const point = [
    x + (peak % side + 0.5) * width / side,
    y + (Math.floor(peak / side) + 0.5) * width / side,
  ] as const;
  // dark with a white edge: to be seen on every colour
  return frame(box, PAPER, 4.4, -2.2) + frame(box, INK, 1.8, -2.2) +
    (isHit ? dot(point, TRUE_COLOUR, 5) : diamond(point, PREDICTED_COLOUR, 6));
}
