import { join } from "@std/path";
import { compareResults } from "../../lib/experiments/comparison.ts";
import { LISTS, type Selection } from "../../lib/experiments/experiments.ts";
import type { SweepRun } from "../../lib/experiments/manifest.ts";
import { formatComparison, formatStaleness } from "../../lib/experiments/markdown.ts";
import type { PlannedRun } from "../../lib/experiments/plan.ts";
import {
  collectResults,
  type ExperimentResult,
  publishedResultsFolder,
  readResults,
  writeResults,
} from "../../lib/experiments/results.ts";
import type { SavedRun } from "../../lib/experiments/runs.ts";
import { findStaleness } from "../../lib/experiments/staleness.ts";
import { inspectSweepRun, type RunStatus } from "../../lib/experiments/sweep_status.ts";
import { InputError } from "../../lib/support/errors.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { wrapText } from "../shared/table.ts";
import { outputWidth, print, printMessage, showPath } from "../shared/terminal.ts";
import { formatResult } from "./result.ts";

/** A run without results. */
export interface MissingRun extends RunStatus {
  run: SweepRun;
}

/** Prints, saves and if asked for publishes the results of all finished runs; returns the others. */
export async function collect(
  runs: readonly SweepRun[],
  runsFolder: string,
  { json, publish }: { json: boolean; publish: boolean },
): Promise<MissingRun[]> {
  const missing: MissingRun[] = [];
  const finished: (SweepRun & { saved: SavedRun })[] = [];
  for (const run of runs) {
    const { saved, ...status } = await inspectSweepRun(run, runsFolder);
    if (status.stage === "finished") finished.push({ ...run, saved: saved! });
    else missing.push({ run, ...status });
  }
  const results = await collectResults(finished, runsFolder);
  if (results.length > 0) report(results, runsFolder, json);
  if (publish && missing.length === 0) await publishResults(results);
  return missing;
}

function report(results: ExperimentResult[], runsFolder: string, json: boolean): void {
  const comparison = { date: new Date().toISOString(), comparison: compareResults(results), results };
  writeText(join(runsFolder, "comparison.md"), formatComparison(results));
  writeText(join(runsFolder, "comparison.json"), JSON.stringify(comparison, null, 2) + "\n");
  print(json ? JSON.stringify(comparison) : formatResult(results));
  printMessage(`Saved in ${showPath(join(runsFolder, "comparison.md"))} and comparison.json.`);
}

const LONGEST_LIST = 20; // missing runs that are named

/** Says which runs have no results yet, and why. */
export function reportMissing(missing: readonly MissingRun[], all: number): void {
  const lines = missing.slice(0, LONGEST_LIST).map(({ run: { config }, stage, history, host }) => {
    const place = host === null ? "" : ` on ${host}`;
    const epochs = history.length === 0 ? "" : `, ${history.length} of ${config.epochs} epochs done`;
    return `  ${config.run}: ${WORDS[stage]}${place}${epochs}`;
  });
  const more = missing.length - lines.length;
  const head = `${missing.length} of ${all} runs ${missing.length === 1 ? "is" : "are"} missing:`;
  printMessage(
    wrapText(
      [head, ...lines, ...more > 0 ? [`  and ${more} more`] : []].join("\n"),
      outputWidth(Deno.stderr),
      4,
    ),
  );
}

const WORDS: Record<RunStatus["stage"], string> = {
  waiting: "not begun",
  running: "in training",
  stopped: "stopped",
  failed: "failed",
  abandoned: "its process crashed",
  finished: "finished",
};

/** Refuses to publish results that say nothing about CIFAR-10. */
export function checkPublishable({ folder }: Pick<Selection, "folder">, runs: readonly PlannedRun[]): void {
  if (folder === LISTS.quick.folder || runs[0].config.data === "synthetic") {
    throw new InputError(
      "Cannot publish results on the synthetic data set: they say nothing about CIFAR-10. Leave --publish out.",
    );
  }
}

async function publishResults(results: ExperimentResult[]): Promise<void> {
  if (results[0].data.name === "synthetic") {
    throw new InputError(
      "Cannot publish these results: CIFAR-10 was not found, and they are on the synthetic data set.",
    );
  }
  writeResults(results);
  const all = readResults();
  writeText(join(publishedResultsFolder(), "comparison.md"), formatComparison(all));
  for (const found of await findStaleness(all)) printMessage(formatStaleness(found));
  printMessage(`Results written to ${publishedResultsFolder()}.`);
}
