import { colourBar } from "./colour_bar.ts";
import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { heatMapPanel } from "./heat_map.ts";
import { formatNumber, type Matrix, toRows } from "../support/format.ts";
import { type FigureOptions, FONT_SIZE } from "./style.ts";
import { text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** Vectors to compare with one another, such as the classes' filters. */
export interface VectorSet {
  /** What they are. */
  title: string;
  /** A row a class, `[K,D]`. */
  vectors: Matrix;
}

/** Options of {@linkcode similarity}. */
export interface SimilarityOptions extends FigureOptions {
  /** Names of the classes, in the order of the rows. */
  names: readonly string[];
}

/**
 * Cosine similarity of every two classes, a matrix for each set of vectors (the filters and the embeddings, say), side by
 * side on one scale from −1 (blue) over 0 to 1 (orange).
 *
 * @throws {RangeError} If there is no set, or one does not have a row for each name.
 */
export function similarity(sets: readonly VectorSet[], options: SimilarityOptions): Figure {
  if (sets.length === 0) throw new RangeError("A similarity matrix needs at least one set of vectors.");
  const { names } = options;
  const width = contentWidth(options);
  const between = 30;
  const labels = 8 + Math.max(...names.map((name) => textWidth(name, FONT_SIZE.tick)));
  // names turned by 45° reach past the last column
  const right = Math.max(0, (labels - 8) * 0.71 - 12);
  const size = Math.min(
    46,
    (width - labels - right - (sets.length - 1) * between) / (names.length * sets.length),
  );
  let at = 0;
  let height = 0;
  const matrices = sets.map((set, index) => {
    const panel = heatMapPanel({
      values: cosineSimilarity(toRows(set.vectors, names.length)),
      rowNames: names,
      columnNames: names,
      cell: { width: size, height: size },
      colours: "diverging",
      domain: [-1, 1],
      format: formatCosine,
      showRowNames: index === 0,
    });
    const markup = translate(at, 22, panel.markup) + text(set.title, at + panel.left, 12, { weight: "bold" });
    at += panel.left + names.length * size + between;
    height = 22 + panel.height;
    return markup;
  }).join("");
  const bar = colourBar(240, {
    colours: "diverging",
    domain: [-1, 1],
    label: "Cosine similarity",
    ticks: [-1, -0.5, 0, 0.5, 1],
  });
  return composeFigure({
    markup: matrices + translate(labels, height + 14, bar),
    height: height + 14 + 40,
    description: `Cosine similarity of ${names.length} classes: ${sets.map((set) => set.title).join(", ")}.`,
  }, options);
}

/**
 * The cosine of the angle between every two rows, `[K,D]` → `[K,K]`; 0 where a row is all zeros.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(cosineSimilarity([[2, 0], [0, 3]]), [[1, 0], [0, 1]]);
 * ```
 */
export function cosineSimilarity(rows: readonly (readonly number[])[]): number[][] {
  const lengths = rows.map((row) => Math.hypot(...row));
  return rows.map((a, i) =>
    rows.map((b, j) => {
      if (i === j) return lengths[i] > 0 ? 1 : 0;
      const product = a.reduce((sum, value, index) => sum + value * b[index], 0);
      return lengths[i] > 0 && lengths[j] > 0 ? product / (lengths[i] * lengths[j]) : 0;
    })
  );
}

/** `.32`, `−.05`, `1`: what fits a small cell. */
function formatCosine(value: number): string {
  return formatNumber(value, 2).replace(/^(−?)0\./, "$1.").replace(/^(−?1)\.00$/, "$1").replace(
    /^\.00$/,
    "0",
  );
}
