import { basename } from "@std/path";
import { SYNTHETIC_NAME } from "../../lib/data/synthetic.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatStaleness } from "../../lib/experiments/markdown.ts";
import { findStaleness } from "../../lib/experiments/staleness.ts";
import type { NotebookFile } from "../jupyter/notebook_file.ts";
import { isExecuted, outputFacts } from "./parts.ts";
import { type LeftOut, notebookNumber, type ReportNotebook } from "./section.ts";

/** Numbers of the lab's notebooks. */
const NOTEBOOKS = [1, 2, 3, 4, 5];

/**
 * Lists the warnings on the first page: stale or missing results, notebooks that are missing, not executed or
 * smoke tests.
 *
 * @returns A sentence each.
 */
export async function listWarnings(
  notebooks: readonly ReportNotebook[],
  results: readonly ExperimentResult[],
): Promise<string[]> {
  const numbersOf = (some: readonly ReportNotebook[]) => some.map(({ path }) => notebookNumber(path));
  const present = numbersOf(notebooks);
  const unfinished = notebooks.filter(({ file }) => !isExecuted(file));
  const quick = notebooks.filter(({ file }) => circumstancesOf(file).some(({ quick }) => quick));
  return [
    ...results.length === 0
      ? ["There are no results of the comparison: deno task compare --publish trains them."]
      : (await findStaleness(results)).map(formatStaleness),
    ...warn(NOTEBOOKS.filter((number) => !present.includes(number)), "missing"),
    ...warn(numbersOf(unfinished), "not executed to the end"),
    ...warn(numbersOf(quick), "only tried out by --quick, so that the numbers mean nothing"),
  ];
}

function warn(numbers: readonly number[], state: string): string[] {
  const list = new Intl.ListFormat("en-GB").format(numbers.map(String));
  return numbers.length === 0
    ? []
    : [numbers.length === 1 ? `Notebook ${list} is ${state}.` : `Notebooks ${list} are ${state}.`];
}

/** Lists what of the notebooks is not printed, a sentence per kind and notebook. */
export function listLeftOut(leftOut: readonly LeftOut[]): string[] {
  const alike = Map.groupBy(leftOut, ({ place, what }) => `${basename(place.path)} ${what}`);
  return [...alike.values()].map((some) => {
    const cells = [...new Set(some.map(({ place }) => String(place.number)))];
    const list = new Intl.ListFormat("en-GB").format(cells);
    const [{ place, what }] = some;
    return `In ${basename(place.path)}, ${
      cells.length === 1 ? "cell" : "each of the cells"
    } ${list} ${what}.`;
  });
}

/** Tells whether anything in the report was measured on synthetic images; then every page says so. */
export function isSynthetic(
  notebooks: readonly ReportNotebook[],
  results: readonly ExperimentResult[],
): boolean {
  return results.some(({ data }) => data.name.startsWith(SYNTHETIC_NAME)) ||
    notebooks.some(({ file }) => circumstancesOf(file).some(({ synthetic }) => synthetic));
}

/** Data, weights and device that the notebook recorded as it was executed. */
function circumstancesOf(notebook: NotebookFile) {
  return outputFacts(notebook).filter((facts) => facts.kind === "circumstances");
}
