import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { extent, formatNumber } from "../support/format.ts";
import { rangePanel, ROW } from "./range_panel.ts";
import { type MeanInterval, meanInterval } from "../support/statistics.ts";
import { categoryColour, FAINT, type FigureOptions, FONT_SIZE, INK, MUTED } from "./style.ts";
import { element, text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** One experiment: a result for each seed. */
export interface Variant {
  /** What the variant is called. */
  name: string;
  /** One result a seed, in the unit of the axis; results of one seed are compared in pairs. */
  runs: readonly { seed: number; value: number }[];
  /** A grey line under the name, such as the number of trainable parameters. */
  note?: string;
}

/** Options of {@linkcode variantComparison}. */
export interface VariantComparisonOptions extends FigureOptions {
  /** What is measured, with its unit (default `Test accuracy (%)`). */
  measure?: string;
  /** The name of the variant the others are compared with, in pairs by seed; adds the column of differences. */
  reference?: string;
  /** Ends of the axis (default: all results). Results outside are written at the edge, with an arrow. */
  domain?: [number, number];
  /** Decimals of the numbers written (default 1). */
  decimals?: number;
  /** Whether the variants are sorted by their mean, the greatest first (default true). */
  sorted?: boolean;
}

/**
 * Experiments side by side: every seed a point, the mean a line with its 95 % interval (Student's t), and the paired
 * difference from a reference beside it. An interval that crosses the line at zero supports no difference.
 *
 * @throws {RangeError} If there is no variant, or one without results.
 */
export function variantComparison(
  variants: readonly Variant[],
  options: VariantComparisonOptions = {},
): Figure {
  if (variants.length === 0) throw new RangeError("A comparison needs at least one variant.");
  const { measure = "Test accuracy (%)", decimals = 1, sorted = true } = options;
  const rows = variants.map((variant) => ({
    variant,
    statistics: meanInterval(variant.runs.map((run) => run.value)),
    difference: pairedDifference(variant, variants.find((other) => other.name === options.reference)),
  }));
  if (sorted) rows.sort((a, b) => b.statistics.mean - a.statistics.mean);
  const paired = rows.some((row) => row.difference);
  const width = contentWidth(options);
  const left = 12 + Math.max(
    ...variants.flatMap(({ name, note }) => [
      textWidth(name, FONT_SIZE.label, "bold"),
      textWidth(note ?? "", FONT_SIZE.small),
    ]),
  );
  const height = 26 + rows.length * ROW + 24;
  const plotWidth = width - left;
  const mainWidth = paired ? Math.round(plotWidth * 0.6) : plotWidth;
  const names = rows.map((row) => row.variant.name);
  const labels = rows.map(({ variant }, index) => {
    const y = 26 + (index + 0.5) * ROW;
    const emphasised = variant.name === options.reference;
    return text(variant.name, 0, variant.note ? y - 2 : y + 4, {
      weight: "bold",
      fill: emphasised ? categoryColour(0) : INK,
    }) +
      (variant.note ? text(variant.note, 0, y + 12, { size: FONT_SIZE.small, fill: MUTED }) : "");
  }).join("");
  const main = rangePanel({
    names,
    width: mainWidth,
    height,
    label: measure,
    domain: options.domain,
    rows: rows.map(({ variant, statistics }) => ({
      values: variant.runs.map((run) => run.value),
      statistics,
      colour: categoryColour(variant.name === options.reference ? 0 : 6),
      caption: caption(statistics, decimals, false),
    })),
  });
  const difference = paired
    ? rangePanel({
      names,
      width: plotWidth - mainWidth - 16,
      height,
      label: `Difference from ${options.reference}${measure.includes("%") ? " (points)" : ""}`,
      zero: true,
      domain: options.domain && differenceDomain(rows.map((row) => row.difference), options.domain),
      rows: rows.map(({ difference }) =>
        difference && {
          values: difference.values,
          statistics: difference.statistics,
          colour: categoryColour(excludesZero(difference.statistics) ? 1 : 6),
          caption: caption(difference.statistics, decimals, true),
        }
      ),
    })
    : "";
  const lines = rows.map((_, index) =>
    element("line", { x1: 0, x2: width, y1: 26 + index * ROW, y2: 26 + index * ROW, stroke: FAINT })
  ).join("");
  return composeFigure({
    markup: lines + labels + translate(left, 0, main) +
      (paired ? translate(left + mainWidth + 16, 0, difference) : "") +
      text(footnote(paired), 0, height + 20, { size: FONT_SIZE.tick, fill: MUTED }),
    height: height + 24,
    description: `${measure} of ${rows.length} variants: ` +
      rows.map((row) => `${row.variant.name} ${caption(row.statistics, decimals, false)}`).join(", ") + ".",
  }, options);
}

function caption(statistics: MeanInterval, decimals: number, signed: boolean): string {
  const { mean, interval, n } = statistics;
  const sign = signed && mean > 0 ? "+" : "";
  const half = interval ? ` ± ${formatNumber((interval[1] - interval[0]) / 2, decimals)}` : "";
  return `${sign}${formatNumber(mean, decimals)}${half}${signed ? "" : ` (n = ${n})`}`;
}

function pairedDifference(
  variant: Variant,
  reference?: Variant,
): { values: number[]; statistics: MeanInterval } | undefined {
  if (!reference || variant === reference) return undefined;
  const bySeed = new Map(reference.runs.map((run) => [run.seed, run.value]));
  const values = variant.runs.filter((run) => bySeed.has(run.seed)).map((run) =>
    run.value - bySeed.get(run.seed)!
  );
  return values.length > 0 ? { values, statistics: meanInterval(values) } : undefined;
}

function footnote(paired: boolean): string {
  return "Dots: single seeds. Bar: their mean with its 95 % interval (Student's t)." +
    (paired ? " Orange: the interval of the difference excludes zero." : "");
}

function excludesZero({ interval }: MeanInterval): boolean {
  return interval !== undefined && (interval[0] > 0 || interval[1] < 0);
}

/** Differences get an axis as wide as the results' own, so that what is off one axis is off the other. */
function differenceDomain(
  differences: readonly ({ values: number[]; statistics: MeanInterval } | undefined)[],
  [low, high]: readonly [number, number],
): [number, number] {
  const shown = differences.flatMap((difference) =>
    difference && Math.abs(difference.statistics.mean) <= high - low
      ? [...difference.values, ...(difference.statistics.interval ?? [])]
      : []
  );
  const [least, most] = extent([0, ...shown]);
  const room = (most - least || 1) * 0.08;
  return [least - room, most + room];
}
