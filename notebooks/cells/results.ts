import {
  comparePairs,
  compareResults,
  type ComparisonRow,
  type Difference,
  finalAccuracy,
} from "../../lib/experiments/comparison.ts";
import { EXPERIMENTS, REFERENCE } from "../../lib/experiments/experiments.ts";
import { formatRows, formatStaleness } from "../../lib/experiments/markdown.ts";
import { type ExperimentResult, publishedResultsFolder, readResults } from "../../lib/experiments/results.ts";
import { findStaleness } from "../../lib/experiments/staleness.ts";
import type { Study, StudyUnit } from "../../lib/experiments/study.ts";
import { readStudy } from "../../lib/experiments/study_results.ts";
import { trainingCurves } from "../../lib/figures/training_curves.ts";
import { variantComparison, type VariantComparisonOptions } from "../../lib/figures/variant_comparison.ts";
import { SYNTHETIC_NAME } from "../../lib/data/synthetic.ts";
import { escapeMarkdown, formatCount } from "../../lib/support/format.ts";
import { meanInterval, NO_MEAN } from "../../lib/support/statistics.ts";
import { type Claim, createClaim } from "./claims.ts";
import { displayFigure } from "./display.ts";
import { displayMarkdown } from "./text.ts";

/** Published results of some experiments. Where one has none, its numbers are NaN, and nothing is claimed. */
export interface Results {
  /** In the order asked for; an experiment without results is left out. */
  all: readonly ExperimentResult[];
  /** One for each of these; p-values are adjusted for all published experiments. */
  rows: readonly ComparisonRow[];
  /** Names of the data sets, escaped for Markdown. */
  data: string;
  /** Guards conclusions drawn from these results. */
  claim: Claim;
  /** One experiment: means over its seeds, and its difference from `dynamic`. */
  of(experiment: string): ResultRow;
  /** Differences of final test accuracies, first minus second, p adjusted for the number of pairs. */
  differences(pairs: readonly (readonly [string, string])[]): Difference[];
}

/** One experiment in the table of results. */
export interface ResultRow extends Omit<ComparisonRow, "difference"> {
  /** Accuracy on the training images in the last epoch, 0–1. */
  trainAccuracy: number;
  difference: Difference;
}

const NO_DIFFERENCE: Difference = { n: 0, mean: NaN, shown: null, paired: null };
const MISSING_ROW: ComparisonRow = {
  experiment: "",
  change: "",
  trainableParameters: NaN,
  final: NO_MEAN,
  best: NO_MEAN,
  difference: null,
};

/**
 * Reads the published results of some experiments (or those in the folder `NOTEBOOK_RESULTS`); a note below
 * the cell says which are missing or stale.
 *
 * @param names In the order wanted; none means all.
 */
export async function openResults(names: readonly string[] = []): Promise<Results> {
  const wanted = names.length > 0 ? names : EXPERIMENTS.map(({ name }) => name);
  const published = readResults(resultsFolder());
  const all = wanted.flatMap((name) => published.filter(({ experiment }) => experiment === name));
  const missing = wanted.filter((name) => !all.some(({ experiment }) => experiment === name));
  const stale = (await findStaleness(all)).filter(({ kind }) => kind !== "missing");
  const remarks = [
    ...missing.length === 0 ? [] : [`There are no results of ${missing.join(", ")} yet.`],
    ...stale.map(formatStaleness),
  ];
  if (remarks.length > 0) {
    const markdown = `> **Note.** ${remarks.join(" ")} \`deno task compare --publish\` makes them anew.`;
    await displayMarkdown(markdown, { kind: "note" });
  }
  const untested = missing.length > 0
    ? `no results of ${missing.join(", ")}`
    : all.some(({ data }) => data.name.startsWith(SYNTHETIC_NAME))
    ? "results on synthetic images"
    : null;
  return collect(all, compareResults(published), createClaim(untested));
}

function resultsFolder(): string {
  return Deno.env.get("NOTEBOOK_RESULTS") || publishedResultsFolder();
}

/**
 * Reads the published rows of a study; a note below the cell says if there are none, and nothing is claimed.
 *
 * @returns The rows, the name of the data set, escaped for Markdown, and a guard of conclusions.
 */
