import type { MeanInterval } from "../support/statistics.ts";
import { optionOf, showOption } from "../training/config.ts";
import { compareResults, type ComparisonRow, type Difference } from "./comparison.ts";
import { REFERENCE } from "./experiments.ts";
import { formatMachine } from "./provenance.ts";
import type { ExperimentResult, Recipe } from "./results.ts";

/**
 * The comparison as Markdown: a table, and below it what its numbers were measured with and how to read them.
 *
 * @param results Of one recipe; the first one's is what is written.
 */
export function formatComparison(results: readonly ExperimentResult[]): string {
  return [formatRows(compareResults(results)), "", ...formatCircumstances(results)].join("\n") + "\n";
}

/** The table alone. */
export function formatRows(rows: readonly ComparisonRow[]): string {
  return formatMarkdownTable(
    [
      "experiment",
      "what is different",
      "trainable parameters",
      "final test accuracy (%)",
      "best epoch (%)",
      `difference from ${REFERENCE} (points)`,
      "seconds an epoch",
    ],
    rows.map((row) => [
      row.experiment,
      row.change,
      row.trainableParameters.toLocaleString("en-GB"),
      formatMean(row.final),
      formatMean(row.best),
      row.experiment === REFERENCE ? "reference" : formatDifference(row.difference),
      row.secondsPerEpoch.toFixed(row.secondsPerEpoch < 10 ? 1 : 0),
    ]),
  );
}

/** A mean of shares in per cent: `80.31 ± 0.21 (n = 3)`. */
export function formatMean({ mean, deviation, n }: MeanInterval): string {
  const spread = n > 1 ? ` ± ${percent(deviation)}` : "";
  return `${percent(mean)}${spread} (n = ${n})`;
}

/** A difference in points, with what its interval supports: `−1.20 [−1.90, −0.50]`, `+0.20 [−0.40, +0.80]: no difference shown`. */
export function formatDifference(difference: Difference | null): string {
  if (difference === null) return "no seed in common";
  const { mean, interval, shown } = difference;
  if (interval === undefined) return `${signed(mean)} (one seed: no interval)`;
  const range = `${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}]`;
  return shown === "none" ? `${range}: no difference shown` : range;
}

/** Lists data, weights, recipe, seeds and machines, and how to read the numbers, as items of a Markdown list. */
export function formatCircumstances(results: readonly ExperimentResult[]): string[] {
  const sittings = results.flatMap(({ seeds }) => seeds.flatMap((seed) => seed.sittings));
  const unique = (values: string[]) => [...new Set(values)].join("; ");
  const days = sittings.map(({ date }) => date.slice(0, 10)).sort();
  const machines = unique(
    sittings.map(({ machine, device, threads, jobs, tensorflow }) =>
      `${formatMachine(machine)}; TensorFlow ${tensorflow} on the ${device.toUpperCase()}, ${
        jobs === 1 ? "one run at a time" : `${jobs} runs at once`
      }, ${threads} ${threads === 1 ? "thread" : "threads"} each`
    ),
  );
  return [
    `- Data: ${unique(results.map(({ data }) => `${data.name} (fingerprint ${data.fingerprint})`))}. ` +
    `Weights the backbone starts from: ${unique(results.map(({ weights }) => weights))}.`,
    `- Recipe: ${unique(results.map(({ recipe }) => formatRecipe(recipe)))}.`,
    `- Seeds: ${unique(results.map(({ seeds }) => seeds.map(({ seed }) => seed).join(", ")))}.`,
    ...(sittings.length === 0 ? [] : [
      `- Trained ${days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`} on ${machines}.`,
    ]),
    "- ± is the standard deviation over seeds. A difference is the mean over pairs of the same seed, final epochs, with its 95 % " +
    "interval (Student's t); each interval stands for itself, they are not widened for their number. Where it holds 0 no difference is shown.",
    "- The best epoch was chosen on the test set, so that column flatters; the final one was not chosen.",
  ];
}

/** The recipe as options, without what the experiments themselves set, what only says how it is computed, and what is off. */
function formatRecipe(recipe: Recipe): string {
  const left = ["variant", "backbone", "adapter", "classLoop", "validation", "compile", "winograd"];
  return Object.entries(recipe).flatMap(([name, value]) => {
    const key = name as keyof Recipe;
    const isOff = value === null || (value === false && optionOf(key).default === false);
    return left.includes(name) || isOff ? [] : [`\`${showOption(key, value)}\``];
  }).join(" ");
}

/** A Markdown table whose columns are aligned in the text as well. */
export function formatMarkdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}

function signed(share: number): string {
  const text = percent(share);
  if (Number(text) === 0) return "0.00";
  return text.startsWith("-") ? text.replace("-", "−") : `+${text}`;
}
