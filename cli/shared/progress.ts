import type { TrainObserver, TrainStart, TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { createLiveLine, fitLine, type LiveLineOptions } from "./live_line.ts";
import { formatCount, formatDuration, formatPercent, formatRate } from "./units.ts";

/** Seconds of an epoch after which a line is printed where there is no terminal to draw a bar on. */
const SECONDS_BETWEEN_LINES = 30;

/** What of the start of a training the bar needs to know. */
export type ProgressStart = Pick<TrainStart, "epochs" | "testedOn">;

/** A {@linkcode TrainObserver} that shows what it is told. */
export type TrainingDisplay = Required<Omit<TrainObserver, "onStart">> & {
  onStart(start: ProgressStart): void;
};

/**
 * Shows a training on standard error: a live bar on a terminal, else a line an epoch and one every 30 s; a summary line an epoch
 * stays on both.
 *
 * ```text
 * epoch 3/12 ━━━━━━━━━━━─────── 61 % 240/391 loss 0.812 acc 71.2 % lr 0.0421 3,310 img/s 00:46 left (total 18:31)
 * ```
 */
export function createProgress(options: LiveLineOptions = {}): TrainingDisplay {
  const line = createLiveLine(options);
  const now = options.now ?? (() => performance.now());
  let start: ProgressStart | null = null;
  let lastLine = now();
  const epochOf = (epoch: number) => `epoch ${padLike(epoch, start?.epochs ?? epoch)}`;
  return {
    onStart(info) {
      start = info;
      lastLine = now();
    },
    onStep(step) {
      const isLast = step.step === step.steps;
      line.draw((columns) => formatStep(epochOf(step.epoch), step, columns, line.color), { now: isLast });
      if (!line.interactive && !isLast && now() - lastLine >= SECONDS_BETWEEN_LINES * 1000) {
        line.print(stepParts(epochOf(step.epoch), step).map(({ text }) => text).filter(Boolean).join(" "));
        lastLine = now();
      }
    },
    onTest({ epoch, step, steps }) {
      const parts = [
        { text: epochOf(epoch), rank: 0 },
        { text: percent(step / steps), rank: 1 },
        { text: start?.testedOn === "validation" ? "validating" : "testing", rank: 2 },
      ];
      line.draw((columns) => fitLine(parts, { done: step / steps, color: line.color, before: 1 }, columns));
    },
    onEpoch(record, isBest) {
      line.clear();
      line.print(formatEpoch(epochOf(record.epoch), record, isBest, start?.testedOn ?? "test"));
      lastLine = now();
    },
    onMessage(text) {
      line.print(text);
    },
    onEnd() {
      line.clear();
    },
  };
}

function formatStep(epoch: string, step: TrainStep, columns: number, color: boolean): string {
  return fitLine(stepParts(epoch, step), { done: step.step / step.steps, color, before: 1 }, columns);
}

function stepParts(epoch: string, step: TrainStep) {
  const { loss, accuracy, totalSecondsLeft } = step;
  return [
    { text: epoch, rank: 0 },
    { text: percent(step.step / step.steps), rank: 1 },
    { text: padLike(step.step, step.steps), rank: 5 },
    { text: loss === null ? "" : `loss ${loss.toFixed(3)}`, rank: 2 },
    { text: accuracy === null ? "" : `acc ${formatPercent(accuracy)}`, rank: 3 },
    { text: `lr ${formatRate(step.learningRate)}`, rank: 7 },
    { text: `${formatCount(step.imagesPerSecond)} img/s`, rank: 6 },
    { text: `${formatDuration(step.secondsLeft)} left`, rank: 4 },
    { text: totalSecondsLeft === undefined ? "" : `(total ${formatDuration(totalSecondsLeft)})`, rank: 8 },
  ];
}

function formatEpoch(epoch: string, record: EpochRecord, isBest: boolean, testedOn: string): string {
  return [
    epoch,
    `train loss ${record.trainLoss.toFixed(3)} acc ${formatPercent(record.trainAccuracy)}`,
    `${testedOn} loss ${record.testLoss.toFixed(3)} acc ${formatPercent(record.testAccuracy, 2)}`,
    `${formatDuration(record.seconds)}`,
    `${formatCount(record.imagesPerSecond)} img/s`,
    isBest ? "best" : "",
  ].filter(Boolean).join("  ");
}

/** `3/12` with the first number as wide as the second, so that nothing moves. */
function padLike(number: number, total: number): string {
  return `${String(number).padStart(String(total).length)}/${total}`;
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`.padStart(5);
}
