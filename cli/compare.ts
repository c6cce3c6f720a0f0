import { join, resolve } from "@std/path";
import { EXPERIMENTS, LISTS, selectExperiments } from "../lib/experiments/experiments.ts";
import { describeRun, readManifest, type SweepRun, writeManifest } from "../lib/experiments/manifest.ts";
import type { PlannedRun } from "../lib/experiments/plan.ts";
import { readCommit } from "../lib/experiments/provenance.ts";
import { inspectRun, planThreads, type RunState } from "../lib/experiments/runs.ts";
import { summarise } from "../lib/model/summary.ts";
import { InputError } from "../lib/support/errors.ts";
import { formatThreads } from "../lib/support/format.ts";
import { Interrupted, watchInterrupts } from "../lib/support/interrupt.ts";
import { defaultRunsFolder } from "../lib/training/run_folder.ts";
import { checkPublishable, collect, reportMissing } from "./compare/collect.ts";
import { writeKubernetesJob } from "./compare/kubernetes.ts";
import { checkOptions, COMPARE_COMMAND, type CompareLine, findSweep } from "./compare/options.ts";
import { findInputs, planComparison, planSweep } from "./compare/plan.ts";
import { requeueJob, submitToSlurm } from "./compare/slurm.ts";
import { trainRuns } from "./compare/train_runs.ts";
import { watchSweep } from "./compare/watch.ts";
import { runCommand } from "./shared/command.ts";
import { setUpTensorFlow } from "./shared/load.ts";
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
    runs = await planSweep(folder, names, line);
    if (!values.dryRun) runs = await writeManifest(folder, runs);
    printMessage(
      `${runs.length} ${runs.length === 1 ? "run is" : "runs are"} planned in ${showPath(folder)}, ` +
        `${formatThreads(runs[0].threads)} each.`,
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
  const outcome = await trainRuns(runs, states, {
    ...{ runsFolder: folder, jobs, staleAfter, signal },
    waits: task !== null, // what this task leaves, none of the others does
  });
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
