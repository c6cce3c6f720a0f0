import { colourBar, colourDomain } from "./colour_bar.ts";
import type { ColourMap } from "./colours.ts";
import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { keyRow } from "./labels.ts";
import { extent, formatNumber, type Matrix, toRows } from "../support/format.ts";
import { Plot, plotPanel } from "./plot.ts";
import { imageElement, mapElement } from "./raster.ts";
import { categoryColour, FAINT, type FigureOptions, FONT_SIZE, MUTED } from "./style.ts";
import { element, text, translate } from "./svg.ts";

/** An image looked at through blends of two classes. */
export interface BlendExample {
  /** Bytes `[32,32,3]`, red, green, blue. */
  image: ArrayLike<number>;
  /** What it is called. */
  label: string;
  /** A map for each of the figure's shares, `[shares,height,width]`; square. */
  maps: Matrix;
  /** The score of each map. */
  scores: ArrayLike<number>;
}

/** Mean scores of some images by the share of the second class. */
export interface BlendCurve {
  /** Which images. */
  name: string;
  /** Shares of the second class, 0–1, rising. */
  share: readonly number[];
  /** The mean score at each share. */
  value: readonly number[];
  /** The band's lower end, such as that of a 95 % interval; with `high`, or none. */
  low?: readonly number[];
  /** The band's upper end. */
  high?: readonly number[];
}

/** What {@linkcode blendMaps} shows. */
export interface BlendMaps {
  /** The class at share 0. */
  from: string;
  /** The class at share 1. */
  to: string;
  /** Shares of the second class whose maps are shown, 0–1, rising. */
  shares: readonly number[];
  /** Images, each with its maps. */
  examples: readonly BlendExample[];
  /** Mean scores, a curve for each group of images. */
  curves: readonly BlendCurve[];
}

/** Options of {@linkcode blendMaps}. */
export interface BlendMapsOptions extends FigureOptions {
  /** The maps' colours (default `"viridis"`). */
  colours?: ColourMap;
  /** What the maps hold (default `Response`). */
  measure?: string;
  /** What the numbers under the maps and the curves are (default `Score`); the curves are its means. */
  score?: string;
}

const GAP = 9;
const CHART = { top: 26, height: 130, bottom: 44 } as const;

/**
 * From one class to another: images through filters made of blends of the two classes' embeddings, a column a blend, and below them, on the
 * same axis, the mean scores of many images.
 *
 * @throws {RangeError} If there is no example or no curve, or one has not a map and a score for every share.
 */
export function blendMaps(
  { from, to, shares, examples, curves }: BlendMaps,
  options: BlendMapsOptions = {},
): Figure {
  if (examples.length === 0 || curves.length === 0) {
    throw new RangeError("A figure of blends needs at least one image and one curve.");
  }
  const { colours = "viridis", measure = "Response", score = "Score" } = options;
  const rows = examples.map(({ maps }) => toRows(maps, shares.length));
  if (examples.some(({ scores }) => scores.length !== shares.length)) {
    throw new RangeError(`${shares.length} blends need as many scores for every image.`);
  }
  const domain = colourDomain(rows.flat(2), colours);
  const width = contentWidth(options);
  const size = Math.floor((width - shares.length * GAP) / (shares.length + 1));
  const step = size + 22;
  const left = (column: number) => (column + 1) * (size + GAP);
  const middle = (column: number) => left(column) + size / 2;
  const percent = (share: number) => `${formatNumber(100 * share, 0)} %`;
  const headings = shares.map((share, column) =>
    text(share === 0 ? from : share === 1 ? to : percent(share), middle(column), 11, {
      weight: share === 0 || share === 1 ? "bold" : "regular",
      fill: share === 0 || share === 1 ? undefined : MUTED,
      anchor: "middle",
    })
  ).join("");
  const tiles = examples.map(({ image, label, scores }, row) => {
    const side = Math.sqrt(rows[row][0].length);
    const tile = rows[row].map((map, column) =>
      mapElement(map, side, side, { x: left(column), y: 0, width: size, height: size }, { domain, colours }) +
      text(formatNumber(scores[column], 1), middle(column), size + 14, {
        size: FONT_SIZE.tick,
        fill: MUTED,
        anchor: "middle",
      })
    ).join("");
    const picture = imageElement(image, { x: 0, y: 0, width: size, height: size }) +
      text(label, size / 2, size + 14, { size: FONT_SIZE.tick, anchor: "middle" });
    return translate(0, 20 + row * step, picture + tile);
  }).join("");
  const below = 20 + examples.length * step + 12;
  const chart = scoreChart(curves, { to, score, width, first: middle(0), last: middle(shares.length - 1) });
  const bar = colourBar(left(0) - GAP, { colours, domain, label: measure });
  return composeFigure({
    markup: headings + tiles + translate(0, below, chart) + translate(0, below + CHART.top + 30, bar),
    height: below + CHART.top + CHART.height + CHART.bottom,
    description: `Response maps and scores of blends between ${from} and ${to}. ` +
      curves.map(({ name, value }) =>
        `Mean ${score.toLowerCase()} of ${name}: from ${formatNumber(value[0], 1)} to ${
          formatNumber(value.at(-1)!, 1)
        }`
      ).join("; ") + ".",
  }, options);
}

/** Curves whose axis runs from the first column's middle to the last one's. */
function scoreChart(
  curves: readonly BlendCurve[],
  { to, score, width, first, last }: {
    to: string;
    score: string;
    width: number;
    first: number;
    last: number;
  },
): string {
  const points = curves.flatMap(({ name, share, value, low, high }, index) =>
    share.map((at, point) => ({
      name,
      share: 100 * at,
      value: value[point],
      low: low?.[point],
      high: high?.[point],
      colour: categoryColour(index),
    }))
  );
  type Point = typeof points[number];
  const [least, most] = extent(
    points.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
  );
  const height = CHART.top + CHART.height + CHART.bottom;
  const panel = plotPanel({
    width,
    height,
    marginLeft: first,
    marginRight: width - last,
    marginTop: CHART.top,
    marginBottom: CHART.bottom,
    x: { domain: [0, 100], ticks: [0, 25, 50, 75, 100], tickSize: 4, label: null },
    y: { domain: [least, most], nice: true, ticks: 5, tickSize: 0, label: null },
    marks: [
      Plot.gridY({ stroke: FAINT, strokeOpacity: 1, ticks: 5 }),
      Plot.areaY(points.filter(({ low, high }) => low !== undefined && high !== undefined), {
        x: "share",
        y1: "low",
        y2: "high",
        z: "name",
        fill: (point: Point) => point.colour,
        fillOpacity: 0.18,
      }),
      Plot.lineY(points, {
        x: "share",
        y: "value",
        z: "name",
        stroke: (point: Point) => point.colour,
        strokeWidth: 2,
      }),
    ],
  });
  const zero = least < 0 && most > 0
    ? element("line", {
      x1: first,
      x2: last,
      y1: panel.y(0),
      y2: panel.y(0),
      stroke: MUTED,
      "stroke-width": 0.75,
    })
    : "";
  const entries = curves.map(({ name }, index) => ({ label: name, colour: categoryColour(index) }));
  return panel.markup + zero + text(`${score}, mean`, 0, 12, { fill: MUTED }) +
    keyRow(entries, first, 8) +
    text(`Share of ${to} in the embedding (%)`, (first + last) / 2, height - 6, {
      fill: MUTED,
      anchor: "middle",
    });
}
