import { type Matrix, toRows } from "../support/arrays.ts";
import { formatCount, formatNumber, formatPercent } from "../support/format.ts";
import { argMax } from "../support/statistics.ts";
import { colourDomain, type ColourMap, colourOf, readableOn } from "./colours.ts";
import { composeFigure, contentWidth, element, type Figure, frame, text, translate } from "./figure.ts";
import { widestOf } from "./fonts.ts";
import { colourBar } from "./raster.ts";
import { type FigureOptions, FONT_SIZE, INK, MUTED } from "./style.ts";

/** Options of the heat maps. */
export interface HeatMapOptions extends FigureOptions {
  /** Names of the classes, in the order of the rows. */
  names: readonly string[];
}

/**
 * Draws a confusion matrix in per cent of each true class (rows add up to 100). Colours follow the square
 * root, so that small confusions are seen beside the diagonal; cells below 0.5 % are left blank.
 *
 * @param counts Images by true class (row) and predicted class (column), `[K,K]`.
 * @throws {RangeError} If there is not a row and a column for each name.
 */
export function confusionMatrix(counts: Matrix, options: HeatMapOptions): Figure {
  const { names } = options;
  const rows = toRows(counts, names.length);
  if (rows[0].length !== names.length) {
    throw new RangeError(
      `A confusion matrix of ${names.length} classes cannot have ${rows[0].length} columns.`,
    );
  }
  const totals = rows.map((row) => row.reduce((sum, count) => sum + count, 0));
  const percentages = rows.map((row, label) =>
    row.map((count) => totals[label] > 0 ? 100 * count / totals[label] : 0)
  );
  const axis = 22;
  const room = contentWidth(options) - axis - rowNameWidth(names);
  const cell = { width: Math.min(62, room / names.length), height: 34 };
  const map = heatMapPanel({
    values: percentages,
    rowNames: names,
    columnNames: names,
    cell,
    colours: "blues",
    domain: [0, 10],
    transform: Math.sqrt,
    format: (value) => value < 0.5 ? "" : formatNumber(value, value < 9.95 ? 1 : 0),
  });
  const left = axis + map.left;
  const middle = 20 + map.top + names.length * cell.height / 2;
  const diagonal = names.map((_, index) =>
    frame({ x: map.left + index * cell.width, y: map.top + index * cell.height, ...cell }, INK, 1)
  );
  const bar = colourBar(200, {
    colours: "blues",
    domain: [0, 100],
    label: "Images of the true class (%)",
    ticks: [0, 1, 5, 20, 50, 100],
    position: (value) => Math.sqrt(value / 100),
  });
  const bottom = 20 + map.height;
  const total = totals.reduce((sum, count) => sum + count, 0);
  const correct = rows.reduce((sum, row, index) => sum + row[index], 0);
  const verdict = `${formatCount(correct)} of ${formatCount(total)} correct: ${
    formatPercent(total > 0 ? correct / total : 0)
  }`;
  return composeFigure({
    markup: text("Predicted class", left, 11, { weight: "bold" }) +
      text("True class", 11, middle, { weight: "bold", anchor: "middle", rotate: -90 }) +
      translate(axis, 20, map.markup, ...diagonal) + translate(left, bottom + 14, bar) +
      text(verdict, left, bottom + 76, { fill: MUTED }),
    height: bottom + 80,
    alt: `Confusion matrix of ${names.length} classes; correct: ` +
      names.map((name, index) => `${name} ${formatNumber(percentages[index][index], 1)} %`).join(", ") + ".",
  }, options);
}

/** Similarities of the classes by one kind of vector, such as their filters. */
export interface SimilarityMatrix {
  /** Heading above the matrix. */
  title: string;
  /** Cosine similarities, `[K,K]`. */
  values: Matrix;
}

/**
 * Draws matrices of cosine similarities side by side, from −1 (blue) over 0 to 1 (orange).
 *
 * @throws {RangeError} If there is no matrix, or one does not have a row for each name.
 */
export function similarity(matrices: readonly SimilarityMatrix[], options: HeatMapOptions): Figure {
  if (matrices.length === 0) throw new RangeError("A similarity figure needs at least one matrix.");
  const { names } = options;
  const between = 30;
  const labels = rowNameWidth(names);
  // names turned by 45° reach past the last column
  const right = Math.max(0, (labels - 8) * 0.71 - 12);
  const room = contentWidth(options) - labels - right - (matrices.length - 1) * between;
  const size = Math.min(46, room / (names.length * matrices.length));
  let at = 0;
  let height = 0;
  const markup = matrices.map(({ title, values }, index) => {
    const panel = heatMapPanel({
      values: toRows(values, names.length),
      rowNames: index === 0 ? names : undefined,
      columnNames: names,
      cell: { width: size, height: size },
      colours: "diverging",
      domain: [-1, 1],
      format: formatCosine,
    });
    const drawn = translate(at, 22, panel.markup) + text(title, at + panel.left, 12, { weight: "bold" });
    at += panel.left + names.length * size + between;
    height = 22 + panel.height;
    return drawn;
  });
  const bar = colourBar(Math.min(240, room), {
    colours: "diverging",
    domain: [-1, 1],
    label: "Cosine similarity",
    ticks: [-1, -0.5, 0, 0.5, 1],
  });
  return composeFigure({
    markup: markup.join("") + translate(labels, height + 14, bar),
    height: height + 14 + 40,
    alt: `Cosine similarity of ${names.length} classes: ${matrices.map(({ title }) => title).join(", ")}.`,
  }, options);
}

