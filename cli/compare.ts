import { join, resolve } from "@std/path";
import { identifyData } from "../lib/data/identify.ts";
import { EXPERIMENTS, LISTS, selectExperiments, type Selection } from "../lib/experiments/experiments.ts";
import {
  describeRun,
  hasManifest,
  readManifest,
  type SweepRun,
  writeManifest,
} from "../lib/experiments/manifest.ts";
import { parseSeeds, type PlannedRun, planRuns } from "../lib/experiments/plan.ts";
import { readCommit } from "../lib/experiments/provenance.ts";
import { inspectRun, planThreads, type RunState, type SharedInputs } from "../lib/experiments/runs.ts";
import { summarise } from "../lib/model/summary.ts";
import { InputError } from "../lib/support/errors.ts";
import { Interrupted, watchInterrupts } from "../lib/support/interrupt.ts";
import { readConfigFile } from "../lib/training/config_file.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { defaultRunsFolder } from "../lib/training/run_folder.ts";
import { checkPublishable, collect, reportMissing } from "./compare/collect.ts";
import { writeKubernetesJob } from "./compare/kubernetes.ts";
import { COMPARE_COMMAND, type CompareLine } from "./compare/options.ts";
import { requeueJob, slurmJob, submitToSlurm } from "./compare/slurm.ts";
import { trainRuns } from "./compare/train_runs.ts";
import { watchSweep } from "./compare/watch.ts";
import { runCommand } from "./shared/command.ts";
import { loadDatasetsWithBar, loadPretrainedWithBar, setUpTensorFlow } from "./shared/load.ts";
import { absolutePaths, flagOf } from "./shared/options.ts";
import { formatTable } from "./shared/table.ts";
import { print, printMessage, quoteShell, showPath } from "./shared/terminal.ts";

/** Exit code of work that was stopped in good order, or results that are not complete: try again later. */
const UNFINISHED = 75;

async function main(line: CompareLine): Promise<number | void> {
  const { values, positionals } = line;
  if (values.list) return print(describeLists());
  const settings = positionals.filter((word) => word.includes("="));
  const names = positionals.filter((word) => !word.includes("="));
  if (settings.length > 0 && !values.slurm) {
    throw new InputError(`Cannot use ${settings[0]} without --slurm: it is an option of sbatch.`);
  }
  if (values.work !== null) return await workOn(resolve(values.work), line);
  const folder = values.plan ?? findSweep(names);
  if (folder === null) return await compareHere(names, line);
  return await runSweep(resolve(folder), names, settings, line);
}

/** Plans a comparison, trains it on this machine and collects its results. */
async function compareHere(names: readonly string[], line: CompareLine): Promise<number | void> {
  const { values } = line;
  checkOptions(line, "--plan FOLDER", ["task", "slurm", "kubernetes", "dryRun", "watch"], "needs");
  const selection = selectExperiments(names);
  const planned = planComparison(selection, line);
  if (values.publish) checkPublishable(selection, planned);
  const runsFolder = join(defaultRunsFolder(), values.into ?? selection.folder);
  await setUpTensorFlow({ device: planned[0].config.device });
  const inputs = await findInputs(planned);
  const before: RunState[] = [];
  for (const run of planned) before.push(await inspectRun(run, inputs, runsFolder));
  const threads = values.threads ?? planThreads(before, values.jobs);
  const facts = { ...inputs, commit: await readCommit() };
  const runs = await Promise.all(
    planned.map((run, index) => describeRun(run, { ...facts, threads: before[index].threads ?? threads })),
  );
  const states = new Map(runs.map((run, index) => [run, before[index]]));
  using interrupts = watchInterrupts();
  const { signal } = interrupts;
  const { jobs, staleAfter } = values;
  const outcome = await trainRuns(runs, states, { runsFolder, jobs, staleAfter, signal });
  if (outcome.isInterrupted) {
    throw new Interrupted(
      signal.aborted
        ? "Stopped; everything is saved. Run the same command again to resume."
        : "A training was stopped by another process; it is saved. Run the same command again to resume.",
    );
  }
  const missing = await collect(runs, runsFolder, values);
  requireNoFailures(outcome.failed, runs.length);
  if (missing.length === 0) return;
  reportMissing(missing, runs.length);
  return UNFINISHED;
}

/** Plans a sweep, submits it, watches it or collects its results. */
async function runSweep(
  folder: string,
  names: readonly string[],
  settings: readonly string[],
  line: CompareLine,
) {
  const { values } = line;
  let runs: SweepRun[];
  if (values.plan === null) {
    const used = ["slurm", "kubernetes", "dryRun", "watch", "jobs", "staleAfter", "json", "publish"];
    checkOptions(line, `the planned folder ${showPath(folder)}`, used);
    runs = await readManifest(folder);
  } else {
    runs = await planSweep(names, line);
    if (!values.dryRun) runs = await writeManifest(folder, runs);
    printMessage(
      `${runs.length} runs, each with ${runs[0].threads} threads, are planned in ${showPath(folder)}.`,
    );
  }
  const { dryRun, jobs, staleAfter } = values;
  const options = { folder, runs, dryRun, staleAfter, atOnce: line.given.jobs === undefined ? null : jobs };
  if (values.slurm) return await submitToSlurm(settings, options);
  if (values.kubernetes !== null) return await writeKubernetesJob(values.kubernetes, options);
  if (values.plan !== null) {
    const place = quoteShell(folder);
    return printMessage(
      `Train them by \`deno task compare --work ${place}\` on any machine that sees the folder, or submit them by ` +
        `\`deno task compare ${place} --slurm\`; \`deno task compare ${place}\` collects the results.`,
    );
  }
  if (values.watch) await watchSweep(runs, folder);
  const missing = await collect(runs, folder, values);
  if (missing.length === 0) return;
  reportMissing(missing, runs.length);
  return UNFINISHED;
}

