import { join } from "@std/path";
import { writeText } from "../lib/support/write_files.ts";
import { compareResults } from "../lib/experiments/comparison.ts";
import { EXPERIMENTS, LISTS, selectExperiments, type Selection } from "../lib/experiments/experiments.ts";
import { formatComparison, formatStaleness } from "../lib/experiments/markdown.ts";
import { parseSeeds, type PlannedRun, planRuns } from "../lib/experiments/plan.ts";
import { identifyData } from "../lib/data/identify.ts";
import {
  collectResults,
  type ExperimentResult,
  publishedResultsFolder,
  readResults,
  writeResults,
} from "../lib/experiments/results.ts";
import { inspectRun, planThreads, type RunState, type SharedInputs } from "../lib/experiments/runs.ts";
import { findStaleness } from "../lib/experiments/staleness.ts";
import { InputError } from "../lib/support/errors.ts";
import { Interrupted, watchInterrupts } from "../lib/support/interrupt.ts";
import { loadDatasetsWithBar, loadPretrainedWithBar, setUpTensorFlow } from "./shared/load.ts";
import { summarise } from "../lib/model/summary.ts";
import type { TrainConfig } from "../lib/training/config.ts";
import { readConfigFile } from "../lib/training/config_file.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { defaultRunsFolder } from "../lib/training/run_folder.ts";
import { runCommand } from "./shared/command.ts";
import { runWorker, scheduleRuns } from "./compare/train_runs.ts";
import { COMPARE_COMMAND } from "./compare/options.ts";
import { createCompareProgress } from "./compare/progress.ts";
import { absolutePaths, type CommandLine } from "./shared/options.ts";
import { createLive } from "./shared/live.ts";
import { formatTable } from "./shared/table.ts";
import { outputWidth, print, printMessage, showPath } from "./shared/terminal.ts";
import { formatResult } from "./compare/result.ts";

async function main({ values, given, positionals }: CommandLine<typeof COMPARE_COMMAND>): Promise<void> {
  if (values.list) return print(describeLists());
  const selection = selectExperiments(positionals);
  const flags = Object.fromEntries(Object.entries(given).filter(([name]) => name in TRAINING_OPTIONS));
  const { experiments, defaults } = selection;
  const seeds = parseSeeds(values.seeds ?? String(selection.seeds));
  const file = values.config === null ? undefined : readConfigFile(values.config);
  const runs = planRuns({ experiments, seeds, defaults, file, flags })
    .map((run) => ({ ...run, config: absolutePaths(run.config) }));
  if (values.publish) checkPublishable(selection, runs);
  const runsFolder = join(defaultRunsFolder(), values.into ?? selection.folder);
  await setUpTensorFlow({ device: runs[0].config.device });

  const { common, pinned } = await findCommon(runs[0]);
  for (const { config } of runs) Object.assign(config, pinned);
  const states = new Map<PlannedRun, RunState>();
  for (const run of runs) states.set(run, await inspectRun(run, common, runsFolder));
  const { failed } = await trainRuns({ runs, states, runsFolder, common, jobs: values.jobs });

  const done = runs.filter((run) => !failed.some((failure) => failure.run === run));
  const results = await collectResults(done, runsFolder);
  if (results.length > 0) report(results, runsFolder, values);
  if (failed.length > 0) {
    const names = failed.map(({ run }) => run.config.run).join(", ");
    throw new InputError({
      what: `train ${failed.length} of ${runs.length} runs (${names})`,
      why: "see above; the same command tries them again",
    });
  }
  if (values.publish) await publish(results);
}

/** Looks up images and weights once, so that nothing is downloaded by several processes at once. */
async function findCommon(
  { config }: PlannedRun,
): Promise<{ common: SharedInputs; pinned: Pick<TrainConfig, "data" | "weights"> }> {
  const datasets = await loadDatasetsWithBar(config.data);
  const { name: weights, source } = await loadPretrainedWithBar(config.weights);
  return {
    common: { data: await identifyData(datasets), weights },
    // the fallback for a failed download is used by all runs, without another attempt
    pinned: {
      data: datasets.source.kind === "synthetic" ? "synthetic" : config.data,
      weights: source === "random" ? "random" : config.weights,
    },
  };
}

