/** SLURM: the array job of a sweep, its submission, and how a run that was stopped requeues itself. */
import { join } from "@std/path";
import { claimsOf, readClaim, readLastClaim } from "../../lib/experiments/claim.ts";
import type { SweepRun } from "../../lib/experiments/manifest.ts";
import { inspectRun } from "../../lib/experiments/runs.ts";
import { InputError } from "../../lib/support/errors.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { makeFolder, writeText } from "../../lib/support/write_files.ts";
import { print, printMessage, quoteShell, showPath } from "../shared/terminal.ts";

export interface SubmitOptions {
  folder: string;
  runs: readonly SweepRun[];
  /** Print the job instead of submitting it. */
  dryRun: boolean;
  staleAfter: number;
  /** Runs at once at most; null for as many as the cluster starts. */
  atOnce: number | null;
}

/** Options of sbatch that a sweep sets itself. */
const RESERVED = ["array", "requeue", "no-requeue", "open-mode", "signal", "wrap", "job-name", "parsable"];

/** Submits the unfinished runs of a sweep as one array job, or prints its script. */
export async function submitToSlurm(settings: readonly string[], options: SubmitOptions): Promise<void> {
  const { folder, runs, dryRun } = options;
  const tasks: number[] = [];
  for (const [task, run] of runs.entries()) {
    const { stage } = await inspectRun(run, run, folder);
    if (stage !== "finished") tasks.push(task);
  }
  if (tasks.length === 0) return printMessage("All runs are finished: there is nothing to submit.");
  const name = `compare-${crypto.randomUUID().slice(0, 8)}`;
  const script = formatSlurmScript(tasks, name, parseSettings(settings), options);
  if (dryRun) return print(script.trimEnd());
  makeFolder(join(folder, "logs"));
  const path = join(folder, "slurm.sh");
  writeText(path, script);
  const job = await submit(path, name);
  const place = quoteShell(folder);
  printMessage(
    `Job ${job}: ${tasks.length} runs, logs in ${showPath(join(folder, "logs"))}. ` +
      `\`deno task compare ${place} --watch\` shows its progress.`,
  );
}

/** Parses `KEY=VALUE`s to options of sbatch; `cpus` is short for `cpus-per-task`. */
export function parseSettings(settings: readonly string[]): Map<string, string> {
  const parsed = new Map<string, string>();
  for (const setting of settings) {
    const [, key, value] = /^(?:--)?([a-z][a-z-]*)=(.+)$/s.exec(setting) ?? [];
    const name = key === "cpus" ? "cpus-per-task" : key;
    const refuse = (why: string) => new InputError({ what: `use ${setting} for SLURM`, why });
    if (name === undefined) throw refuse("it must be KEY=VALUE, such as partition=gpu");
    if (!/^[\w.:,@%+=/[\]-]+$/.test(value)) {
      throw refuse("the value has a character that sbatch would not read");
    }
    if (RESERVED.includes(name)) throw refuse(`a sweep sets ${name} itself`);
    if (parsed.has(name)) throw refuse(`${name} is given twice`);
    parsed.set(name, value);
  }
  return parsed;
}

/** Formats the batch script of some runs. */
export function formatSlurmScript(
  tasks: readonly number[],
  name: string,
  settings: ReadonlyMap<string, string>,
  { folder, runs, staleAfter, atOnce }: Omit<SubmitOptions, "dryRun">,
): string {
  const all = new Map([
    ["job-name", name],
    ["array", formatTasks(tasks) + (atOnce === null ? "" : `%${atOnce}`)],
    ["output", quoteShell(join(folder, "logs")) + "/%A_%a.out"],
    ["cpus-per-task", String(runs[tasks[0]].threads)],
    ["signal", `B:TERM@${secondsToSave(settings.get("time"))}`],
    ["open-mode", "append"],
    ...settings,
  ]);
  return [
    "#!/bin/sh",
    ...[...all].map(([key, value]) => `#SBATCH --${key}=${value}`),
    "#SBATCH --requeue",
    "# Before its time is over a run is told to save; it requeues itself and resumes.",
    `cd ${quoteShell(projectFolder())}`,
    `exec ./deno task compare --work ${
      quoteShell(folder)
    } --task "$SLURM_ARRAY_TASK_ID" --stale-after ${staleAfter}`,
    "",
  ].join("\n");
}