export async function openStudy<Row extends object>(study: Study<StudyUnit, Row>) {
  const { name } = study;
  const result = readStudy(study, resultsFolder());
  if (result !== null) {
    return { rows: result.rows, data: escapeMarkdown(result.data.name), claim: createClaim(null) };
  }
  await displayMarkdown(
    `> **Note.** There are no results of ${name} yet. \`deno task study ${name} --publish\` makes them.`,
    { kind: "note" },
  );
  return { rows: [] as Row[], data: "–", claim: createClaim(`no results of ${name}`) };
}

function nameData(all: readonly ExperimentResult[]): string {
  return [...new Set(all.map(({ data }) => data.name))].join("; ");
}

function collect(
  all: readonly ExperimentResult[],
  published: readonly ComparisonRow[],
  claim: Claim,
): Results {
  const find = (name: string) => all.find(({ experiment }) => experiment === name);
  const rows = all.map((result) => published.find(({ experiment }) => experiment === result.experiment)!);
  return {
    all,
    rows,
    data: escapeMarkdown(nameData(all)),
    claim,
    of(name) {
      const { difference, ...row } = rows.find(({ experiment }) => experiment === name) ?? MISSING_ROW;
      const accuracies = find(name)?.seeds.map(({ history }) => history.at(-1)!.trainAccuracy) ?? [NaN];
      return {
        ...row,
        difference: difference ?? NO_DIFFERENCE,
        trainAccuracy: meanInterval(accuracies).mean,
      };
    },
    differences(pairs) {
      const complete = pairs.filter((pair) => pair.every((name) => find(name) !== undefined));
      const found = comparePairs(complete.map(([one, other]) => [find(one)!, find(other)!]));
      return pairs.map((pair) => found[complete.indexOf(pair)] ?? NO_DIFFERENCE);
    },
  };
}

/** Shows experiments as a table and as a figure: every seed, means and differences with 95 % intervals. */
export async function displayComparison(
  { all, rows }: Results,
  /** `outside`: experiments far from all others, which get an arrow at the edge of the axis. */
  { outside = [], ...options }: VariantComparisonOptions & { outside?: readonly string[] } = {},
): Promise<void> {
  if (all.length === 0) return;
  await displayMarkdown(formatRows(rows), { kind: "table", rows: rows.length, columns: 6 });
  const variants = rows.map(({ experiment, trainableParameters, final, difference }, index) => ({
    name: experiment,
    note: `${formatCount(trainableParameters)} trainable parameters`,
    accuracies: all[index].seeds.map(finalAccuracy),
    mean: final,
    difference: difference && {
      ...difference,
      values: difference.paired?.values ?? [],
      isShown: difference.shown === "higher" || difference.shown === "lower",
    },
  }));
  const ends = rows.filter(({ experiment }) => !outside.includes(experiment))
    .flatMap(({ final: { mean, interval = [mean, mean] } }) => interval);
  const domain: [number, number] = [100 * Math.min(...ends) - 1, Math.min(100, 100 * Math.max(...ends) + 1)];
  await displayFigure(variantComparison(variants, {
    subtitle: `Final epoch. Data: ${nameData(all)}.`,
    ...all.some(({ experiment }) => experiment === REFERENCE) && { reference: REFERENCE },
    ...outside.length > 0 && ends.length > 0 && { domain },
    ...options,
  }));
}

/** Shows training curves, means over the seeds. */
export async function displayCurves(
  { all }: Results,
  { title, only }: { title: string; only?: readonly string[] },
): Promise<void> {
  const shown = all.filter(({ experiment }) => only?.includes(experiment) ?? true);
  if (shown.length === 0) return;
  const runs = shown.flatMap(({ experiment, seeds }) =>
    seeds.map(({ history }) => ({ name: experiment, history }))
  );
  const seeds = [...new Set(shown.map((result) => result.seeds.length))].join(" or ");
  await displayFigure(
    trainingCurves(runs, {
      title,
      subtitle: `Means of ${seeds} seeds, bands from the lowest to the highest of the test set. Data: ${
        nameData(all)
      }.`,
    }),
  );
}
