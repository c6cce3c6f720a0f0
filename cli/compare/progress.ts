import type { PlannedRun } from "../../lib/experiments/plan.ts";
import type { RunState } from "../../lib/experiments/runs.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import type { WorkerEvent } from "./worker.ts";
import { formatDuration, formatPercent } from "../../lib/support/format.ts";
import { fitLine, type Live } from "../shared/live.ts";
import { formatTable } from "../shared/table.ts";
import type { TerminalSize } from "../shared/terminal.ts";

export interface CompareProgressOptions {
  live: Live;
  runs: readonly PlannedRun[];
  states: ReadonlyMap<PlannedRun, RunState>;
  jobs: number;
}

/** What is shown of a run. */
export interface TrackedRun {
  stage: "waiting" | "running" | "elsewhere" | "stopped" | "finished" | "failed";
  history: EpochRecord[];
  step: Extract<WorkerEvent, { kind: "step" }> | null;
  /** Host that trains it, where it is another one. */
  host?: string | null;
}

/**
 * Shows all runs in a table on a terminal, one row per experiment and one column per seed, with a line for
 * each that is being trained; elsewhere one line per epoch.
 *
 * ```text
 * experiment        seed 0         seed 1
 * ───────────────────────────────────────
 * dynamic           80.31 %        6/12 71.3 %
 * static-per-class  2/12 55.0 %    ·
 *
 * dynamic-seed1           epoch 7/12  42 %  test 71.30 %  18:31 left
 * static-per-class-seed0  epoch 3/12  12 %  test 55.02 %  31:07 left
 * 1 of 4 runs done, 2 in training, 1:12:40 left
 * ```
 */
export function createCompareProgress(options: CompareProgressOptions) {
  const { live, runs, states, jobs } = options;
  const tracked = new Map(runs.map((run): [PlannedRun, TrackedRun] => {
    const { stage, history } = states.get(run)!;
    return [run, { stage: stage === "finished" ? "finished" : "waiting", history: [...history], step: null }];
  }));
  const draw = (now = false) => live.draw((size) => formatRuns(tracked, jobs, size), { now });
  const move = (run: PlannedRun, stage: TrackedRun["stage"], line: string) => {
    Object.assign(tracked.get(run)!, { stage, step: null });
    if (!live.interactive) live.print(line);
    draw(true);
  };
  draw(true);
  return {
    onBegin: (run: PlannedRun) => move(run, "running", `${run.config.run}: begins`),
    onStop: (run: PlannedRun) => move(run, "stopped", `${run.config.run}: stopped, saved`),
    onFailure(run: PlannedRun, error: unknown) {
      tracked.get(run)!.stage = "failed";
      live.print(`error: ${error instanceof Error ? error.message : error}`);
      draw(true);
    },
    onEvent(run: PlannedRun, event: WorkerEvent) {
      const state = tracked.get(run)!;
      if (event.kind === "message") live.print(`${run.config.run}: ${event.text}`);
      if (event.kind === "start") state.history.length = event.epochsDone; // the checkpoint's word counts
      if (event.kind === "step") state.step = event;
      if (event.kind === "epoch") {
        state.history.push(event.record);
        if (!live.interactive) live.print(formatEpoch(run, event.record, state));
      }
      if (event.kind === "held") {
        return move(run, "elsewhere", `${run.config.run}: ${event.by} trains it`);
      }
      if (event.kind === "end") return move(run, "finished", `${run.config.run}: done`);
      draw();
    },
  };
}

function formatEpoch({ config }: PlannedRun, record: EpochRecord, { step }: TrackedRun): string {
  const left = step?.totalSecondsLeft;
  return [
    `${config.run}: epoch ${record.epoch}/${config.epochs}`,
    `train ${formatPercent(record.trainAccuracy)}`,
    `test ${formatPercent(record.testAccuracy, 2)}`,
    formatDuration(record.seconds),
    ...(record.epoch < config.epochs && left ? [`${formatDuration(left)} left`] : []),
  ].join("  ");
}

