import type { TrainObserver, TrainStart, TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatRate,
} from "../../lib/support/format.ts";
import { fitLine, type LinePart, type Live } from "./live.ts";
import { consoleSize } from "./terminal.ts";

/** Seconds of an epoch after which a line is printed where there is no terminal to draw a bar on. */
const SECONDS_BETWEEN_LINES = 30;

/** Clock and width, for tests. */
export interface ProgressOptions {
  /** Clock in milliseconds. */
  now?: () => number;
  /** Columns for lines that stay. @default {the terminal's, 80 where there is none} */
  width?: () => number;
}

/** The part of a training's start that the bar shows. */
export type ProgressStart = Pick<TrainStart, "epochs" | "testedOn">;

/** A {@linkcode TrainObserver} that shows a training. */
export type TrainingDisplay = Required<Omit<TrainObserver, "onStart">> & {
  onStart(start: ProgressStart): void;
};

/**
 * Shows a training: one line per epoch that stays, and a live bar on a terminal, else one line per 30 s.
 *
 * ```text
 * epoch 3/12 ━━━━━━━━━━━─────── 61 % 240/391 loss 0.812 acc 71.2 % 18:31 left
 * ```
 */
export function createProgress(live: Live, options: ProgressOptions = {}): TrainingDisplay {
  const { now = () => performance.now(), width = () => live.interactive ? consoleSize().columns : 80 } =
    options;
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
      const parts = stepParts(epochOf(step.epoch), step);
      const bar = { done: step.step / step.steps, color: live.color, before: 1 };
      live.draw(({ columns }) => fitLine(parts, bar, columns), { now: isLast });
      if (!live.interactive && !isLast && now() - lastLine >= SECONDS_BETWEEN_LINES * 1000) {
        live.print(fitLine(parts, null, width()));
        lastLine = now();
      }
    },
    onTest({ epoch, step, steps }) {
      const parts = [
        { text: epochOf(epoch), rank: 0 },
        { text: percentDone(step / steps), rank: 1 },
        { text: start?.testedOn === "validation" ? "validating" : "testing", rank: 2 },
      ];
      const bar = { done: step / steps, color: live.color, before: 1 };
      live.draw(({ columns }) => fitLine(parts, bar, columns));
    },
    onEpoch(record, isBest) {
      live.clear();
      live.print(formatEpoch(epochOf(record.epoch), record, isBest, start?.testedOn ?? "test", width()));
      lastLine = now();
    },
    onMessage: (text) => live.print(text),
    onEnd: () => live.clear(),
  };
}

function stepParts(epoch: string, step: TrainStep): LinePart[] {
  const { loss, accuracy, secondsLeft, totalSecondsLeft: total } = step;
  const isKnown = total !== undefined && total !== null;
  const left = isKnown
    ? `${formatDuration(total)} left`
    : `${formatDuration(secondsLeft)} left in this epoch`;
  return [
    { text: epoch, rank: 0 },
    { text: percentDone(step.step / step.steps), rank: 1 },
    { text: padLike(step.step, step.steps), rank: 6 },
    { text: loss === null ? "" : `loss ${loss.toFixed(3)}`, rank: 3 },
    { text: accuracy === null ? "" : `acc ${formatPercent(accuracy)}`, rank: 4 },
    { text: `lr ${formatRate(step.learningRate)}`, rank: 7 },
    { text: `${formatCount(step.imagesPerSecond)} images/s`, rank: 5 },
    { text: left, rank: 2 },
    { text: isKnown ? `(epoch ${formatDuration(secondsLeft)})` : "", rank: 8 },
  ];
}

/** Formats an epoch in one line, with what fits. */
function formatEpoch(
  epoch: string,
  record: EpochRecord,
  isBest: boolean,
  testedOn: string,
  columns: number,
): string {
  const accuracies = [formatPercent(record.trainAccuracy), formatPercent(record.testAccuracy, 2)];
  const losses = [record.trainLoss, record.testLoss].map((loss) => `loss ${formatNumber(loss, 3)}, `);
  const speed = `  ${formatCount(record.imagesPerSecond)} images/s`;
  const format = ([train, test]: string[], rest: string) =>
    `${epoch}  train ${train}${accuracies[0]}  ${testedOn} ${test}${accuracies[1]}  ` +
    formatDuration(record.seconds) + rest + (isBest ? "  best" : "");
  const lines = [format(losses, speed), format(losses, ""), format(["", ""], "")];
  return lines.find((line) => line.length <= columns) ?? lines[2];
}

/** Formats `3/12` with the first number as wide as the second, so that nothing moves. */
function padLike(number: number, total: number): string {
  return `${String(number).padStart(String(total).length)}/${total}`;
}

function percentDone(done: number): string {
  return `${Math.floor(done * 100)} %`.padStart(5);
}

/**
 * Shows a download: a live bar on a terminal, else one line at the start.
 *
 * @param label Name of the file: `CIFAR-10`.
 * @returns Receives the bytes that are there, and their total where it is known.
 */
export function createDownloadProgress(
  label: string,
  live: Live,
  { now = () => performance.now() }: ProgressOptions = {},
): (bytes: number, total?: number) => void {
  let start: { time: number; bytes: number } | null = null;
  return (bytes, total) => {
    if (start === null) {
      start = { time: now(), bytes };
      if (!live.interactive) {
        live.print(`${label}: downloading${total === undefined ? "" : ` ${formatBytes(total)}`}`);
      }
    }
    const seconds = (now() - start.time) / 1000;
    // bytes of an earlier, interrupted download must not count as speed
    const speed = seconds > 0.5 ? (bytes - start.bytes) / seconds : 0;
    const left = total === undefined || speed === 0 ? null : (total - bytes) / speed;
    const parts = [
      { text: label, rank: 0 },
      { text: total === undefined ? "" : percentDone(bytes / total), rank: 1 },
      { text: formatBytes(bytes) + (total === undefined ? "" : ` of ${formatBytes(total)}`), rank: 3 },
      { text: speed > 0 ? `${formatBytes(speed)}/s` : "", rank: 4 },
      { text: left === null ? "" : `${formatDuration(left)} left`, rank: 2 },
    ];
    const bar = { done: total === undefined ? 0 : bytes / total, color: live.color, before: 1 };
    live.draw(({ columns }) => fitLine(parts, bar, columns));
  };
}
