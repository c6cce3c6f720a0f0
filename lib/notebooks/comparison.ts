import { compareResults, type ComparisonRow, finalAccuracy } from "../experiments/comparison.ts";
import { REFERENCE } from "../experiments/experiments.ts";
import { formatRows } from "../experiments/markdown.ts";
import type { ExperimentResult } from "../experiments/results.ts";
import { formatCount, formatNumber, formatPercent } from "../figures/numbers.ts";
import { trainingCurves, type TrainingRun } from "../figures/training_curves.ts";
import { variantComparison, type VariantComparisonOptions } from "../figures/variant_comparison.ts";
import { displayFigure } from "./figures.ts";
import { displayMarkdown } from "./text.ts";

/**
 * Shows experiments as a table and as a figure: every seed a point, means with their 95 % intervals, paired differences from `dynamic`.
 * Nothing where there are no results; {@linkcode openResults} has said so.
 */
export async function displayComparison(
  results: readonly ExperimentResult[],
  options: VariantComparisonOptions = {},
): Promise<void> {
  if (results.length === 0) return;
  await displayMarkdown(formatRows(compareResults(results)));
  const hasReference = results.some(({ experiment }) => experiment === REFERENCE);
  const variants = results.map((result) => ({
    name: result.experiment,
    note: `${formatCount(result.trainableParameters)} trainable parameters`,
    runs: result.seeds.map((seed) => ({ seed: seed.seed, value: 100 * finalAccuracy(seed) })),
  }));
  await displayFigure(variantComparison(variants, {
    subtitle: `Final epoch. Data: ${nameData(results)}.`,
    ...hasReference && { reference: REFERENCE },
    ...options,
  }));
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
 * import { readResults } from "../experiments/results.ts";
 * import { concludeComparison } from "./comparison.ts";
 * for (const sentence of concludeComparison(readResults())) console.log(sentence);
 * ```
 */
export function concludeComparison(results: readonly ExperimentResult[]): string[] {
  return compareResults(results).filter(({ experiment }) => experiment !== REFERENCE).map(conclude);
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
