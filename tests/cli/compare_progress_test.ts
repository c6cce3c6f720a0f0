import assert from "node:assert/strict";
import { createCompareProgress } from "../../cli/compare/progress.ts";
import { createLiveBlock } from "../../cli/shared/live_block.ts";
import { selectExperiments } from "../../lib/experiments/experiments.ts";
import { type PlannedRun, planRuns } from "../../lib/experiments/plan.ts";
import type { RunState } from "../../lib/experiments/runs.ts";
import { seedResult } from "../experiments/samples.ts";

/** A terminal that knows the few control sequences a live block uses. */
function createTerminal({ interactive = true, width = 100, height = 30 } = {}) {
  const lines: string[] = [""];
  let [row, column, milliseconds] = [0, 0, 0];
  const write = (text: string) => {
    // deno-lint-ignore no-control-regex
    for (const [token, count, code] of text.matchAll(/\x1b\[(\d*)([A-Z])|[^]/g)) {
      if (code === "A") row -= Number(count);
      else if (code === "K") lines[row] = lines[row].slice(0, column);
      else if (code === "J") {
        lines[row] = lines[row].slice(0, column);
        lines.length = row + 1;
      } else if (token === "\r") column = 0;
      else if (token === "\n") {
        [row, column] = [row + 1, 0];
        lines[row] ??= "";
      } else {
        lines[row] = lines[row].padEnd(column).slice(0, column) + token + lines[row].slice(++column);
      }
    }
  };
  return {
    lines: () => lines.join("\n").trimEnd().split("\n"),
    wait: () => milliseconds += 1000,
    options: {
      stream: {
        writeSync: (bytes: Uint8Array) => (write(new TextDecoder().decode(bytes)), bytes.length),
        isTerminal: () => interactive,
      },
      interactive,
      width: () => width,
      height: () => height,
      now: () => milliseconds,
    },
  };
}

Deno.test("a block is redrawn in place, below the lines that stay", () => {
  const terminal = createTerminal();
  const block = createLiveBlock(terminal.options);
  block.draw(() => ["one", "two long", "three"]);
  block.print("stays");
  terminal.wait();
  block.draw(() => ["1", "2"]);
  assert.deepEqual(terminal.lines(), ["stays", "1", "2"]);
  block.leave();
  block.print("after");
  assert.deepEqual(terminal.lines(), ["stays", "1", "2", "after"]);
});

Deno.test("a block is never higher or wider than its terminal", () => {
  const terminal = createTerminal({ width: 6, height: 3 });
  const block = createLiveBlock(terminal.options);
  block.draw(() => ["1234567890", "2", "3", "4"]);
  assert.deepEqual(terminal.lines(), ["12345", "2"]);
});

const [DYNAMIC_0, FROZEN_0, DYNAMIC_1, FROZEN_1] = planRuns({
  experiments: selectExperiments(["dynamic", "frozen"]).experiments,
  seeds: [0, 1],
});
const RECORDS = seedResult(0, Array(12).fill(0.8125)).history
  .map((record) => ({ ...record, seconds: 60, data: "CIFAR-10", weights: "random" }));
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

function createProgress(terminal: ReturnType<typeof createTerminal>) {
  return createCompareProgress({
    runs: [DYNAMIC_0, FROZEN_0, DYNAMIC_1, FROZEN_1],
    states: STATES,
    jobs: 2,
    ...terminal.options,
  });
}

Deno.test("the table shows which experiment and seed is where, and how long it will take", () => {
  const terminal = createTerminal();
  const progress = createProgress(terminal);
  progress.onBegin(FROZEN_0);
  progress.onEvent(FROZEN_0, { kind: "start", epochsDone: 3, threads: 1 });
  progress.onEvent(FROZEN_0, STEP);
  terminal.wait();
  progress.onBegin(DYNAMIC_1);
  assert.deepEqual(terminal.lines(), [
    "experiment  seed 0       seed 1",
    "───────────────────────────────",
    "dynamic     81.25 %      0/12",
    "frozen      3/12 81.3 %  ·",
    "",
    "frozen-seed0   epoch 4/12   25 %  train 55.0 %  test 81.25 %  08:45 left",
    "dynamic-seed1  starting",
    // 8.75 + 12 + 12 epochs of a minute, two at once
    "1 of 4 runs done, 2 in training, 16:23 left",
  ]);
});

Deno.test("a run that ends, fails or is stopped shows so, and its message stays", () => {
  const terminal = createTerminal();
  const progress = createProgress(terminal);
  progress.onBegin(FROZEN_0);
  for (const record of RECORDS.slice(3)) progress.onEvent(FROZEN_0, { kind: "epoch", record, isBest: false });
  progress.onEvent(FROZEN_0, { kind: "end" });
  progress.onBegin(DYNAMIC_1);
  progress.onFailure(DYNAMIC_1, new Error("it diverged"));
  progress.onBegin(FROZEN_1);
  progress.onEvent(FROZEN_1, { kind: "message", text: "a word" });
  progress.onStop(FROZEN_1);
  progress.leave();
  assert.deepEqual(terminal.lines(), [
    "error: it diverged",
    "frozen-seed1: a word",
    "experiment  seed 0   seed 1",
    "─────────────────────────────────",
    "dynamic     81.25 %  failed",
    "frozen      81.25 %  0/12 stopped",
    "",
    "2 of 4 runs done, 1 failed",
  ]);
});

Deno.test("on a low terminal the runs in training are shown rather than a part of the table", () => {
  const terminal = createTerminal({ height: 5 });
  const progress = createProgress(terminal);
  progress.onBegin(FROZEN_0);
  assert.deepEqual(terminal.lines(), [
    "frozen-seed0  starting after epoch 3/12",
    "1 of 4 runs done, 1 in training, 16:30 left",
  ]);
});

Deno.test("without a terminal there is a line for each beginning, epoch and end", () => {
  const terminal = createTerminal({ interactive: false });
  const progress = createProgress(terminal);
  progress.onBegin(FROZEN_0);
  progress.onEvent(FROZEN_0, { kind: "start", epochsDone: 3, threads: 1 });
  progress.onEvent(FROZEN_0, STEP);
  progress.onEvent(FROZEN_0, { kind: "epoch", record: RECORDS[3], isBest: false });
  progress.onEvent(FROZEN_0, { kind: "end" });
  progress.leave();
  assert.deepEqual(terminal.lines(), [
    "frozen-seed0: begins",
    "frozen-seed0: epoch 4/12  train 70.0 %  test 81.25 %  01:00  08:45 left",
    "frozen-seed0: done",
  ]);
});
