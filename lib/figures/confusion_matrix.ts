import { colourBar } from "./colour_bar.ts";
import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { heatMapPanel } from "./heat_map.ts";
import { formatCount, formatNumber, formatPercent, type Matrix, toRows } from "../support/format.ts";
import { type FigureOptions, FONT_SIZE, INK, MUTED } from "./style.ts";
import { element, text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** Options of {@linkcode confusionMatrix}. */
export interface ConfusionMatrixOptions extends FigureOptions {
  /** Names of the classes. */
  names: readonly string[];
}

/**
 * What the network took for what, in per cent of each true class: a row adds up to 100. The colours follow the square root,
 * so that confusions of a few per cent can be seen beside the diagonal's eighty; less than half a per cent is left blank.
 *
 * @param counts Images by true class (row), then predicted class (column), `[K,K]`.
 * @throws {RangeError} If there is not a row and a column for each name.
 */
export function confusionMatrix(counts: Matrix, options: ConfusionMatrixOptions): Figure {
  const { names } = options;
  const rows = toRows(counts, names.length);
  if (rows[0].length !== names.length) {
    throw new RangeError(
      `A confusion matrix of ${names.length} classes cannot have ${rows[0].length} columns.`,
    );
  }
  const totals = rows.map((row) => row.reduce((sum, count) => sum + count, 0));
  const shares = rows.map((row, index) =>
    row.map((count) => totals[index] > 0 ? 100 * count / totals[index] : 0)
  );
  const width = contentWidth(options);
  const axis = 22;
  const labels = 8 + Math.max(...names.map((name) => textWidth(name, FONT_SIZE.tick)));
  const cell = { width: Math.min(62, (width - axis - labels) / names.length), height: 34 };
  const map = heatMapPanel({
    values: shares,
    rowNames: names,
    columnNames: names,
    cell,
    colours: "blues",
    domain: [0, 10],
    transform: Math.sqrt,
    format: (value) => value < 0.5 ? "" : formatNumber(value, value < 9.95 ? 1 : 0),
  });
  const left = axis + map.left;
  const middle = map.top + names.length * cell.height / 2;
  const diagonal = names.map((_, index) =>
    element("rect", {
      x: map.left + index * cell.width,
      y: map.top + index * cell.height,
      width: cell.width,
      height: cell.height,
      fill: "none",
      stroke: INK,
      "stroke-width": 1,
    })
  ).join("");
  const bar = colourBar(220, {
    colours: "blues",
    domain: [0, 100],
    label: "Share of the true class (%)",
    ticks: [0, 1, 5, 20, 50, 100],
    position: (value) => Math.sqrt(value / 100),
  });
  const bottom = 20 + map.height;
  const total = totals.reduce((sum, count) => sum + count, 0);
  const right = rows.reduce((sum, row, index) => sum + row[index], 0);
  return composeFigure({
    markup: text("Predicted class", left, 11, { weight: "bold" }) +
      text("True class", 11, 20 + middle, { weight: "bold", anchor: "middle", rotate: -90 }) +
      translate(axis, 20, map.markup, diagonal) + translate(left, bottom + 14, bar) +
      text(
        `${formatCount(right)} of ${formatCount(total)} correct: ${
          formatPercent(total > 0 ? right / total : 0)
        }`,
        left + names.length * cell.width,
        bottom + 38,
        { fill: MUTED, anchor: "end" },
      ),
    height: bottom + 54,
    description: `Confusion matrix of ${names.length} classes; correct: ` +
      names.map((name, index) => `${name} ${formatNumber(shares[index][index], 1)} %`).join(", ") + ".",
  }, options);
}
