import { compareResults, type ComparisonRow } from "../../lib/experiments/comparison.ts";
import { REFERENCE } from "../../lib/experiments/experiments.ts";
import { formatCircumstances, formatPoints, formatVerdict } from "../../lib/experiments/markdown.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatSpread } from "../../lib/support/statistics.ts";
import { formatTable, wrapText } from "../shared/table.ts";
import { outputWidth } from "../shared/terminal.ts";

/** Formats a comparison for the terminal: a table, and below it data, weights, recipe, seeds and machine. */
export function formatResult(results: readonly ExperimentResult[], width = outputWidth()): string {
  const table = formatTable({
    header: [
      "experiment",
      "network",
      "seeds",
      "final test accuracy (%)",
      `difference from ${REFERENCE} (points)`,
      "best epoch (%)",
    ],
    rows: compareResults(results).map((row) => [
      row.experiment,
      [row.change, row.difference && formatVerdict(row.difference)].filter(Boolean).join("; "),
      row.final.n,
      formatSpread(row.final, 2, 100),
      formatDifference(row),
      formatSpread(row.best, 2, 100),
    ]),
    width,
    prose: 1,
    optional: [5, 2],
  });
  return [table, "", wrapText(formatCircumstances(results).join("\n"), width, 2)].join("\n");
}

function formatDifference({ experiment, difference }: ComparisonRow): string {
  if (experiment === REFERENCE) return "reference";
  return difference === null ? `no results of ${REFERENCE}` : formatPoints(difference);
}