interface TrainRunsOptions {
  runs: PlannedRun[];
  states: Map<PlannedRun, RunState>;
  runsFolder: string;
  common: SharedInputs;
  jobs: number;
}

/** Trains the unfinished runs, `jobs` in parallel. */
async function trainRuns({ runs, states, runsFolder, common, jobs: wanted }: TrainRunsOptions) {
  const left = runs.filter((run) => states.get(run)!.stage !== "finished");
  const jobs = Math.max(1, Math.min(wanted, left.length));
  const threads = planThreads(runs.map((run) => states.get(run)!), wanted);
  if (left.length < runs.length) {
    printMessage(`${runs.length - left.length} of ${runs.length} runs are already finished.`);
  }
  if (left.length === 0) return { failed: [], isInterrupted: false };
  const work = `${left.length} to train, ${jobs} at once with ${threads} ${
    threads === 1 ? "thread" : "threads"
  } each`;
  printMessage(formatTable({
    rows: [
      ["data", `${common.data.name} (fingerprint ${common.data.fingerprint})`],
      ["weights", common.weights],
      ["runs", `${work}, in ${showPath(runsFolder)}`],
    ],
    prose: 1,
    width: outputWidth(Deno.stderr),
  }));
  using interrupts = watchInterrupts();
  const { signal } = interrupts;
  const live = await createLive();
  const progress = createCompareProgress({ live, runs, states, jobs });
  signal.addEventListener("abort", () => live.print("Stopping: each training saves what it has …"));
  const outcome = await scheduleRuns({
    runs: left,
    jobs,
    signal,
    onFailure: progress.onFailure,
    start: async (run) => {
      const { stage, config, threads: own = threads } = states.get(run)!;
      progress.onBegin(run);
      const isBegun = stage === "interrupted";
      const isDone = await runWorker(
        { config, runsFolder, isBegun, fingerprint: common.data.fingerprint, jobs },
        { threads: own, signal, onEvent: (event) => progress.onEvent(run, event) },
      );
      if (!isDone) progress.onStop(run);
      return isDone;
    },
  });
  live.leave();
  if (outcome.isInterrupted) {
    throw new Interrupted(
      signal.aborted
        ? "Stopped; everything is saved. Run the same command again to resume."
        : "A training was stopped by another process; it is saved. Run the same command again to resume.",
    );
  }
  return outcome;
}

function report(results: ExperimentResult[], runsFolder: string, { json }: { json: boolean }): void {
  const comparison = { date: new Date().toISOString(), comparison: compareResults(results), results };
  writeText(join(runsFolder, "comparison.md"), formatComparison(results));
  writeText(join(runsFolder, "comparison.json"), JSON.stringify(comparison, null, 2) + "\n");
  print(json ? JSON.stringify(comparison) : formatResult(results));
  printMessage(`Saved in ${showPath(join(runsFolder, "comparison.md"))} and comparison.json.`);
}

function checkPublishable({ folder }: Selection, runs: readonly PlannedRun[]): void {
  if (folder === LISTS.quick.folder || runs[0].config.data === "synthetic") {
    throw new InputError(
      "Cannot publish results on the synthetic data set: they say nothing about CIFAR-10. Leave --publish out.",
    );
  }
}

async function publish(results: ExperimentResult[]): Promise<void> {
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

function describeLists(): string {
  const lists = Object.entries(LISTS).map(([name, { experiments, about }]) => [
    name,
    `${about} ${name === "all" ? "" : `(${experiments.join(", ")})`}`.trimEnd(),
  ]);
  const experiments = EXPERIMENTS.map((
    { name, change, network },
  ) => [name, change, summarise(network).trainable]);
  return [
    formatTable({ header: ["list", "question (experiments)"], rows: lists, prose: 1 }),
    "",
    formatTable({
      header: ["experiment", "difference", "trainable parameters"],
      rows: experiments,
      prose: 1,
    }),
  ].join("\n");
}

if (import.meta.main) await runCommand(COMPARE_COMMAND, main);