async function planSweep(names: readonly string[], line: CompareLine): Promise<SweepRun[]> {
  const planned = planComparison(selectExperiments(names), line);
  const inputs = await findInputs(planned);
  const { jobs, threads } = line.values;
  const facts = { ...inputs, commit: await readCommit(), threads: threads ?? planThreads([], jobs) };
  return await Promise.all(planned.map((run) => describeRun(run, facts)));
}

/** Trains runs of a sweep: one, or all that nobody trains. Returns the exit code. */
async function workOn(folder: string, line: CompareLine): Promise<number> {
  const { task, jobs, staleAfter } = line.values;
  using interrupts = watchInterrupts(() => {}, ["SIGUSR1", "SIGHUP"]); // a second one does not hurry it
  checkOptions(line, "--work", ["work", "task", "jobs", "staleAfter"]);
  const all = await readManifest(folder);
  const runs = task === null ? all : all.slice(task, task + 1);
  if (runs.length === 0) {
    throw new InputError({
      what: `train run ${task}`,
      why: `${folder} has the runs 0 to ${all.length - 1}`,
      setting: "task",
    });
  }
  await setUpTensorFlow({ device: runs[0].config.device });
  const commit = await readCommit();
  if (commit !== runs[0].commit) {
    printMessage(
      `The code is ${commit} and was ${runs[0].commit} when the runs were planned: results may differ.`,
    );
  }
  const states = new Map<SweepRun, RunState>();
  for (const run of runs) states.set(run, await inspectRun(run, run, folder));
  const { signal } = interrupts;
  const job = slurmJob();
  const outcome = await trainRuns(runs, states, { runsFolder: folder, jobs, staleAfter, job, signal });
  requireNoFailures(outcome.failed, runs.length);
  if (!outcome.isInterrupted) return 0;
  printMessage("Stopped; everything is saved.");
  if (task !== null) await requeueJob(runs[0], folder);
  return UNFINISHED;
}

function requireNoFailures(failed: readonly { run: PlannedRun }[], all: number): void {
  if (failed.length === 0) return;
  const names = failed.map(({ run }) => run.config.run).join(", ");
  throw new InputError({
    what: `train ${failed.length} of ${all} runs (${names})`,
    why: "see above; the same command tries them again",
  });
}

/** Lists the runs that the command line asks for. */
function planComparison(selection: Selection, { values, given }: CompareLine): PlannedRun[] {
  const flags = Object.fromEntries(Object.entries(given).filter(([name]) => name in TRAINING_OPTIONS));
  const { experiments, defaults } = selection;
  const seeds = parseSeeds(values.seeds ?? String(selection.seeds));
  const file = values.config === null ? undefined : readConfigFile(values.config);
  return planRuns({ experiments, seeds, defaults, file, flags })
    .map((run) => ({ ...run, config: absolutePaths(run.config) }));
}

/**
 * Looks up images and weights once, so that nothing is downloaded by several processes at once; the fallback
 * for a failed download is used by all runs, without another attempt.
 */
async function findInputs(runs: readonly PlannedRun[]): Promise<SharedInputs> {
  const [{ config }] = runs;
  const datasets = await loadDatasetsWithBar(config.data);
  const { name: weights, source } = await loadPretrainedWithBar(config.weights);
  for (const { config } of runs) {
    if (datasets.source.kind === "synthetic") config.data = "synthetic";
    if (source === "random") config.weights = "random";
  }
  return { data: await identifyData(datasets), weights };
}

/** Finds the planned folder among the arguments; null where they are experiments. */
function findSweep([name, ...others]: readonly string[]): string | null {
  const isKnown = name === undefined || Object.hasOwn(LISTS, name) ||
    EXPERIMENTS.some((one) => one.name === name);
  if (isKnown || (!hasManifest(name) && !name.includes("/"))) return null;
  if (others.length > 0) {
    throw new InputError({
      what: `use ${others[0]} beside the folder ${name}`,
      why: "a folder is collected alone",
    });
  }
  if (hasManifest(name)) return name;
  throw new InputError({
    what: `collect the results in ${name}`,
    why: "it has no manifest.jsonl",
    next: [{ task: "compare", arguments: ["LIST"], set: { plan: name } }],
  });
}

/** Refuses options that an action has no use for, or with `needs` those that need it. */
function checkOptions(
  { given }: CompareLine,
  action: string,
  names: readonly string[],
  needs?: "needs",
): void {
  const wrong = Object.keys(given).find((name) => names.includes(name) === (needs !== undefined));
  if (wrong === undefined) return;
  throw new InputError(
    needs
      ? `Cannot use ${flagOf(wrong)} without a planned folder: add ${action}, or name one.`
      : `Cannot use ${flagOf(wrong)} with ${action}: what is trained and how was planned.`,
  );
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
