import { join } from "@std/path";
import { formatNumber, formatPercent } from "../../lib/support/format.ts";
import { trainingCurves } from "../../lib/figures/training_curves.ts";
import { Interrupted, watchInterrupts } from "../../lib/support/interrupt.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import type { TrainObserver, TrainStart, TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { defaultRunsFolder, findCheckpoint, removeRun } from "../../lib/training/run_folder.ts";
import { train, type TrainOptions, type TrainResult } from "../../lib/training/train.ts";
import { createLivePlace, displayFigure } from "./display.ts";

export interface TrainLiveOptions extends Omit<TrainOptions, "observer" | "runsFolder" | "resume"> {
  /** Name of the run to resume. */
  resume?: string;
  /** Draw curves too, after every epoch. @default true */
  curves?: boolean;
}

const MILLISECONDS_BETWEEN_DRAWINGS = 250;
const BAR_LENGTH = 24;

/** Folder of the notebooks' own trainings: `checkpoints/notebooks`. */
export function notebookRunsFolder(): string {
  return join(defaultRunsFolder(), "notebooks");
}

/**
 * Runs {@linkcode train} in a notebook: one line per epoch, a progress bar and curves, all redrawn in their
 * place.
 *
 * A run of the same name that an earlier execution left is replaced, unless it is resumed. ■ in the toolbar
 * stops the training as Ctrl-C does elsewhere: all is saved.
 *
 * @returns The training's result, and the loss of every step that was taken here.
 * @throws As {@linkcode train}.
 */
export async function trainLive(
  config: TrainConfig,
  { curves = true, resume, ...options }: TrainLiveOptions = {},
) {
  const view = createTrainingView(curves);
  using interrupts = watchInterrupts(() => {}); // the kernel and its variables stay
  try {
    const { observer, losses } = view;
    return { ...await run(config, resume, { signal: interrupts.signal, ...options, observer }), losses };
  } finally {
    await view.finish();
  }
}

/**
 * Trains until a step is reached and stops there, within the epoch, as Ctrl-C would. The training checks for
 * it a few times per second, so it stops at that step or soon after.
 *
 * @param step Counted over all epochs, 1 for the first.
 * @returns The training's message as it stopped.
 * @throws {RangeError} If the training is done before.
 */
export async function trainUntil(
  config: TrainConfig,
  step: number,
  { resume, ...options }: Omit<TrainLiveOptions, "signal" | "curves"> = {},
): Promise<string> {
  const stop = new AbortController();
  const observer: TrainObserver = {
    onStep({ epoch, step: done, steps }) {
      if ((epoch - 1) * steps + done >= step) stop.abort();
    },
  };
  try {
    await run(config, resume, { ...options, observer, signal: stop.signal });
  } catch (error) {
    if (error instanceof Interrupted) return error.message;
    throw error;
  }
  throw new RangeError(`The training was done before step ${step}.`);
}

async function run(
  config: TrainConfig,
  resume: string | undefined,
  options: Omit<TrainOptions, "resume">,
): Promise<TrainResult> {
  const runsFolder = notebookRunsFolder();
  const folder = join(runsFolder, config.run);
  if (resume === undefined) removeRun(folder);
  const checkpoint = resume === undefined
    ? null
    : await openCheckpoint(findCheckpoint(resume, "last", runsFolder));
  try {
    return await train(config, { ...options, runsFolder, resume: checkpoint });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(`${error.message} To continue, give \`resume: "${config.run}"\`.`);
  }
}

function createTrainingView(hasCurves: boolean) {
  const [showText, showFigure] = [createLivePlace(), createLivePlace()];
  const lines: string[] = [];
  const history: EpochRecord[] = [];
  const losses: number[] = [];
  let start: TrainStart | undefined;
  let drawn = -Infinity;
  const drawings: Promise<void>[] = [];
  const draw = (...current: string[]) => {
    const text = [...lines, ...current].join("\n");
    if (text !== "") drawings.push(showText({ "text/plain": text }));
    drawn = performance.now();
  };
  const observer: TrainObserver = {
    onStart: (info) => void (start = info),
    onMessage(message) {
      lines.push(message);
      draw();
    },
    onStep(step) {
      losses.push(...step.losses);
      if (performance.now() - drawn >= MILLISECONDS_BETWEEN_DRAWINGS) draw(describeStep(step, start!));
    },
    onEpoch(record, isBest) {
      lines.push(describeEpoch(record, isBest));
      history.push(record);
      draw();
      if (!hasCurves) return;
      const { config, epochs } = start!;
      const figure = trainingCurves([{ name: config.variant, history }], {
        epochs,
        title: `Training ${config.run}, ${record.epoch} of ${epochs} epochs`,
        subtitle: `Data: ${record.data}. Initial weights: ${record.weights}.`,
      });
      drawings.push(displayFigure(figure, showFigure));
    },
  };
  return {
    observer,
    losses,
    async finish() {
      draw(); // without the bar
      await Promise.all(drawings);
    },
  };
}

function describeStep(
  { epoch, step, steps, loss, accuracy, imagesPerSecond, secondsLeft }: TrainStep,
  { epochs }: TrainStart,
): string {
  const filled = Math.round(BAR_LENGTH * step / steps);
  return [
    `epoch ${epoch}/${epochs} ${"━".repeat(filled)}${"─".repeat(BAR_LENGTH - filled)} ${step}/${steps}`,
    ...(loss === null ? [] : [`loss ${formatNumber(loss, 3)}`]),
    ...(accuracy === null ? [] : [`accuracy ${formatPercent(accuracy)}`]),
    `${Math.round(imagesPerSecond)} images/s`,
    `${Math.round(secondsLeft)} s left`,
  ].join(" · ");
}

function describeEpoch(record: EpochRecord, isBest: boolean): string {
  const score = (loss: number, accuracy: number) => `${formatNumber(loss, 3)}, ${formatPercent(accuracy)}`;
  return [
    `epoch ${record.epoch}: training ${score(record.trainLoss, record.trainAccuracy)}`,
    `test ${score(record.testLoss, record.testAccuracy)}`,
    `${formatNumber(record.seconds, 1)} s`,
    ...isBest ? ["best, saved"] : [],
  ].join(" · ");
}
