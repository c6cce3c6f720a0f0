import { formatNumber, formatPercent, type Matrix, toRows } from "../support/format.ts";
import { colourDomain, type ColourMap } from "./colours.ts";
import { composeFigure, contentWidth, type Figure, text, translate } from "./figure.ts";
import { categoryDash, key } from "./key.ts";
import { linePanel } from "./plot.ts";
import { colourBar, imageElement, squareMap } from "./raster.ts";
import { categoryColour, type FigureOptions, MUTED } from "./style.ts";
import { type Tile, tileGrid, tileSize } from "./tile_grid.ts";

/** An image filtered with blends of two classes. */
export interface BlendExample {
  /** Bytes `[32,32,3]`. */
  image: ArrayLike<number>;
  label: string;
  /** One map per blend, `[blends,height,width]`; square. */
  maps: Matrix;
  /** One score per blend. */
  scores: ArrayLike<number>;
}

/** Mean scores of some images by the second class's weight in the blend. */
export interface BlendCurve {
  name: string;
  /** Weights of the second class, 0–1, rising. */
  weight: readonly number[];
  /** Mean score at each weight. */
  value: readonly number[];
  /** Ends of a band, such as a 95 % interval; both or none. */
  low?: readonly number[];
  high?: readonly number[];
}

/** Content of {@linkcode blendMaps}. */
export interface BlendMaps {
  /** Class at weight 0. */
  from: string;
  /** Class at weight 1. */
  to: string;
  /** Weights of the second class whose maps are shown, 0–1, rising. */
  weights: readonly number[];
  examples: readonly BlendExample[];
  /** One curve per group of images. */
  curves: readonly BlendCurve[];
}

/** Options of {@linkcode blendMaps}. */
export interface BlendMapsOptions extends FigureOptions {
  /** @default "viridis" */
  colours?: ColourMap;
  /** Quantity of the maps. @default "Response" */
  measure?: string;
  /** Quantity below the maps, whose means the curves are. @default "Score" */
  score?: string;
}

/**
 * Draws images filtered with blends of two classes' embeddings, one column per blend, and below them, on the same axis, the mean scores of
 * many images.
 *
 * @throws {RangeError} If there is no example or no curve, or an example has not a map and a score for every blend.
 */
export function blendMaps(
  { from, to, weights, examples, curves }: BlendMaps,
  options: BlendMapsOptions = {},
): Figure {
  if (examples.length === 0 || curves.length === 0) {
    throw new RangeError("A figure of blends needs at least one image and one curve.");
  }
  if (examples.some(({ scores }) => scores.length !== weights.length)) {
    throw new RangeError(`${weights.length} blends need as many scores for every image.`);
  }
  const { colours = "viridis", measure = "Response", score = "Score" } = options;
  const maps = examples.map((example) => toRows(example.maps, weights.length));
  const domain = colourDomain(maps.flat(2), colours);
  const width = contentWidth(options);
  const gap = 9;
  const size = tileSize(width, weights.length + 1, gap);
  const rows = examples.map(({ image, label, scores }, row) => [
    { draw: (box) => imageElement(image, box), lines: [{ content: label }] } satisfies Tile,
    ...maps[row].map((map, column): Tile => ({
      draw: (box) => squareMap(map, box, { domain, colours }),
      lines: [{ content: formatNumber(scores[column], 1), fill: MUTED }],
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
  const styled = curves.map((curve, index) => ({
    ...curve,
    colour: categoryColour(index),
    dash: categoryDash(index),
  }));
  const panel = linePanel(
    styled.map(({ weight, value, low, high, ...style }) => ({
      ...style,
      points: weight.map((at, point) => ({
        x: 100 * at,
        y: value[point],
        ...(low && high && { low: low[point], high: high[point] }),
      })),
    })),
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
  const entries = styled.map(({ name, colour, dash }) => ({ label: name, colour, dash }));
  const below = grid.height + 14;
  return composeFigure({
    markup: grid.markup +
      translate(
        0,
        below,
        panel.markup + text(`${score}, mean`, 0, 12, { fill: MUTED }) + key(entries, { x: first, y: 8 }),
      ) +
      translate(0, below + 56, colourBar(size, { colours, domain, label: measure })),
    height: below + 200,
    alt: `Response maps and scores of blends between ${from} and ${to}. ` +
      curves.map(({ name, value }) =>
        `Mean ${score.toLowerCase()} of ${name}: from ${formatNumber(value[0], 1)} to ${
          formatNumber(value.at(-1)!, 1)
        }`
      ).join("; ") + ".",
  }, options);
}
