import assert from "node:assert/strict";
import { createDownloadProgress } from "../../cli/shared/download_progress.ts";
import { createLiveLine, fitLine, formatBar } from "../../cli/shared/live_line.ts";
import { createProgress, type ProgressStart } from "../../cli/shared/progress.ts";
import type { TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";

/** Collects what is written, and has a clock that the test moves. */
function createScreen({ interactive = true, width = 120 } = {}) {
  let text = "";
  const clock = { milliseconds: 0 };
  const stream = {
    writeSync: (bytes: Uint8Array) => (text += new TextDecoder().decode(bytes), bytes.length),
    isTerminal: () => interactive,
  };
  return {
    clock,
    options: { stream, interactive, width: () => width, color: false, now: () => clock.milliseconds },
    /** What was written since the last look. */
    take: () => [text, text = ""][0],
  };
}

const START: ProgressStart = { epochs: 12, testedOn: "test" };
const STEP: TrainStep = {
  epoch: 3,
  step: 240,
  steps: 391,
  loss: 0.8123,
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

Deno.test("the live line tells epoch, step, loss, accuracy, learning rate, speed and time left", () => {
  const { options, take } = createScreen();
  const progress = createProgress(options);
  progress.onStart(START);
  progress.onStep(STEP);
  assert.equal(
    take(),
    "\repoch  3/12 ━━━━━━━━━━━━━───────── " +
      " 61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 img/s 00:12 left (total 1:01:01)\x1b[K",
  );
});

Deno.test("the live line never reaches the last column, and loses the least important first", () => {
  const seen: string[] = [];
  for (let width = 1; width <= 130; width++) {
    const { options, take } = createScreen({ width });
    const progress = createProgress(options);
    progress.onStart(START);
    progress.onStep(STEP);
    const line = take().replace("\r", "").replace("\x1b[K", "");
    assert(line.length < width, `${line.length} of ${width}`);
    if (seen.at(-1) !== line.replaceAll(/[━─]+ /g, "")) seen.push(line.replaceAll(/[━─]+ /g, ""));
  }
  assert.deepEqual(
    seen.slice(-9).map((line) => line.trimEnd()),
    [
      "epoch  3/12  61 %",
      "epoch  3/12  61 % loss 0.812",
      "epoch  3/12  61 % loss 0.812 acc 71.2 %",
      "epoch  3/12  61 % loss 0.812 acc 71.2 % 00:12 left",
      "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % 00:12 left",
      "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % 3,310 img/s 00:12 left",
      "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 img/s 00:12 left",
      "epoch  3/12  61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 img/s 00:12 left (total 1:01:01)",
    ].toSpliced(0, 0, seen.at(-9)!.trimEnd()),
  );
});

Deno.test("what was not read yet is left out", () => {
  const { options, take } = createScreen({ width: 80 });
  createProgress(options).onStep({ ...STEP, loss: null, accuracy: null, totalSecondsLeft: undefined });
  assert.equal(
    take(),
    "\repoch 3/3 ━━━━━━━━━━━━━───────── " + " 61 % 240/391 lr 0.0421 3,310 img/s 00:12 left\x1b[K",
  );
});

Deno.test("the live line is drawn ten times a second at most, and always for the last step", () => {
  const { options, clock, take } = createScreen();
  const progress = createProgress(options);
  progress.onStart(START);
  for (let step = 1; step <= 391; step++) {
    clock.milliseconds += 5;
    progress.onStep({ ...STEP, step });
  }
  const drawings = take().split("\r").length - 1;
  assert.equal(drawings, 1 + Math.floor(390 * 5 / 100) + 1);
});

Deno.test("a message and an epoch's summary stay above the live line", () => {
  const { options, take } = createScreen();
  const progress = createProgress(options);
  progress.onStart(START);
  progress.onStep(STEP);
  const live = take();
  progress.onMessage("The data is synthetic.");
  assert.equal(take(), `\r\x1b[KThe data is synthetic.\n${live}`);
  progress.onEpoch(RECORD, true);
  assert.equal(
    take(),
    "\r\x1b[Kepoch  3/12  train loss 0.812 acc 71.2 %  test loss 0.750 acc 74.13 %  01:58  3,310 img/s  best\n",
  );
  progress.onStep(STEP);
  take();
  progress.onEnd();
  assert.equal(take(), "\r\x1b[K");
  progress.onEnd();
  assert.equal(take(), "");
});

Deno.test("held-out images are called validation", () => {
  const { options, take } = createScreen({ width: 60 });
  const progress = createProgress(options);
  progress.onStart({ ...START, testedOn: "validation" });
  progress.onTest({ epoch: 3, step: 10, steps: 20 });
  assert.equal(take(), "\repoch  3/12 ━━━━━━━━━━━━━━━───────────────  50 % validating\x1b[K");
  progress.onEpoch(RECORD, false);
  assert.match(take(), /validation loss 0\.750 acc 74\.13 % {2}01:58 {2}3,310 img\/s\n$/);
});

Deno.test("where there is no terminal a line comes every 30 s and after each epoch, and nothing else", () => {
  const { options, clock, take } = createScreen({ interactive: false });
  const progress = createProgress(options);
  progress.onStart(START);
  for (let step = 1; step <= 391; step++) {
    clock.milliseconds += 100;
    progress.onStep({ ...STEP, step });
  }
  progress.onTest({ epoch: 3, step: 1, steps: 1 });
  progress.onEpoch({ ...RECORD, learningRate: 4.2e-7 }, false);
  progress.onEnd();
  assert.equal(
    take(),
    "epoch  3/12  76 % 300/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 img/s 00:12 left (total 1:01:01)\n" +
      "epoch  3/12  train loss 0.812 acc 71.2 %  test loss 0.750 acc 74.13 %  01:58  3,310 img/s\n",
  );
});

Deno.test("the line after 30 s is left out where the epoch's summary follows at once", () => {
  const { options, clock, take } = createScreen({ interactive: false });
  const progress = createProgress(options);
  progress.onStart(START);
  clock.milliseconds += 30_000;
  progress.onStep({ ...STEP, step: 391 });
  assert.equal(take(), "");
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

Deno.test("a closed terminal ends the drawing, not the work; another failure is not hidden", () => {
  const failing = (error: Error & { code?: string }) => ({
    isTerminal: () => true,
    writeSync: () => {
      throw error;
    },
  });
  createLiveLine({ stream: failing(Object.assign(new Error(), { code: "EPIPE" })) }).print("hello");
  createLiveLine({ stream: failing(Object.assign(new Error(), { code: "EIO" })) }).print("hello");
  const full = Object.assign(new Error("disk full"), { code: "ENOSPC" });
  assert.throws(() => createLiveLine({ stream: failing(full) }).print("hello"), full);
});

Deno.test("a download shows its share, speed and time left, from where it was resumed", () => {
  const { options, clock, take } = createScreen({ width: 100 });
  const progress = createDownloadProgress("CIFAR-10", options);
  progress.onDownload(50e6, 170e6);
  take();
  clock.milliseconds += 10_000;
  progress.onDownload(80e6, 170e6);
  assert.equal(
    take(),
    "\rCIFAR-10 ━━━━━━━━━━━━━━──────────────── " + " 47 % 80.0 MB of 170.0 MB 3.0 MB/s 00:30 left\x1b[K",
  );
  progress.close();
  assert.equal(take(), "\r\x1b[K");
});

Deno.test("a download where there is no terminal is one line", () => {
  const { options, take } = createScreen({ interactive: false });
  const progress = createDownloadProgress("CIFAR-10", options);
  for (let bytes = 0; bytes <= 170e6; bytes += 17e6) progress.onDownload(bytes, 170e6);
  progress.close();
  assert.equal(take(), "CIFAR-10: fetching 170.0 MB\n");
});
