import { SYNTHETIC_NAME } from "../../lib/data/synthetic.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { describeStaleness } from "../../lib/experiments/staleness.ts";
import type { NotebookFile } from "../jupyter/notebook_file.ts";
import { factsOf, isExecuted } from "./cells.ts";
import { notebookNumber, type ReportNotebook } from "./section.ts";

/** Notebooks of the lab. */
export const NOTEBOOKS = 5;

/**
 * What the first page has to warn of: stale or missing results, notebooks that are missing or were not executed.
 *
 * @returns A sentence each; none where all is well.
 */
export async function listRemarks(
  notebooks: readonly ReportNotebook[],
  results: readonly ExperimentResult[],
): Promise<string[]> {
  const numbers = notebooks.map(({ path }) => notebookNumber(path));
  const missing = Array.from({ length: NOTEBOOKS }, (_, index) => index + 1).filter((each) =>
    !numbers.includes(each)
  );
  const idle = notebooks.filter(({ file }) => !isExecuted(file)).map(({ path }) => notebookNumber(path));
  const trials = notebooks.filter(({ file }) => isTrial(file)).map(({ path }) => notebookNumber(path));
  const stale = results.length === 0
    ? ["There are no results of the comparison: deno task compare --publish makes them."]
    : mergeSentences(await describeStaleness(results));
  return [
    ...stale,
    ...tell(missing, "is missing", "are missing"),
    ...tell(idle, "was not executed to its end", "were not executed to their end"),
    ...tell(
      trials,
      "is a quick trial of the machinery, whose numbers mean nothing",
      "are quick trials of the machinery, whose numbers mean nothing",
    ),
  ];
}

function tell(numbers: readonly number[], one: string, many: string): string[] {
  if (numbers.length === 0) return [];
  return [
    numbers.length === 1
      ? `Notebook ${numbers[0]} ${one}.`
      : `Notebooks ${joinWords(numbers.map(String))} ${many}.`,
  ];
}

/** Eight experiments with the same reproach are one sentence: "The results of dynamic and frozen are older than …". */
export function mergeSentences(sentences: readonly string[]): string[] {
  const byEnd = Map.groupBy(
    sentences,
    (sentence) => /^The results of \S+ (.*)$/s.exec(sentence)?.[1] ?? sentence,
  );
  return [...byEnd].map(([end, same]) => {
    if (same.length === 1) return same[0];
    return `The results of ${
      joinWords(same.map((sentence) => /^The results of (\S+)/.exec(sentence)![1]))
    } ${end}`;
  });
}

/** "a, b and c" */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/**
 * Whether something in the report was measured on the synthetic data set, so that every page has to say so.
 */
export function isSynthetic(
  notebooks: readonly ReportNotebook[],
  results: readonly ExperimentResult[],
): boolean {
  return results.some(({ data }) => data.name.startsWith(SYNTHETIC_NAME)) ||
    notebooks.some(({ file }) => circumstancesOf(file).some(({ synthetic }) => synthetic));
}

function isTrial(file: NotebookFile): boolean {
  return circumstancesOf(file).some(({ quick }) => quick);
}

function circumstancesOf({ cells }: NotebookFile) {
  return cells.flatMap(({ outputs = [] }) =>
    outputs.flatMap((output) => {
      const facts = factsOf(output);
      return facts?.kind === "circumstances" ? [facts] : [];
    })
  );
}
