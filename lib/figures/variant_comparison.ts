import { extent } from "../support/format.ts";
import { formatInterval, formatSpread, type MeanInterval } from "../support/statistics.ts";
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
  /** Difference from the reference; none for the reference itself. */
  difference?: VariantDifference | null;
}

/** Difference of two mean accuracies. */
export interface VariantDifference {
  /** Of the variant minus the reference, −1 to 1. */
  mean: number;
  /** 95 % interval. */
  interval?: readonly [number, number];
  /** Differences of single seeds. */
  values: readonly number[];
  /** True if a test shows it. */
  isShown: boolean;
}

/** Options of {@linkcode variantComparison}. */
export interface VariantComparisonOptions extends FigureOptions {
  /** Name of the variant that differences are taken from; none leaves them out. */
  reference?: string;
  /** Ends of the axis in per cent; a mean outside is written at the edge. @default all accuracies */
  domain?: [number, number];
}

const ROW = 46;

const captionMean = (mean: MeanInterval) => `${formatSpread(mean, 1, 100)} (n = ${mean.n})`;

/**
 * Draws experiments side by side, best mean first: every seed a dot, the mean with its 95 % interval, and the
 * difference from a reference.
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
      item: toItem(accuracies, mean, categoryColour(isReference ? 0 : 6), captionMean(mean)),
    };
  });
  const differences = sorted.map(({ name, difference }): IntervalRow => ({
    name,
    item: difference
      ? toItem(
        difference.values,
        difference,
        categoryColour(difference.isShown ? 1 : 6),
        formatInterval(difference, 1, 100),
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
    "Small dots: single seeds. Lines: 95 % intervals of the means. Numbers: mean ± standard deviation." +
    (hasDifferences ? " Orange: a difference is shown." : "");
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
      sorted.map(({ name, mean }) => `${name} ${captionMean(mean)}`).join(", ") + ".",
  }, options);
}

function toItem(
  values: readonly number[],
  { mean, interval: ends }: Pick<VariantDifference, "mean" | "interval">,
  colour: string,
  caption: string,
) {
  const interval = ends && [100 * ends[0], 100 * ends[1]] as const;
  return { value: 100 * mean, interval, points: values.map((value) => 100 * value), colour, caption };
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
