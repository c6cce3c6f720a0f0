import { join } from "@std/path";
import { formatNumber, formatPercent } from "../../lib/support/format.ts";
import { trainingCurves } from "../../lib/figures/training_curves.ts";
import { Interrupted, watchInterrupts } from "../../lib/support/interrupt.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import type { TrainObserver, TrainStart, TrainStep } from "../../lib/training/observer.ts";
import type { EpochRecord } from "../../lib/training/progress.ts";
import { type Checkpoint, openCheckpoint } from "../../lib/training/checkpoint.ts";
import { defaultRunsFolder, findCheckpoint } from "../../lib/training/run_folder.ts";
import { train, type TrainOptions, type TrainResult } from "../../lib/training/train.ts";
import { createLivePlace } from "./display.ts";
import { createLiveFigure } from "./figures.ts";

/** Options of {@linkcode trainLive}. */
export interface TrainLiveOptions extends Omit<TrainOptions, "observer" | "runsFolder" | "resume"> {
  /** Name of the run to resume. */
  resume?: string;
  /** Draw curves too, anew after every epoch. @default true */
  curves?: boolean;
}

const MILLISECONDS_BETWEEN_DRAWINGS = 250;
const BAR_LENGTH = 24;

/** Where the notebooks' own trainings are kept: `checkpoints/notebooks`. */
export function notebookRunsFolder(): string {
  return join(defaultRunsFolder(), "notebooks");
}

/**
 * {@linkcode train} in a notebook: a line an epoch and a bar for the one that is running, and curves, all drawn anew in their place.
 *
 * A run of the same name that an earlier execution left is replaced, unless it is resumed. The toolbar's ■ stops the training as Ctrl-C
 * does elsewhere: all is saved.
 *
 * @throws As {@linkcode train}.
 */
export async function trainLive(config: TrainConfig, options: TrainLiveOptions = {}): Promise<TrainResult> {
  const { curves = true, resume, ...rest } = options;
  const view = createTrainingView(curves);
  const runsFolder = notebookRunsFolder();
  const checkpoint = await openOrReplace(runsFolder, config, resume);
  using interrupts = watchInterrupts(); // ■ in the toolbar, which would else end the kernel
  try {
    const signal = rest.signal ?? interrupts.signal;
    return await train(config, { ...rest, resume: checkpoint, runsFolder, observer: view.observer, signal });
  } catch (error) {
    throw error instanceof Interrupted ? new Interrupted(describeStop(error, config)) : error;
  } finally {
    await view.finish();
  }
}

/**
 * Trains until a step is reached and stops there, as Ctrl-C would: within the epoch, with all saved. The training looks up a few times a
 * second, so it stops at that step or soon after.
 *
 * @param step Of all epochs, 1 for the first.
 * @returns What the training said as it stopped.
 * @throws {RangeError} If the training is done before.
 */
export async function trainUntil(
  config: TrainConfig,
  step: number,
  { resume, ...options }: Omit<TrainLiveOptions, "signal" | "curves"> = {},
): Promise<string> {
  const stop = new AbortController();
  const runsFolder = notebookRunsFolder();
  const checkpoint = await openOrReplace(runsFolder, config, resume);
  const observer: TrainObserver = {
    onStep({ epoch, step: done, steps }) {
      if ((epoch - 1) * steps + done >= step) stop.abort();
    },
  };
  try {
    await train(config, { ...options, resume: checkpoint, runsFolder, observer, signal: stop.signal });
  } catch (error) {
    if (error instanceof Interrupted) return describeStop(error, config);
    throw error;
  }
  throw new RangeError(`The training was done before step ${step}.`);
}

function describeStop({ message }: Interrupted, { run }: TrainConfig): string {
  return `${message} To continue, give \`resume: "${run}"\`.`;
}

/** Opens the checkpoint of a run to resume, or removes what an earlier execution left of a new one. */
async function openOrReplace(
  runsFolder: string,
  { run }: TrainConfig,
  resume?: string,
): Promise<Checkpoint | null> {
  if (resume !== undefined) return await openCheckpoint(findCheckpoint(resume, "last", runsFolder));
  await removeIfThere(join(runsFolder, run));
  return null;
}

async function removeIfThere(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function createTrainingView(hasCurves: boolean): { observer: TrainObserver; finish(): Promise<void> } {
  const text = createLivePlace();
  const figure = createLiveFigure();
  const lines: string[] = [];
  const history: EpochRecord[] = [];
  let start: TrainStart | undefined;
  let drawn = -Infinity;
  let drawings: Promise<unknown> = Promise.resolve();
  const draw = (current?: string) => {
    const shown = current === undefined ? lines : [...lines, current];
    if (shown.length > 0) drawings = Promise.all([drawings, text.show({ "text/plain": shown.join("\n") })]);
    drawn = performance.now();
  };
  const observer: TrainObserver = {
    onStart(info) {
      start = info;
    },
    onMessage(message) {
      lines.push(message);
      draw();
    },
    onStep(step) {
      if (performance.now() - drawn >= MILLISECONDS_BETWEEN_DRAWINGS) draw(describeStep(step, start!));
    },
    onEpoch(record, isBest) {
      lines.push(describeEpoch(record, isBest));
      history.push(record);
      draw();
      if (!hasCurves) return;
      const { config, epochs } = start!;
      drawings = Promise.all([
        drawings,
        figure.update(
          trainingCurves([{ name: config.variant, history }], {
            epochs,
            title: `Training ${config.run}, ${record.epoch} of ${epochs} epochs`,
            subtitle: `Data: ${record.data}. Weights the backbone starts from: ${record.weights}.`,
          }),
        ),
      ]);
    },
  };
  return {
    observer,
    async finish() {
      draw(); // without the bar
      await drawings;
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
  const { epoch, trainLoss, trainAccuracy, testLoss, testAccuracy, seconds } = record;
  return `epoch ${epoch}: training ${describeScore(trainLoss, trainAccuracy)} · test ${
    describeScore(testLoss, testAccuracy)
  } · ${formatNumber(seconds, 1)} s` +
    (isBest ? " · best, saved" : "");
}

function describeScore(loss: number, accuracy: number): string {
  return `${formatNumber(loss, 3)}, ${formatPercent(accuracy)}`;
}
