import type { PlannedRun } from "../../lib/experiments/plan.ts";
import type { RunState } from "../../lib/experiments/runs.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import type { WorkerEvent } from "./worker.ts";
import { createLiveBlock, type LiveBlockOptions } from "../shared/live_block.ts";
import { formatTable } from "../shared/table.ts";
import { formatDuration, formatPercent } from "../shared/units.ts";

/** Shows where the runs of a comparison are. */
export interface CompareProgress {
  onEvent(run: PlannedRun, event: WorkerEvent): void;
  onBegin(run: PlannedRun): void;
  onStop(run: PlannedRun): void;
  onFailure(run: PlannedRun, error: unknown): void;
  /** Prints a line that stays. */
  print(text: string): void;
  /** Lets the table stand. */
  leave(): void;
}

/** Options of {@linkcode createCompareProgress}. */
export interface CompareProgressOptions extends LiveBlockOptions {
  runs: readonly PlannedRun[];
  states: ReadonlyMap<PlannedRun, RunState>;
  jobs: number;
}

interface Place {
  stage: "waiting" | "running" | "stopped" | "finished" | "failed";
  history: EpochRecord[];
  step: Extract<WorkerEvent, { kind: "step" }> | null;
}

/**
 * A table of all runs on a terminal, a row an experiment and a column a seed, with a line for each that is being trained; elsewhere a
 * line an epoch.
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
export function createCompareProgress(options: CompareProgressOptions): CompareProgress {
  const { runs, states, jobs } = options;
  const block = createLiveBlock(options);
  const places = new Map(runs.map((run): [PlannedRun, Place] => {
    const { stage, history } = states.get(run)!;
    return [run, { stage: stage === "finished" ? "finished" : "waiting", history: [...history], step: null }];
  }));
  const draw = (now = false) => block.draw((_, rows) => formatPlaces(places, jobs, rows), { now });
  const move = (run: PlannedRun, stage: Place["stage"], line: string) => {
    Object.assign(places.get(run)!, { stage, step: null });
    if (!block.interactive) block.print(line);
    draw(true);
  };
  draw(true);
  return {
    onBegin: (run) => move(run, "running", `${run.config.run}: begins`),
    onStop: (run) => move(run, "stopped", `${run.config.run}: stopped, saved`),
    onFailure(run, error) {
      places.get(run)!.stage = "failed";
      block.print(`error: ${error instanceof Error ? error.message : error}`);
      draw(true);
    },
    onEvent(run, event) {
      const place = places.get(run)!;
      if (event.kind === "message") block.print(`${run.config.run}: ${event.text}`);
      if (event.kind === "start") place.history.length = event.epochsDone; // the checkpoint's word counts
      if (event.kind === "step") place.step = event;
      if (event.kind === "epoch") {
        place.history.push(event.record);
        if (!block.interactive) block.print(formatEpoch(run, event.record, place));
      }
      if (event.kind === "end") return move(run, "finished", `${run.config.run}: done`);
      draw();
    },
    print: (text) => block.print(text),
    leave: () => block.leave(),
  };
}

function formatEpoch({ config }: PlannedRun, record: EpochRecord, { step }: Place): string {
  const left = step?.totalSecondsLeft;
  return [
    `${config.run}: epoch ${record.epoch}/${config.epochs}`,
    `train ${formatPercent(record.trainAccuracy)}`,
    `test ${formatPercent(record.testAccuracy, 2)}`,
    formatDuration(record.seconds),
    ...(record.epoch < config.epochs && left ? [`${formatDuration(left)} left`] : []),
  ].join("  ");
}

function formatPlaces(places: ReadonlyMap<PlannedRun, Place>, jobs: number, rows: number): string[] {
  const seeds = [...new Set([...places.keys()].map(({ seed }) => seed))];
  const byExperiment = Map.groupBy(places, ([{ experiment }]) => experiment.name);
  const table = formatTable({
    header: ["experiment", ...seeds.map((seed) => `seed ${seed}`)],
    rows: [...byExperiment].map(([name, group]) => [
      name,
      ...seeds.map((seed) => {
        const found = group.find(([run]) => run.seed === seed);
        return found === undefined ? "" : formatPlace(...found);
      }),
    ]),
  }).split("\n");
  const running = [...places].filter(([, { stage }]) => stage === "running");
  const width = Math.max(0, ...running.map(([{ config }]) => config.run.length));
  const lines = running.map(([{ config }, place]) =>
    `${config.run.padEnd(width)}  ${formatRunning(place, config.epochs)}`
  );
  const bottom = [...lines, formatWhole(places, jobs)];
  // the runs in training say more than a part of the table would
  return table.length + 1 + bottom.length <= rows ? [...table, "", ...bottom] : bottom;
}

function formatPlace({ config }: PlannedRun, { stage, history }: Place): string {
  const last = history.at(-1);
  const accuracy = last === undefined ? "" : formatPercent(last.testAccuracy, 1);
  if (stage === "finished") return last === undefined ? "" : formatPercent(last.testAccuracy, 2);
  if (stage === "failed") return "failed";
  if (stage === "waiting" && last === undefined) return "·";
  return `${history.length}/${config.epochs} ${accuracy}`.trimEnd() + (stage === "stopped" ? " stopped" : "");
}

function formatRunning({ history, step }: Place, epochs: number): string {
  if (step === null) {
    return history.length === 0 ? "starting" : `starting after epoch ${history.length}/${epochs}`;
  }
  const last = history.at(-1);
  const isTesting = step.step === step.steps && history.length < step.epoch;
  return [
    `epoch ${step.epoch}/${epochs}`,
    isTesting ? "testing" : `${Math.floor(100 * step.step / step.steps)} %`.padStart(5),
    ...(step.accuracy === null ? [] : [`train ${formatPercent(step.accuracy)}`]),
    ...(last === undefined ? [] : [`test ${formatPercent(last.testAccuracy, 2)}`]),
    `${formatDuration(step.totalSecondsLeft)} left`,
  ].join("  ");
}

function formatWhole(places: ReadonlyMap<PlannedRun, Place>, jobs: number): string {
  const count = (stage: Place["stage"]) =>
    [...places.values()].filter((place) => place.stage === stage).length;
  const parts = [`${count("finished")} of ${places.size} runs done`];
  if (count("failed") > 0) parts.push(`${count("failed")} failed`);
  if (count("running") > 0) parts.push(`${count("running")} in training`);
  const left = estimateSecondsLeft(places, jobs);
  if (left !== null && count("running") > 0) parts.push(`${formatDuration(left)} left`);
  return parts.join(", ");
}

/** What the epochs that are still to be done take if they take as long as those already done; null while none is. */
function estimateSecondsLeft(places: ReadonlyMap<PlannedRun, Place>, jobs: number): number | null {
  let [seconds, done, left] = [0, 0, 0];
  for (const [{ config }, { stage, history, step }] of places) {
    for (const record of history) [seconds, done] = [seconds + record.seconds, done + 1];
    if (stage !== "waiting" && stage !== "running") continue;
    const begun = step !== null && history.length < step.epoch ? step.step / step.steps : 0;
    left += config.epochs - history.length - begun;
  }
  return done === 0 ? null : left * seconds / done / jobs;
}
