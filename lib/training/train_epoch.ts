import * as tf from "../tensorflow/runtime/tf.ts";
import { yieldToEventLoop } from "../support/interrupt.ts";
import { disposeAll } from "../model/state_dict.ts";
import type { BatchSource } from "./batch_source.ts";
import { countBatches } from "../data/batches.ts";
import type { EpochSums, Progress } from "./progress.ts";
import type { TrainConfig } from "./config.ts";
import { createLossMeter } from "./loss_meter.ts";
import type { TrainObserver } from "./observer.ts";
import type { Optimizer, Rates } from "./optimizer.ts";
import type { Stepper } from "./stepper.ts";
import { learningRateAt } from "./schedule.ts";

/** What an epoch works with. */
export interface EpochOptions {
  config: TrainConfig;
  source: BatchSource;
  optimizer: Optimizer;
  stepper: Stepper;
  /** Moved on with each step. */
  progress: Progress;
  observer: TrainObserver;
  /**
   * Called between steps some twenty times a second, when all losses are read and signals have come in; returns whether to go on.
   */
  onPause(): Promise<boolean>;
}

/** A loss that is no number: where the training broke down. */
export class DivergedError extends Error {
  override name = "DivergedError";
  /** @param step Of all epochs, 1 for the first. */
  constructor(readonly step: number) {
    super("the loss is not a finite number");
  }
}

const MILLISECONDS_BETWEEN_PAUSES = 50;

/**
 * Trains the rest of an epoch: all of it, or what is left after `progress.steps` steps.
 *
 * @returns Whether the epoch was finished; not so when `onPause` said to stop.
 * @throws {DivergedError} If a loss is not finite.
 */
export async function trainEpoch(options: EpochOptions): Promise<boolean> {
  const { config, source, optimizer, stepper, progress, onPause } = options;
  const { batchSize, seed, augment, epochs } = config;
  const steps = countBatches(source, batchSize);
  const schedule = { ...config, totalSteps: epochs * steps };
  const order = {
    batchSize,
    seed,
    epoch: progress.epochs,
    shuffle: true,
    augment,
    startStep: progress.steps,
  };
  const meter = createLossMeter();
  const clock = startClock(progress.sums);
  let lastPause = performance.now();
  for (const { values, shape, labels, size } of source.batches(order)) {
    const learningRate = learningRateAt(progress.totalSteps, schedule);
    const rates = makeScalars(optimizer.rates(learningRate, progress.totalSteps + 1));
    const batch = { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
    const { loss, correct } = stepper.advance(batch, rates);
    disposeAll(rates, { ...batch });
    meter.add(loss, correct, size);
    progress.steps++;
    progress.totalSteps++;

    const isLast = progress.steps === steps;
    if (!isLast && performance.now() - lastPause < MILLISECONDS_BETWEEN_PAUSES) continue;
    const lost = await meter.read(progress.sums);
    clock.read();
    if (lost !== null) throw new DivergedError(progress.totalSteps - lost);
    report(options, steps, learningRate);
    await yieldToEventLoop();
    const goOn = await onPause();
    if (!goOn && !isLast) return false;
    clock.skip(); // what the pause took is not training
    lastPause = performance.now();
  }
  return true;
}

function makeScalars(numbers: Record<string, number>): Rates {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, tf.scalar(value)]));
}

/** Tells the observer how far the training is. */
function report({ config, progress, observer }: EpochOptions, steps: number, learningRate: number): void {
  const { sums, history } = progress;
  const secondsPerStep = sums.seconds / progress.steps;
  const last = history.at(-1);
  const testSeconds = last ? last.seconds - steps * secondsPerStep : 0;
  const epochsLeft = config.epochs - progress.epochs;
  observer.onStep?.({
    epoch: progress.epochs + 1,
    step: progress.steps,
    steps,
    loss: sums.loss / sums.images,
    accuracy: sums.correct / sums.images,
    learningRate,
    imagesPerSecond: sums.images / sums.seconds,
    secondsLeft: (steps - progress.steps) * secondsPerStep,
    totalSecondsLeft: (epochsLeft * steps - progress.steps) * secondsPerStep +
      epochsLeft * Math.max(0, testSeconds),
  });
}

/** Adds up the seconds of an epoch, those of earlier sittings included. */
function startClock(sums: EpochSums): { read(): void; skip(): void } {
  let since = performance.now();
  const skip = () => void (since = performance.now());
  return {
    read: () => {
      sums.seconds += (performance.now() - since) / 1000;
      skip();
    },
    skip,
  };
}
