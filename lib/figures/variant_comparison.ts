import { extent, formatNumber } from "../support/format.ts";
import type { MeanInterval } from "../support/statistics.ts";
import { composeFigure, contentWidth, type Figure, line, text, translate } from "./figure.ts";
import { intervalPanel, type IntervalRow, nameWidth } from "./interval_panel.ts";
import { categoryColour, FAINT, type FigureOptions, INK, NOTE } from "./style.ts";

/** Accuracies of an experiment over its seeds, 0–1. */
export interface Variant {
  /** Name of the row. */
  name: string;
  /** Grey line under the name, such as the number of parameters. */
  note?: string;
  /** One per seed. */
  accuracies: readonly number[];
  /** Mean accuracy with its 95 % interval. */
  mean: MeanInterval;
  /** Paired difference from the reference; none for the reference itself, or where no seed is common. */
  difference?: MeanInterval & { values: readonly number[] } | null;
}

/** Options of {@linkcode variantComparison}. */
export interface VariantComparisonOptions extends FigureOptions {
  /** Name of the variant that differences are taken from; none leaves them out. */
  reference?: string;
  /** Ends of the axis in per cent; a mean outside is written at the edge. @default all accuracies */
  domain?: [number, number];
}

const ROW = 46;

/**
 * Draws experiments side by side, best mean first: every seed a dot, the mean with its 95 % interval, and the
 * paired difference from a reference. An interval that crosses 0 shows no difference.
 *
 * @throws {RangeError} If there is no variant.
 */
export function variantComparison(
  variants: readonly Variant[],
  { reference, domain, ...options }: VariantComparisonOptions = {},
): Figure {
  if (variants.length === 0) throw new RangeError("A comparison needs at least one variant.");
  const sorted = variants.toSorted((a, b) => b.mean.mean - a.mean.mean);
  const hasDifferences = reference !== undefined && sorted.some(({ difference }) => difference);
  const rows = sorted.map(({ name, note, accuracies, mean }): IntervalRow => {
    const isReference = name === reference;
    return {
      name,
      note,
      colour: isReference ? categoryColour(0) : INK,
      item: toItem(accuracies, mean, categoryColour(isReference ? 0 : 6), `${caption(mean)} (n = ${mean.n})`),
    };
  });
  const differences = sorted.map(({ name, difference }): IntervalRow => ({
    name,
    item: difference
      ? toItem(
        difference.values,
        difference,
        categoryColour(excludesZero(difference) ? 1 : 6),
        (difference.mean > 0 ? "+" : "") + caption(difference),
      )
      : undefined,
  }));
  const width = contentWidth(options);
  const left = nameWidth(rows);
  const mainWidth = hasDifferences ? left + Math.round((width - left) * 0.58) : width;
  const main = intervalPanel(rows, { width: mainWidth, row: ROW, domain });
  const aside = hasDifferences
    ? intervalPanel(differences, {
      width: width - mainWidth - 16,
      row: ROW,
      names: 0,
      hasZero: true,
      domain: domain && differenceDomain(sorted, domain),
    })
    : undefined;
  const heading = (content: string, x: number) => text(content, x, 11, { weight: "bold" });
  const lines = rows.map((_, index) => {
    const y = main.top + index * ROW;
    return line([0, y], [width, y], FAINT);
  });
  const note =
    "Small dots: single seeds. Large dot and line: their mean with its 95 % interval (Student's t)." +
    (hasDifferences ? " Orange: it excludes 0." : "");
  return composeFigure({
    markup: heading("Test accuracy (%)", left) +
      (aside ? heading(`Difference from ${reference} (points)`, mainWidth + 24) : "") +
      translate(
        0,
        22,
        ...lines,
        main.markup,
        aside ? translate(mainWidth + 16, 0, aside.markup) : "",
        text(note, 0, main.height + 18, NOTE),
      ),
    height: main.height + 46,
    alt: `Test accuracy (%) of ${rows.length} variants: ` +
      sorted.map(({ name, mean }) => `${name} ${caption(mean)} (n = ${mean.n})`).join(", ") + ".",
  }, options);
}

function toItem(values: readonly number[], statistics: MeanInterval, colour: string, caption: string) {
  const { mean, interval: ends } = statistics;
  const interval = ends && [100 * ends[0], 100 * ends[1]] as const;
  return { value: 100 * mean, interval, points: values.map((value) => 100 * value), colour, caption };
}

/** Formats a mean in per cent with half the width of its interval: `80.3 ± 0.4`. */
function caption({ mean, interval }: MeanInterval): string {
  const half = interval ? ` ± ${formatNumber(50 * (interval[1] - interval[0]), 1)}` : "";
  return `${formatNumber(100 * mean, 1)}${half}`;
}

function excludesZero({ interval }: MeanInterval): boolean {
  return interval !== undefined && (interval[0] > 0 || interval[1] < 0);
}

/** Axis of the differences of the variants on the accuracies' axis: the others are off both. */
function differenceDomain(variants: readonly Variant[], [low, high]: [number, number]): [number, number] {
  const shown = variants.flatMap(({ difference }) =>
    difference && 100 * Math.abs(difference.mean) <= high - low
      ? [...difference.values, ...difference.interval ?? []]
      : []
  );
  const [least, most] = extent([0, ...shown.map((value) => 100 * value)]);
  const room = (most - least || 1) * 0.08;
  return [least - room, most + room];
}
