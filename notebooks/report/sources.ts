import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { describeModel, type ModelFacts } from "../cells/model_facts.ts";
import { outputFacts } from "./parts.ts";
import { notebookNumber, type ReportNotebook } from "./section.ts";

/** Origin of a report's numbers. */
export interface Sources {
  /** Of the comparison's tables; null without results. */
  comparison: { experiments: number; seeds: string; dates: string; data: string } | null;
  /** Models whose maps and mistakes are shown, each with the numbers of the notebooks that show it. */
  models: { model: ModelFacts; notebooks: number[] }[];
}

/** Finds out whose runs the numbers of a report are. */
export function findSources(
  notebooks: readonly ReportNotebook[],
  results: readonly ExperimentResult[],
): Sources {
  const shown = notebooks.flatMap(({ path, file }) =>
    outputFacts(file).flatMap((facts) => {
      if (facts.kind !== "model") return [];
      const { kind: _, ...model } = facts;
      return [{ model, notebook: notebookNumber(path) }];
    })
  );
  const models = [...Map.groupBy(shown, ({ model }) => JSON.stringify(model)).values()]
    .map((same) => ({ model: same[0].model, notebooks: [...new Set(same.map(({ notebook }) => notebook))] }));
  if (results.length === 0) return { comparison: null, models };
  const dates = results.flatMap(({ seeds }) =>
    seeds.flatMap(({ sessions }) => sessions.map(({ date }) => date.slice(0, 10)))
  );
  const comparison = {
    experiments: results.length,
    seeds: ends(results.map(({ seeds }) => seeds.length)),
    dates: ends(dates),
    data: [...new Set(results.map(({ data }) => data.name))].join("; "),
  };
  return { comparison, models };
}

/** `3`, or `3 to 10`. */
function ends<Value extends number | string>(values: readonly Value[]): string {
  const sorted = values.toSorted((one, other) => one < other ? -1 : 1);
  return [...new Set([sorted[0], sorted.at(-1)!])].join(" to ");
}

/** Writes the sources as sentences of plain text. */
export function describeSources({ comparison, models }: Sources): string {
  const list = (notebooks: readonly number[]) =>
    `notebook${notebooks.length === 1 ? "" : "s"} ${
      new Intl.ListFormat("en-GB").format(notebooks.map(String))
    }`;
  return [
    comparison === null
      ? "There are no results of a comparison."
      : `Comparisons are of this project's published runs: ${comparison.experiments} experiments, ` +
        `n = ${comparison.seeds} seeds each, trained ${comparison.dates} on ${comparison.data}.`,
    ...models.map(({ model, notebooks }) =>
      `Maps and single predictions (${list(notebooks)}) are of ${describeModel(model)}.`
    ),
  ].join(" ");
}
