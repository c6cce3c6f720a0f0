import { compareResults, type ComparisonRow, finalAccuracy } from "../../lib/experiments/comparison.ts";
import { REFERENCE } from "../../lib/experiments/experiments.ts";
import { formatRows } from "../../lib/experiments/markdown.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatCount, formatNumber, formatPercent } from "../../lib/support/format.ts";
import { trainingCurves, type TrainingRun } from "../../lib/figures/training_curves.ts";
import { variantComparison, type VariantComparisonOptions } from "../../lib/figures/variant_comparison.ts";
import { displayFigure } from "./figures.ts";
import { displayMarkdown } from "./text.ts";

/** Options of {@linkcode displayComparison}. */
export interface DisplayComparisonOptions extends VariantComparisonOptions {
  /** Experiments so far from the others that they would squeeze them together: they are written at the axis' edge. */
  outside?: readonly string[];
}

/**
 * Shows experiments as a table and as a figure: every seed a point, means with their 95 % intervals, paired differences from `dynamic`.
 * Nothing where there are no results; {@linkcode openResults} has said so.
 */
export async function displayComparison(
  results: readonly ExperimentResult[],
  options: DisplayComparisonOptions = {},
): Promise<void> {
  if (results.length === 0) return;
  const { outside = [], ...rest } = options;
  const rows = compareResults(results);
  await displayMarkdown(formatRows(rows), { kind: "table", rows: rows.length, columns: 7 });
  const hasReference = results.some(({ experiment }) => experiment === REFERENCE);
  const inside = results.filter(({ experiment }) => !outside.includes(experiment));
  const variants = results.map((result) => ({
    name: result.experiment,
    note: `${formatCount(result.trainableParameters)} trainable parameters`,
    runs: result.seeds.map((seed) => ({ seed: seed.seed, value: 100 * finalAccuracy(seed) })),
  }));
  await displayFigure(variantComparison(variants, {
    subtitle: `Final epoch. Data: ${nameData(results)}.`,
    ...hasReference && { reference: REFERENCE },
    ...inside.length > 0 && inside.length < results.length && { domain: spanOf(inside) },
    ...rest,
  }));
}

/** Ends of an axis, in per cent, on which all seeds and intervals have room. */
function spanOf(results: readonly ExperimentResult[]): [number, number] {
  const ends = compareResults(results).flatMap(({ final }) => final.interval ?? [final.mean]);
  const seeds = results.flatMap(({ seeds }) => seeds.map(finalAccuracy));
  const [low, high] = [Math.min(...ends, ...seeds), Math.max(...ends, ...seeds)];
  return [Math.floor(100 * low - 1), Math.min(100, Math.ceil(100 * high + 1))];
}

/** Shows the training curves of experiments, a line a seed. Nothing where there are no results. */
export async function displayCurves(results: readonly ExperimentResult[], title: string): Promise<void> {
  if (results.length === 0) return;
  const runs: TrainingRun[] = results.flatMap(({ experiment, seeds }) =>
    seeds.map(({ history }) => ({ name: experiment, history }))
  );
  const seeds = [...new Set(results.map((result) => result.seeds.length))].join(" or ");
  await displayFigure(trainingCurves(runs, {
    title,
    subtitle: `${seeds} seeds each, a line a seed. Data: ${nameData(results)}.`,
  }));
}

/** What the images were, as the results have it. */
export function nameData(results: readonly ExperimentResult[]): string {
  return [...new Set(results.map(({ data }) => data.name))].join("; ");
}

/**
 * What the paired intervals support, a sentence an experiment: higher, lower, or no difference shown, with the numbers.
 *
 * @example
 * ```ts
 * import { readResults } from "../../lib/experiments/results.ts";
 * import { concludeComparison } from "./comparison.ts";
 * for (const sentence of concludeComparison(readResults())) console.log(sentence);
 * ```
 */
export function concludeComparison(results: readonly ExperimentResult[]): string[] {
  return compareResults(results).filter(({ experiment }) => experiment !== REFERENCE).map(conclude);
}

/** What a comparison does not show, a sentence each, with the numbers of this one. */
export function listLimits(results: readonly ExperimentResult[]): string[] {
  const rows = compareResults(results);
  const undecided = rows.filter(({ difference }) => difference?.shown === "none");
  const seeds = [...new Set(results.map(({ seeds }) => seeds.length))].join(" or ");
  return [
    ...undecided.map(({ experiment, difference }) =>
      `**"No difference is shown" is not "there is none".** With ${
        difference!.n
      } pairs the interval of \`${experiment}\` is ${
        formatNumber(100 * (difference!.interval![1] - difference!.interval![0]), 1)
      } points wide: a true difference anywhere in it fits what was measured.`
    ),
    "**The intervals are not widened for their number.** Each stands for itself; of many such intervals, one in twenty leaves out zero by chance.",
    `**One data set and one recipe**${
      results.length === 0 ? "" : `, ${nameData(results)}`
    }. The recipe was not tuned for each network; another learning rate might order them otherwise.`,
    "**The networks do not have the same number of parameters.** A difference in favour of the larger one could be owed to its size.",
    `**Seeds vary the start and the order of the images, not the images${
      seeds === "" ? "" : ` (${seeds} seeds)`
    }.** The intervals speak of repeating the training on this data, not of other data.`,
  ];
}

function conclude({ experiment, final, difference }: ComparisonRow): string {
  const name = `\`${experiment}\``;
  const reached = `${name} ends at ${formatPercent(final.mean)} (n = ${final.n})`;
  if (difference === null) return `${reached}; no seed of it can be paired with \`${REFERENCE}\`.`;
  const { mean, interval, shown, n } = difference;
  const points = `${formatNumber(Math.abs(100 * mean), 2)} points`;
  if (interval === undefined) {
    return `${reached}, ${points} ${
      mean < 0 ? "below" : "above"
    } \`${REFERENCE}\` in one pair: no interval, so nothing is claimed.`;
  }
  const range = `[${interval.map((end) => formatSigned(100 * end)).join(", ")}]`;
  if (shown === "none") {
    return `${reached}. **No difference from \`${REFERENCE}\` is shown**: ${
      formatSigned(100 * mean)
    } points, 95 % interval ${range}, ` +
      `${n} pairs. A true difference anywhere in that interval would fit.`;
  }
  return `${reached}, **${points} ${shown} than \`${REFERENCE}\`**, 95 % interval ${range}, ${n} pairs.`;
}

function formatSigned(value: number): string {
  return (value > 0 ? "+" : "") + formatNumber(value, 2);
}
