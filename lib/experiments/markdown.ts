import { markdownTable } from "markdown-table";
import { escapeMarkdown, formatCount, formatNumber, formatSigned } from "../support/format.ts";
import type { MeanInterval } from "../support/statistics.ts";
import { optionOf, showOption } from "../training/config.ts";
import { compareResults, type ComparisonRow, type Difference } from "./comparison.ts";
import { REFERENCE } from "./experiments.ts";
import { formatMachine } from "./provenance.ts";
import type { ExperimentResult, Recipe } from "./results.ts";
import type { SettingDifference, Staleness } from "./staleness.ts";

/**
 * Formats a comparison as Markdown: a table, then data, recipe, seeds, machine and notes on reading it.
 *
 * @param results Of one recipe.
 */
export function formatComparison(results: readonly ExperimentResult[]): string {
  return [formatRows(compareResults(results)), "", ...formatCircumstances(results)].join("\n") + "\n";
}

/** Formats the table alone. */
export function formatRows(rows: readonly ComparisonRow[]): string {
  return markdownTable([
    [
      "experiment",
      "difference",
      "trainable parameters",
      "final test accuracy (%)",
      "best epoch (%)",
      `difference from ${REFERENCE} (points)`,
      "seconds per epoch",
    ],
    ...rows.map((row) => [
      escapeMarkdown(row.experiment),
      escapeMarkdown(row.change),
      formatCount(row.trainableParameters),
      formatMean(row.final),
      formatMean(row.best),
      row.experiment === REFERENCE ? "reference" : formatDifference(row.difference),
      row.secondsPerEpoch.toFixed(row.secondsPerEpoch < 10 ? 1 : 0),
    ]),
  ]);
}

/** Formats a mean accuracy in per cent: `80.31 ± 0.21 (n = 3)`. */
export function formatMean({ mean, deviation, n }: MeanInterval): string {
  const spread = n > 1 ? ` ± ${percent(deviation)}` : "";
  return `${percent(mean)}${spread} (n = ${n})`;
}

/** Formats a difference in points: `−1.20 [−1.90, −0.50]`, `+0.20 [−0.40, +0.80]: no difference shown`. */
export function formatDifference(difference: Difference | null): string {
  if (difference === null) return "no seed in common";
  const points = formatPoints(difference);
  if (difference.interval === undefined) return `${points} (one seed: no interval)`;
  return difference.shown === "none" ? `${points}: no difference shown` : points;
}

/**
 * Formats a difference of accuracies in points, with its interval where there is one: `−1.20 [−1.90, −0.50]`.
 */
export function formatPoints(difference: MeanInterval): string {
  return formatInterval(difference, 2, 100);
}

/** Lists data, weights, recipe, seeds and machines, and how to read the numbers, as Markdown list items. */
export function formatCircumstances(results: readonly ExperimentResult[]): string[] {
  const sessions = results.flatMap(({ seeds }) => seeds.flatMap((seed) => seed.sessions));
  const unique = (values: string[]) => [...new Set(values)].join("; ");
  const plain = (values: string[]) => escapeMarkdown(unique(values));
  const days = sessions.map(({ date }) => date.slice(0, 10)).sort();
  const machines = plain(
    sessions.map(({ machine, device, threads, jobs, tensorflow }) =>
      `${formatMachine(machine)}; TensorFlow ${tensorflow} on the ${device.toUpperCase()}, ${
        jobs === 1 ? "one run at a time" : `${jobs} runs at once`
      }, ${threads} ${threads === 1 ? "thread" : "threads"} each`
    ),
  );
  return [
    `- Data: ${plain(results.map(({ data }) => `${data.name} (fingerprint ${data.fingerprint})`))}. ` +
    `Initial weights of the backbone: ${plain(results.map(({ weights }) => weights))}.`,
    `- Recipe: ${unique(results.map(({ recipe }) => formatRecipe(recipe)))}.`,
    `- Seeds: ${unique(results.map(({ seeds }) => seeds.map(({ seed }) => seed).join(", ")))}.`,
    ...(sessions.length === 0 ? [] : [
      `- Trained ${days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`} on ${machines}.`,
    ]),
    "- ± is the standard deviation over seeds. A difference is the mean over pairs of the same seed, final epochs, with its 95 % " +
    "interval (Student's t), not corrected for the number of comparisons. Where it contains 0, no difference is shown.",
    "- The best epoch was chosen on the test set, so that column is optimistic; the final one was not chosen.",
  ];
}

/**
 * Formats the recipe as settings, without experiment and compute settings and options that are off.
 */
function formatRecipe(recipe: Recipe): string {
  const hidden = ["variant", "backbone", "adapter", "classLoop", "validation", "compile", "winograd"];
  return Object.entries(recipe).flatMap(([name, value]) => {
    const key = name as keyof Recipe;
    const isOff = value === null || (value === false && optionOf(key)?.default !== true);
    return hidden.includes(name) || isOff ? [] : [`\`${showOption(key, value)}\``];
  }).join(" ");
}

/** Formats a finding about results as a sentence. */
export function formatStaleness(finding: Staleness): string {
  const names = new Intl.ListFormat("en-GB").format(finding.experiments);
  switch (finding.kind) {
    case "missing":
      return `There are no results of ${names}.`;
    case "unknown":
      return `The results have experiments that no longer exist: ${names}.`;
    case "edited":
      return `The results of ${names} were edited by hand: their recipe does not match its hash.`;
    case "recipe":
      return `The results of ${names} were obtained with ${
        finding.differences.map(formatSetting).join(", ")
      }.`;
    case "mixture":
      return `The results of ${names} cannot be compared with those of ${finding.reference}: other ${
        finding.differences.join(", ")
      }.`;
  }
}

function formatSetting({ setting, recorded, today }: SettingDifference): string {
  const show = (value: unknown) => value === undefined ? "nothing" : showOption(setting, value);
  return `${show(recorded)} (default: ${show(today)})`;
}

/** Formats a mean and its standard deviation: `0.349 ± 0.012`. */
export function formatSpread({ mean, deviation, n }: MeanInterval, decimals: number, scale = 1): string {
  const spread = n > 1 ? ` ± ${formatNumber(scale * deviation, decimals)}` : "";
  return formatNumber(scale * mean, decimals) + spread;
}

/** Formats a difference with its interval: `−0.012 [−0.020, −0.004]`. */
export function formatInterval({ mean, interval }: MeanInterval, decimals: number, scale = 1): string {
  const [middle, ...ends] = [mean, ...interval ?? []].map((value) => formatSigned(scale * value, decimals));
  return middle + (ends.length > 0 ? ` [${ends.join(", ")}]` : "");
}

function percent(fraction: number): string {
  return formatNumber(100 * fraction, 2);
}
