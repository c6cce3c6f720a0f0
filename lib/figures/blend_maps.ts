import { formatNumber, formatPercent, type Matrix, toRows } from "../support/format.ts";
import { colourDomain } from "./colours.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { key } from "./key.ts";
import { type Curve, curveStyle, linePanel, toLine } from "./line_panel.ts";
import { colourBar, imageElement, squareMap } from "./raster.ts";
import { type FigureOptions, MUTED } from "./style.ts";
import { type Tile, tileGrid, tileSize } from "./tile_grid.ts";

/** An image filtered with blends of two classes. */
export interface BlendExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  /** Label below the image. */
  label: string;
  /** Evidence map of each blend, `[blends,height,width]`; square. */
  maps: Matrix;
  /** Lead of each blend: its score minus the mean of the other classes. */
  leads: ArrayLike<number>;
}

/** Content of {@linkcode blendMaps}. */
export interface BlendMaps {
  /** Class at weight 0. */
  from: string;
  /** Class at weight 1. */
  to: string;
  /** Weights of the second class whose maps are shown, 0–1, rising. */
  weights: readonly number[];
  /** One row per image. */
  examples: readonly BlendExample[];
  /** Mean leads of groups of images by the second class's weight. */
  curves: readonly Curve[];
}

/**
 * Draws images filtered with blends of two classes' embeddings, one column per blend, and below them, on the
 * same axis, the mean leads of many images.
 *
 * @throws {RangeError} If there is no example or curve, or an example lacks a map or a lead.
 */
export function blendMaps(
  { from, to, weights, examples, curves }: BlendMaps,
  options: FigureOptions = {},
): Figure {
  if (examples.length === 0 || curves.length === 0) {
    throw new RangeError("A figure of blends needs at least one image and one curve.");
  }
  if (examples.some(({ leads }) => leads.length !== weights.length)) {
    throw new RangeError(`${weights.length} blends need as many leads for every image.`);
  }
  const colours = "diverging";
  const maps = examples.map((example) => toRows(example.maps, weights.length));
  const domain = colourDomain(maps.flat(2), colours);
  const width = contentWidth(options);
  const gap = 9;
  const size = tileSize(width, weights.length + 1, gap);
  const rows = examples.map(({ image, label, leads }, row) => [
    { draw: (box) => imageElement(image, box), lines: [{ content: label }] } satisfies Tile,
    ...maps[row].map((map, column): Tile => ({
      draw: (box) => squareMap(map, box, { domain, colours }),
      lines: [{ content: formatNumber(leads[column], 1), fill: MUTED }],
    })),
  ]);
  const headings = weights.map((weight) =>
    weight === 0 || weight === 1
      ? { content: weight === 0 ? from : to, weight: "bold" as const }
      : { content: formatPercent(weight, 0), fill: MUTED }
  );
  const grid = tileGrid(rows, { size, gap, headings: [{ content: "" }, ...headings] });
  const middle = (column: number) => grid.left(column + 1) + size / 2;
  const [first, last] = [middle(0), middle(weights.length - 1)];
  const panel = linePanel(
    curves.map((curve, index) => toLine(curve, index, 1)),
    {
      width,
      height: 200,
      margins: { left: first, right: width - last, top: 26, bottom: 44 },
      x: {
        domain: [0, 100],
        ticks: [0, 25, 50, 75, 100],
        label: `Weight of ${to} in the embedding (%)`,
      },
    },
  );
  const entries = curves.map(({ name }, index) => ({ label: name, ...curveStyle(index) }));
  const below = grid.height + 14;
  return composeFigure({
    markup: grid.markup +
      translate(
        0,
        below,
        panel.markup + text("Lead, mean", 0, 12, { fill: MUTED }) + key(entries, first, 8),
      ) +
      translate(0, below + 56, colourBar(size, { colours, domain, label: "Evidence" })),
    height: below + 200,
    alt: `Evidence and leads of blends between ${from} and ${to}. ` +
      curves.map(({ name, value }) =>
        `Mean lead of ${name}: from ${formatNumber(value[0], 1)} to ${formatNumber(value.at(-1)!, 1)}`
      ).join("; ") + ".",
  }, options);
}