/** Formats a table of all runs, a line for each that is in training, and a line about the whole. */
export function formatRuns(
  tracked: ReadonlyMap<PlannedRun, TrackedRun>,
  jobs: number,
  { columns, rows }: TerminalSize,
): string {
  const seeds = [...new Set([...tracked.keys()].map(({ seed }) => seed))];
  const byExperiment = Map.groupBy(tracked, ([{ experiment }]) => experiment.name);
  const tabulate = (format: typeof formatState) =>
    formatTable({
      header: ["experiment", ...seeds.map((seed) => `seed ${seed}`)],
      rows: [...byExperiment].map(([name, group]) => [
        name,
        ...seeds.map((seed) => {
          const found = group.find(([run]) => run.seed === seed);
          return found === undefined ? "" : format(...found);
        }),
      ]),
      width: columns,
    }).split("\n");
  const fits = (table: string[]) => table.every((line) => line.length <= columns);
  const table = [formatState, formatStateShort].map(tabulate).find(fits);
  const running = [...tracked].filter(([, { stage }]) => stage === "running");
  const width = Math.max(0, ...running.map(([{ config }]) => config.run.length));
  const lines = running.map(([{ config }, state]) => formatRunning(config, state, width, columns));
  const bottom = [...lines, formatWhole(tracked, jobs).slice(0, columns)];
  // the runs in training say more than a part of the table would
  const isRoomy = table !== undefined && table.length + 1 + bottom.length <= rows;
  return (isRoomy ? [...table, "", ...bottom] : bottom).join("\n");
}

function formatState({ config }: PlannedRun, { stage, history }: TrackedRun): string {
  const last = history.at(-1);
  const accuracy = last === undefined ? "" : formatPercent(last.testAccuracy, 1);
  if (stage === "finished") return last === undefined ? "" : formatPercent(last.testAccuracy, 2);
  if (stage === "failed") return "failed";
  if (stage === "waiting" && last === undefined) return "·";
  const word = stage === "stopped" || stage === "elsewhere" ? ` ${stage}` : "";
  return `${history.length}/${config.epochs} ${accuracy}`.trimEnd() + word;
}

/** Formats a run's state without the accuracy of unfinished ones, for many seeds on a narrow terminal. */
function formatStateShort(run: PlannedRun, state: TrackedRun): string {
  if (state.stage === "stopped") return "stopped";
  if (state.stage === "finished" || state.history.length === 0) return formatState(run, state);
  return state.stage === "failed" ? "failed" : `${state.history.length}/${run.config.epochs}`;
}

function formatRunning(
  { run, epochs }: TrainConfig,
  state: TrackedRun,
  width: number,
  columns: number,
): string {
  const { history, step, host } = state;
  const name = run.padEnd(width) + " ";
  if (host) return `${name} ${history.length}/${epochs} epochs, on ${host}`.slice(0, columns);
  if (step === null) {
    const state = history.length === 0 ? "starting" : `starting after epoch ${history.length}/${epochs}`;
    return `${name} ${state}`.slice(0, columns);
  }
  const last = history.at(-1);
  const isTesting = step.step === step.steps && history.length < step.epoch;
  const percent = `${Math.floor(100 * step.step / step.steps)} %`.padStart(5);
  return fitLine(
    [
      { text: name, rank: 0 },
      { text: `epoch ${step.epoch}/${epochs}`, rank: 2 },
      { text: isTesting ? "testing" : percent, rank: 3 },
      { text: step.accuracy === null ? "" : ` train ${formatPercent(step.accuracy)}`, rank: 5 },
      { text: last === undefined ? "" : ` test ${formatPercent(last.testAccuracy, 2)}`, rank: 4 },
      { text: ` ${formatDuration(step.totalSecondsLeft)} left`, rank: 1 },
    ],
    null,
    columns,
  );
}

/** Formats how many runs are done, failed and in training, and the time left: one line. */
export function formatWhole(tracked: ReadonlyMap<PlannedRun, TrackedRun>, jobs: number): string {
  const count = (stage: TrackedRun["stage"]) =>
    [...tracked.values()].filter((state) => state.stage === stage).length;
  const parts = [`${count("finished")} of ${tracked.size} runs done`];
  if (count("failed") > 0) parts.push(`${count("failed")} failed`);
  if (count("running") > 0) parts.push(`${count("running")} in training`);
  const left = estimateSecondsLeft(tracked, jobs);
  if (left !== null && count("running") > 0) parts.push(`${formatDuration(left)} left`);
  return parts.join(", ");
}

/** Estimates the seconds left from the mean of the epochs done; null while there are none. */
function estimateSecondsLeft(tracked: ReadonlyMap<PlannedRun, TrackedRun>, jobs: number): number | null {
  let [seconds, done, left] = [0, 0, 0];
  for (const [{ config }, { stage, history, step }] of tracked) {
    for (const record of history) [seconds, done] = [seconds + record.seconds, done + 1];
    if (stage !== "waiting" && stage !== "running") continue;
    const begun = step !== null && history.length < step.epoch ? step.step / step.steps : 0;
    left += config.epochs - history.length - begun;
  }
  return done === 0 ? null : left * seconds / done / jobs;
}
