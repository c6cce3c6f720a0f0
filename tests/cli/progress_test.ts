import assert from "node:assert/strict";
import { createLive, fitLine, formatBar } from "../../cli/shared/live.ts";
import { createDownloadProgress, createProgress, type ProgressStart } from "../../cli/shared/progress.ts";
import type { TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { createTerminal } from "../testing/terminal.ts";

async function start(options: Parameters<typeof createTerminal>[0] = {}) {
  const terminal = createTerminal(options);
  const live = await createLive(terminal.options);
  const { now, width } = terminal.options;
  return { ...terminal, progress: createProgress(live, { now, width }) };
}

const START: ProgressStart = { epochs: 12, testedOn: "test" };
const STEP: TrainStep = {
  epoch: 3,
  step: 240,
  steps: 391,
  loss: 0.8123,
  losses: [0.8],
  accuracy: 0.7119,
  learningRate: 0.0421,
  imagesPerSecond: 3310.4,
  secondsLeft: 12.3,
  totalSecondsLeft: 3661,
};
const RECORD: EpochRecord = {
  epoch: 3,
  step: 1173,
  learningRate: 0.0421,
  trainLoss: 0.8123,
  trainAccuracy: 0.7119,
  testLoss: 0.75,
  testAccuracy: 0.74125,
  seconds: 118.2,
  imagesPerSecond: 3310.4,
  tensorBytes: 1,
  data: "CIFAR-10",
  weights: "random",
};

Deno.test("the live line tells epoch, step, loss, accuracy, learning rate, speed and time left", async () => {
  const { progress, lines } = await start();
  progress.onStart(START);
  progress.onStep(STEP);
  assert.deepEqual(lines(), [
    "epoch  3/12 ━━━━━━━━━━━──────── " +
    " 61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 images/s 1:01:01 left (epoch 00:12)",
  ]);
});

Deno.test("the live line never reaches the last column, and loses the least important first", async () => {
  const seen: string[] = [];
  for (let columns = 1; columns <= 130; columns++) {
    const { progress, last } = await start({ columns });
    progress.onStart(START);
    progress.onStep(STEP);
    assert(last().length < columns, `${last().length} of ${columns}`);
    const parts = last().replaceAll(/[━─]+ /g, "");
    if (columns > 17 && seen.at(-1) !== parts) seen.push(parts);
  }
  assert.deepEqual(seen.slice(-8), [
    "epoch  3/12  61 %",
    "epoch  3/12  61 % 1:01:01 left",
    "epoch  3/12  61 % loss 0.812 1:01:01 left",
    "epoch  3/12  61 % loss 0.812 acc 71.2 % 1:01:01 left",
    "epoch  3/12  61 % loss 0.812 acc 71.2 % 3,310 images/s 1:01:01 left",
    "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % 3,310 images/s 1:01:01 left",
    "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 images/s 1:01:01 left",
    "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 images/s 1:01:01 left (epoch 00:12)",
  ]);
});

Deno.test("at 60 columns the run's time left is visible beside a bar", async () => {
  const { progress, last } = await start({ columns: 60 });
  progress.onStart(START);
  progress.onStep(STEP);
  assert.equal(last(), "epoch  3/12 ━━━───  61 % loss 0.812 acc 71.2 % 1:01:01 left");
});

Deno.test("what was not read yet is left out", async () => {
  const { progress, last } = await start({ columns: 80 });
  progress.onStep({ ...STEP, loss: null, accuracy: null, totalSecondsLeft: undefined });
  assert.equal(last(), "epoch 3/3 ━━━━━━━━━──────  61 % 240/391 3,310 images/s 00:12 left in this epoch");
});

Deno.test("the live line is drawn ten times a second at most, and always for the last step", async () => {
  const { options, clock } = createTerminal();
  let drawings = 0;
  const stream = { isTerminal: () => true, writeSync: ({ length }: Uint8Array) => (drawings++, length) };
  const progress = createProgress(await createLive({ ...options, stream }));
  progress.onStart(START);
  for (let step = 1; step <= 391; step++) {
    clock.milliseconds += 5;
    progress.onStep({ ...STEP, step });
  }
  assert.equal(drawings, 1 + Math.floor(390 * 5 / 100) + 1);
});

Deno.test("a message and an epoch's summary stay above the live line", async () => {
  const { progress, lines, last } = await start();
  progress.onStart(START);
  progress.onStep(STEP);
  const bar = last();
  progress.onMessage("The data is synthetic.");
  assert.deepEqual(lines(), ["The data is synthetic.", bar]);
  progress.onEpoch(RECORD, true);
  const epoch =
    "epoch  3/12  train loss 0.812, 71.2 %  test loss 0.750, 74.13 %  01:58  3,310 images/s  best";
  assert.deepEqual(lines(), ["The data is synthetic.", epoch]);
  progress.onStep(STEP);
  assert.equal(last(), bar);
  progress.onEnd();
  progress.onEnd();
  assert.deepEqual(lines(), ["The data is synthetic.", epoch]);
});

for (
  const [columns, line] of [
    [80, "epoch  3/12  train loss 0.812, 71.2 %  test loss 0.750, 74.13 %  01:58  best"],
    [60, "epoch  3/12  train 71.2 %  test 74.13 %  01:58  best"],
  ] as const
) {
  Deno.test(`an epoch's summary fits ${columns} columns, and a message is wrapped between words`, async () => {
    const { progress, lines } = await start({ columns });
    progress.onStart(START);
    progress.onEpoch(RECORD, true);
    progress.onMessage("word ".repeat(20).trim());
    const words = "word ".repeat(columns / 5).trim();
    assert.deepEqual(lines(), [line, words, "word ".repeat(20 - columns / 5).trim()]);
  });
}

Deno.test("held-out images are called validation", async () => {
  const { progress, lines } = await start({ columns: 62 });
  progress.onStart({ ...START, testedOn: "validation" });
  progress.onTest({ epoch: 3, step: 10, steps: 20 });
  assert.deepEqual(lines(), ["epoch  3/12 ━━━━━━━━━━━━━━━───────────────  50 % validating"]);
  progress.onEpoch(RECORD, false);
  assert.deepEqual(lines(), ["epoch  3/12  train 71.2 %  validation 74.13 %  01:58"]);
});

Deno.test("without a terminal a line comes every 30 s and after each epoch, and nothing else", async () => {
  const { progress, clock, lines } = await start({ interactive: false, columns: 80 });
  progress.onStart(START);
  for (let step = 1; step <= 391; step++) {
    clock.milliseconds += 100;
    progress.onStep({ ...STEP, step });
  }
  progress.onTest({ epoch: 3, step: 1, steps: 1 });
  progress.onEpoch({ ...RECORD, learningRate: 4.2e-7 }, false);
  progress.onEnd();
  assert.deepEqual(lines(), [
    "epoch  3/12  76 % 300/391 loss 0.812 acc 71.2 % 3,310 images/s 1:01:01 left",
    "epoch  3/12  train loss 0.812, 71.2 %  test loss 0.750, 74.13 %  01:58",
  ]);
});

Deno.test("the line after 30 s is left out where the epoch's summary follows at once", async () => {
  const { progress, clock, lines } = await start({ interactive: false });
  progress.onStart(START);
  clock.milliseconds += 30_000;
  progress.onStep({ ...STEP, step: 391 });
  assert.deepEqual(lines(), [""]);
});

Deno.test("a bar is heavy for what is done, and stays within its width", () => {
  assert.equal(formatBar(0, 4), "────");
  assert.equal(formatBar(0.5, 4), "━━──");
  assert.equal(formatBar(0.99, 4), "━━━─");
  assert.equal(formatBar(1, 4), "━━━━");
  assert.equal(formatBar(1.5, 4), "━━━━");
  assert.equal(formatBar(0.5, 4, true), "\x1b[36m━━\x1b[2m──\x1b[0m");
});

Deno.test("colours take no columns", () => {
  const parts = [{ text: "abc", rank: 0 }, { text: "def", rank: 1 }];
  const plain = fitLine(parts, { done: 0.5, color: false, before: 1 }, 20);
  const colored = fitLine(parts, { done: 0.5, color: true, before: 1 }, 20);
  // deno-lint-ignore no-control-regex
  assert.equal(colored.replaceAll(/\x1b\[\d+m/g, ""), plain);
  assert.equal(plain.length, 20);
});

Deno.test("live lines are redrawn in place, below the lines that stay", async () => {
  const terminal = createTerminal();
  const live = await createLive(terminal.options);
  live.draw(() => "one\ntwo long\nthree");
  live.print("stays");
  live.draw(() => "1\n2", { now: true });
  assert.deepEqual(terminal.lines(), ["stays", "1", "2"]);
  live.leave();
  live.print("after");
  assert.deepEqual(terminal.lines(), ["stays", "1", "2", "after"]);
});

Deno.test("live lines are never more than their terminal's rows", async () => {
  const terminal = createTerminal({ rows: 3 });
  const live = await createLive(terminal.options);
  live.draw(() => "1\n2\n3\n4");
  assert.deepEqual(terminal.lines(), ["1", "2"]);
});

for (const interactive of [true, false]) {
  Deno.test(`a closed ${interactive ? "terminal" : "pipe"} or a full disk ends the drawing, not the work; another failure is not hidden`, async () => {
    const failing = (error: Error) => ({
      isTerminal: () => interactive,
      writeSync: () => {
        throw error;
      },
    });
    for (const code of ["EPIPE", "EIO", "ENOSPC", "EAGAIN", "EBADF"]) {
      const error = Object.assign(new Error(code), { code });
      const live = await createLive({ stream: failing(error), interactive });
      live.print("hello");
      live.draw(() => "bar");
      live.clear();
    }
    const overQuota = await createLive({ stream: failing(new Error("x (os error 122)")), interactive });
    overQuota.print("hello");
    const broken = await createLive({ stream: failing(new TypeError("bug")), interactive });
    assert.throws(() => broken.print("hello"), /bug/);
  });
}

for (
  const [columns, line] of [
    [100, "CIFAR-10 ━━━━━━━━━━━━━━────────────────  47 % 80.0 MB of 170.0 MB 3.0 MB/s 00:30 left"],
    [60, "CIFAR-10 ━━━━━━───────  47 % 80.0 MB of 170.0 MB 00:30 left"],
  ] as const
) {
  Deno.test(`a download shows its percentage, speed and time left, from where it was resumed, on ${columns} columns`, async () => {
    const { options, clock, lines } = createTerminal({ columns });
    const progress = createDownloadProgress("CIFAR-10", await createLive(options), { now: options.now });
    progress(50e6, 170e6);
    clock.milliseconds += 10_000;
    progress(80e6, 170e6);
    assert.deepEqual(lines(), [line]);
  });
}

Deno.test("a download where there is no terminal is one line", async () => {
  const { options, lines } = createTerminal({ interactive: false });
  const progress = createDownloadProgress("CIFAR-10", await createLive(options));
  for (let bytes = 0; bytes <= 170e6; bytes += 17e6) progress(bytes, 170e6);
  assert.deepEqual(lines(), ["CIFAR-10: downloading 170.0 MB"]);
});