/** Formats numbers as ranges: `0-3,7,9-11`. */
function formatTasks(tasks: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const task of tasks) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === task - 1) last[1] = task;
    else ranges.push([task, task]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join();
}

const SECONDS_TO_SAVE = 120;

/** Seconds before the time limit at which a run is told to save: less in a job of few minutes. */
function secondsToSave(time: string | undefined): number {
  if (time === undefined) return SECONDS_TO_SAVE;
  const [, days, rest] = /^(?:(\d+)-)?([\d:]+)$/.exec(time) ?? [];
  const parts = rest?.split(":").map(Number) ?? [];
  // sbatch reads M, M:S and H:M:S, and after days D-H, D-H:M and D-H:M:S
  const scale = days !== undefined ? [3600, 60, 1] : parts.length === 3 ? [3600, 60, 1] : [60, 1];
  const seconds = parts.reduce((sum, part, index) => sum + part * scale[index], 86400 * Number(days ?? 0));
  return seconds > 0 ? Math.min(SECONDS_TO_SAVE, Math.floor(seconds / 5)) : SECONDS_TO_SAVE;
}

/** Errors of sbatch after which another try may help. */
const TRANSIENT = /contact|timed out|connect|communication|temporarily|socket|zero bytes/i;
const TRIES = 6;

/** Submits a script and returns the job's number; a controller that does not answer is asked again. */
async function submit(path: string, name: string): Promise<string> {
  for (let attempt = 1;; attempt++) {
    const { code, stdout, stderr } = await run("sbatch", ["--parsable", path]);
    if (code === 0) return stdout.trim().split(";")[0];
    const why = stderr.trim().replace(/^sbatch: (error: )?/gm, "").replaceAll("\n", "; ");
    if (attempt === TRIES || !TRANSIENT.test(why)) {
      const next = [{ advice: `look at ${path}` }, { advice: "try again: nothing is trained twice" }];
      throw new InputError({ what: "submit the job", why: why || `sbatch failed with code ${code}`, next });
    }
    printMessage(`sbatch: ${why}; trying again in ${2 ** attempt} s …`);
    await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
    // the answer may have been lost, not the job
    const queued = await run("squeue", ["--noheader", `--name=${name}`, "--format=%A"]);
    const job = queued.stdout.trim().split("\n")[0];
    if (queued.code === 0 && job !== "") return job;
  }
}

/** Names the array task that this process belongs to; null outside SLURM. */
function slurmJob(): string | null {
  const id = Deno.env.get("SLURM_ARRAY_JOB_ID");
  return id === undefined ? null : `${id}_${Deno.env.get("SLURM_ARRAY_TASK_ID")}`;
}

const MOST_IDLE = 3;

/**
 * Requeues the job that this process belongs to, to resume its run; nothing outside SLURM, nor where
 * SLURM is ending the job: then it requeues what it preempted itself, and not what was cancelled.
 *
 * @throws {InputError} If the run was stopped again and again before its first step.
 */
export async function requeueJob({ config }: SweepRun, folder: string): Promise<void> {
  const id = slurmJob(); // the number alone may mean the whole array
  if (id === null) return;
  if (countIdle(claimsOf(folder, config.run)) >= MOST_IDLE) {
    throw new InputError({
      what: `requeue ${config.run}`,
      why: `it was stopped ${MOST_IDLE} times in a row before its first step`,
      next: [{ advice: "submit it with a longer time=" }],
    });
  }
  try {
    const state = (await run("squeue", ["--noheader", `--jobs=${id}`, "--format=%T"])).stdout.trim();
    if (state !== "RUNNING") return printMessage(`SLURM is ending the job (${state || "unknown"}).`);
    printMessage("Requeueing the job …");
    const { code, stderr } = await run("scontrol", ["requeue", id]);
    if (code !== 0) printMessage(stderr.trim());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    printMessage(`${error.message} Submit the sweep again to resume the run.`); // in a container without SLURM
  }
}

/** Counts a run's last claims that trained no step. */
function countIdle(path: string): number {
  const last = readLastClaim(path)?.number ?? 0;
  let idle = 0;
  while (idle < last) {
    const { end, steps } = readClaim(path, last - idle)!.record;
    if (end !== "stopped" || steps > 0) break;
    idle++;
  }
  return idle;
}

/** Runs one of SLURM's commands. @throws {InputError} If it is not installed. */
async function run(command: string, args: string[]) {
  const { ended } = await startProcess(command, args);
  return await ended;
}