/** Formats a cosine for a small cell: `.32`, `−.05`, `1`. */
function formatCosine(value: number): string {
  const rounded = formatNumber(value, 2);
  if (Number(value.toFixed(2)) === 0) return "0";
  return rounded.endsWith("1.00") ? rounded.slice(0, -3) : rounded.replace("0.", ".");
}

/**
 * Draws normalised filters as a heat map: one row per class, one column per channel of the feature map.
 * Channels are grouped by the class that weighs them most.
 *
 * @param filters `[K,C]`.
 * @throws {RangeError} If the filters do not have a row for each name.
 */
export function filtersHeatMap(filters: Matrix, options: HeatMapOptions): Figure {
  const { names } = options;
  const rows = toRows(filters, names.length);
  const channels = rows[0].map((_, channel) => channel);
  const peak = channels.map((channel) => argMax(rows.map((row) => row[channel])));
  channels.sort((a, b) => peak[a] - peak[b] || rows[peak[b]][b] - rows[peak[a]][a]);
  const domain = colourDomain(rows.flat(), "diverging");
  const width = contentWidth(options);
  const left = rowNameWidth(names);
  const cell = { width: (width - left) / channels.length, height: 22 };
  const map = heatMapPanel({
    values: rows.map((row) => channels.map((channel) => row[channel])),
    rowNames: names,
    cell,
    colours: "diverging",
    domain,
  });
  const bottom = rows.length * cell.height;
  const axis = "Channels of the feature map v, grouped by the class that weighs them most";
  const bar = colourBar(200, { colours: "diverging", domain, label: "Weight (each filter has length 1)" });
  return composeFigure({
    markup: map.markup + text(axis, left, bottom + 20, { fill: MUTED }) +
      translate(left, bottom + 34, bar),
    height: bottom + 74,
    alt: `Heat map of ${rows.length} filters of ${channels.length} weights each, between ${
      formatNumber(domain[0], 2)
    } and ${formatNumber(domain[1], 2)}.`,
  }, options);
}

/** A table of coloured cells. */
interface HeatMapCells {
  /** By row, then column. */
  values: readonly (readonly number[])[];
  rowNames?: readonly string[];
  columnNames?: readonly string[];
  /** Size of a cell in pixels. */
  cell: { width: number; height: number };
  colours: ColourMap;
  domain: readonly [number, number];
  /** Scale on which the colours run evenly, such as the square root. */
  transform?: (value: number) => number;
  /** Text of a cell; none where it is empty. */
  format?: (value: number) => string;
}

/** Pixels left of the cells. */
function rowNameWidth(names: readonly string[]): number {
  return 8 + widestOf(names, FONT_SIZE.tick);
}

/** Draws coloured cells with names to the left and above, the latter rotated if wider than a cell. */
function heatMapPanel(
  { values, rowNames, columnNames, cell, colours, domain, transform, format }: HeatMapCells,
) {
  const left = rowNames ? rowNameWidth(rowNames) : 0;
  const widest = widestOf(columnNames ?? [], FONT_SIZE.tick);
  const turned = widest > cell.width - 4;
  const top = columnNames ? (turned ? widest * 0.71 + 16 : 18) : 0;
  const gap = Math.min(1, cell.width / 8);
  const size = FONT_SIZE.tick;
  const middle = (place: number, length: number) => (place + 0.5) * length;
  const cells = values.flatMap((row, y) =>
    row.map((value, x) => {
      const fill = colourOf(transform ? transform(value) : value, domain, colours);
      const label = format?.(value) ?? "";
      return element("rect", {
        x: left + x * cell.width + gap / 2,
        y: top + y * cell.height + gap / 2,
        width: cell.width - gap,
        height: cell.height - gap,
        fill,
      }) +
        (label === ""
          ? ""
          : text(label, left + middle(x, cell.width), top + middle(y, cell.height) + 0.36 * size, {
            size,
            fill: readableOn(fill),
            anchor: "middle",
          }));
    })
  );
  const rowLabels = (rowNames ?? []).map((name, y) =>
    text(name, left - 6, top + middle(y, cell.height) + 4, { size: FONT_SIZE.tick, anchor: "end" })
  );
  const columnLabels = (columnNames ?? []).map((name, x) => {
    const at = left + middle(x, cell.width);
    return turned
      ? text(name, at + 3, top - 5, { size: FONT_SIZE.tick, rotate: -45 })
      : text(name, at, top - 6, { size: FONT_SIZE.tick, anchor: "middle" });
  });
  const markup = [...cells, ...rowLabels, ...columnLabels].join("");
  return { markup, left, top, height: top + values.length * cell.height };
}
