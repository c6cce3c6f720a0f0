import assert from "node:assert/strict";
import { createCompareProgress } from "../../cli/compare/progress.ts";
import { createLive } from "../../cli/shared/live.ts";
import { selectExperiments } from "../../lib/experiments/experiments.ts";
import { type PlannedRun, planRuns } from "../../lib/experiments/plan.ts";
import type { RunState } from "../../lib/experiments/runs.ts";
import { seedResult } from "../experiments/samples.ts";
import { createTerminal } from "../testing/terminal.ts";

const [DYNAMIC_0, FROZEN_0, DYNAMIC_1, FROZEN_1] = planRuns({
  experiments: selectExperiments(["dynamic", "frozen"]).experiments,
  seeds: [0, 1],
});
const RECORDS = seedResult(0, Array(12).fill(0.8125)).history
  .map((record) => ({ ...record, seconds: 60, imagesPerSecond: 800, data: "CIFAR-10", weights: "random" }));
const STATES = new Map<PlannedRun, RunState>([
  [DYNAMIC_0, { stage: "finished", history: RECORDS, config: DYNAMIC_0.config }],
  [FROZEN_0, { stage: "interrupted", history: RECORDS.slice(0, 3), config: FROZEN_0.config }],
  [DYNAMIC_1, { stage: "new", history: [], config: DYNAMIC_1.config }],
  [FROZEN_1, { stage: "new", history: [], config: FROZEN_1.config }],
]);
const STEP = {
  kind: "step",
  epoch: 4,
  step: 100,
  steps: 400,
  accuracy: 0.55,
  totalSecondsLeft: 525,
} as const;

async function createProgress(terminal: ReturnType<typeof createTerminal>) {
  return createCompareProgress({
    live: await createLive(terminal.options),
    runs: [DYNAMIC_0, FROZEN_0, DYNAMIC_1, FROZEN_1],
    states: STATES,
    jobs: 2,
  });
}

Deno.test("the table shows which experiment and seed is where, and how long it will take", async () => {
  const terminal = createTerminal();
  const progress = await createProgress(terminal);
  progress.onBegin(FROZEN_0);
  progress.onEvent(FROZEN_0, { kind: "start", epochsDone: 3, threads: 1 });
  progress.onEvent(FROZEN_0, STEP);
  terminal.clock.milliseconds += 1000;
  progress.onBegin(DYNAMIC_1);
  assert.deepEqual(terminal.lines(), [
    "experiment  seed 0       seed 1",
    "───────────────────────────────",
    "dynamic     81.25 %      0/12",
    "frozen      3/12 81.3 %  ·",
    "",
    "frozen-seed0   epoch 4/12  25 %  train 55.0 %  test 81.25 %  08:45 left",
    "dynamic-seed1  starting",
    // 8.75 + 12 + 12 epochs of a minute, two at once
    "1 of 4 runs done, 2 in training, 16:23 left",
  ]);
});

for (
  const [columns, running] of [
    [80, "dynamic-seed0  epoch 4/12  25 %  train 55.0 %  08:45 left"],
    [60, "dynamic-seed0  epoch 4/12  25 %  train 55.0 %  08:45 left"],
  ] as const
) {
  Deno.test(`with eight seeds it fits ${columns} columns, and each run's time left is visible`, async () => {
    const terminal = createTerminal({ columns });
    const runs = planRuns({
      experiments: selectExperiments(["dynamic", "static-per-class"]).experiments,
      seeds: [0, 1, 2, 3, 4, 5, 6, 7],
    });
    const state = ({ config }: PlannedRun): RunState => ({ stage: "finished", history: RECORDS, config });
    const states = new Map(runs.map((run) => [run, state(run)]));
    states.set(runs[0], { stage: "new", history: [], config: runs[0].config });
    const progress = createCompareProgress({
      live: await createLive(terminal.options),
      runs,
      states,
      jobs: 1,
    });
    progress.onBegin(runs[0]);
    terminal.clock.milliseconds += 1000;
    progress.onEvent(runs[0], STEP);
    const lines = terminal.lines();
    assert.ok(lines.every((line) => line.length < columns), lines.join("\n"));
    assert.equal(lines.at(-2), running);
    assert.match(lines.at(-1)!, /^15 of 16 runs done, 1 in training, .* left$/);
  });
}

Deno.test("a run that ends, fails or is stopped shows so, and its message stays", async () => {
  const terminal = createTerminal();
  const progress = await createProgress(terminal);
  progress.onBegin(FROZEN_0);
  for (const record of RECORDS.slice(3)) progress.onEvent(FROZEN_0, { kind: "epoch", record, isBest: false });
  progress.onEvent(FROZEN_0, { kind: "end" });
  progress.onBegin(DYNAMIC_1);
  progress.onFailure(DYNAMIC_1, new Error("it diverged"));
  progress.onBegin(FROZEN_1);
  progress.onEvent(FROZEN_1, { kind: "message", text: "a word" });
  progress.onStop(FROZEN_1);
  assert.deepEqual(terminal.lines(), [
    "error: it diverged",
    "frozen-seed1: a word",
    "experiment   seed 0  seed 1",
    "─────────────────────────────────",
    "dynamic     81.25 %  failed",
    "frozen      81.25 %  0/12 stopped",
    "",
    "2 of 4 runs done, 1 failed",
  ]);
});

Deno.test("a run that another process trains shows so", async () => {
  const terminal = createTerminal({ interactive: false });
  const progress = await createProgress(terminal);
  progress.onBegin(FROZEN_1);
  progress.onEvent(FROZEN_1, { kind: "held", by: "process 7 on node1" });
  assert.deepEqual(terminal.lines(), ["frozen-seed1: begins", "frozen-seed1: process 7 on node1 trains it"]);
});

Deno.test("on a low terminal the runs in training are shown rather than a part of the table", async () => {
  const terminal = createTerminal({ rows: 5 });
  const progress = await createProgress(terminal);
  progress.onBegin(FROZEN_0);
  assert.deepEqual(terminal.lines(), [
    "frozen-seed0  starting after epoch 3/12",
    "1 of 4 runs done, 1 in training, 16:30 left",
  ]);
});

Deno.test("without a terminal there is a line for each beginning, epoch and end", async () => {
  const terminal = createTerminal({ interactive: false });
  const progress = await createProgress(terminal);
  progress.onBegin(FROZEN_0);
  progress.onEvent(FROZEN_0, { kind: "start", epochsDone: 3, threads: 1 });
  progress.onEvent(FROZEN_0, STEP);
  progress.onEvent(FROZEN_0, { kind: "epoch", record: RECORDS[3], isBest: false });
  progress.onEvent(FROZEN_0, { kind: "end" });
  assert.deepEqual(terminal.lines(), [
    "frozen-seed0: begins",
    "frozen-seed0: epoch 4/12  train 70.0 %  test 81.25 %  01:00  08:45 left",
    "frozen-seed0: done",
  ]);
});
