import { markdownTable } from "markdown-table";
import { escapeMarkdown, formatCount, formatNumber, formatThreads } from "../support/format.ts";
import { formatInterval, formatSpread, type MeanInterval } from "../support/statistics.ts";
import { optionOf, showOption } from "../training/config.ts";
import { compareResults, type ComparisonRow, type Difference, EQUIVALENCE_MARGIN } from "./comparison.ts";
import { REFERENCE } from "./experiments.ts";
import { formatMachine } from "./provenance.ts";
import type { ExperimentResult, Recipe } from "./results.ts";
import type { SettingDifference, Staleness } from "./staleness.ts";

/**
 * Formats a comparison as Markdown: a table, its tests, then data, recipe, seeds, machine and notes on
 * reading it.
 *
 * @param results Of one recipe.
 */
export function formatComparison(results: readonly ExperimentResult[]): string {
  const rows = compareResults(results);
  return [formatRows(rows), "", ...formatTests(rows), ...formatCircumstances(results)].join("\n") + "\n";
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
    ],
    ...rows.map((row) => [
      escapeMarkdown(row.experiment),
      escapeMarkdown(row.change),
      formatCount(row.trainableParameters),
      formatMean(row.final),
      formatMean(row.best),
      row.experiment === REFERENCE ? "reference" : formatDifference(row.difference),
    ]),
  ]);
}

/** Formats p-values, and the same differences in pairs of one seed; none for single seeds. */
function formatTests(rows: readonly ComparisonRow[]): string[] {
  const tested = rows.flatMap(({ experiment, difference }) =>
    difference?.interval === undefined ? [] : [{ experiment, ...difference }]
  );
  if (tested.length === 0) return [];
  const table = markdownTable([
    [
      `minus ${REFERENCE}`,
      "points, Welch's t",
      "p of no difference",
      `p of ${MARGIN} points or more`,
      "points, paired by seed",
      "correlation over the seeds",
    ],
    ...tested.map(({ experiment, p, equivalenceP, paired, ...welch }) => [
      escapeMarkdown(experiment),
      formatPoints(welch),
      formatP(p!),
      formatP(equivalenceP!),
      paired === null ? "no seed in common" : `${formatPoints(paired)} (n = ${paired.n})`,
      typeof paired?.correlation === "number" ? formatNumber(paired.correlation, 2) : "–",
    ]),
  ]);
  const note =
    "The same differences, tested, and beside them in pairs of one seed: pairing narrows an interval only " +
    "where the two rise and fall together over the seeds.";
  return [note, "", table, ""];
}

/** Formats a mean accuracy in per cent: `80.31 ± 0.21 (n = 3)`. */
export function formatMean(mean: MeanInterval): string {
  return `${formatSpread(mean, 2, 100)} (n = ${mean.n})`;
}

/** Formats a difference in points with what it shows: `+0.20 [−0.40, +0.80]: undecided`. */
export function formatDifference(difference: Difference | null): string {
  if (difference === null) return `no results of ${REFERENCE}`;
  const verdict = formatVerdict(difference);
  return formatPoints(difference) + (verdict === null ? "" : `: ${verdict}`);
}

/** Formats what a difference shows, unless its sign says it: `equivalent within 0.5 points (p = 0.004)`. */
export function formatVerdict({ shown, equivalenceP }: Difference): string | null {
  switch (shown) {
    case null:
      return "one seed, no interval";
    case "equivalent":
      return `equivalent within ${MARGIN} points (p ${formatP(equivalenceP!, true)})`;
    case "undecided":
      return "undecided";
    default:
      return null;
  }
}

/** Formats a p-value: `0.031`, `< 0.001`; after the letter p as `= 0.031`. */
export function formatP(p: number, isAfterLetter = false): string {
  if (p < 0.001) return "< 0.001";
  return (isAfterLetter ? "= " : "") + formatNumber(p, p < 0.1 ? 3 : 2);
}

/** Formats a difference of accuracies in points, with its interval if any: `−1.20 [−1.90, −0.50]`. */
export function formatPoints(difference: Pick<MeanInterval, "mean" | "interval">): string {
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
      }, ${formatThreads(threads)} each`
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
    "- ± is the standard deviation over the n seeds; brackets are 95 % intervals. A difference is that of the means of the final " +
    "epochs, by Welch's t.",
    `- A difference is shown where p < 0.05 by Welch's test; else equivalence within ${MARGIN} points, a margin fixed beforehand, where ` +
    "p < 0.05 by two one-sided tests of Welch; else the row is undecided. Both kinds of p are adjusted for the number of rows by " +
    "Holm's method; intervals are not.",
    "- The best epoch was chosen on the test set, so that column is optimistic; the final one was not chosen.",
  ];
}

/** Formats the recipe as settings, without experiment and compute settings and what is off. */
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

const MARGIN = formatNumber(100 * EQUIVALENCE_MARGIN, 1);
