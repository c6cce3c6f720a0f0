import * as tf from "../tensorflow/runtime/tf.ts";
import { yieldToEventLoop } from "../support/interrupt.ts";
import { countBatches } from "../data/batches.ts";
import { disposeAll } from "../model/state_dict.ts";
import type { BatchSource } from "./batch_source.ts";
import type { TrainConfig } from "./config.ts";
import type { TrainObserver } from "./observer.ts";
import { type Optimizer, toRates } from "./optimizer.ts";
import type { EpochSums, Progress } from "./progress.ts";
import { learningRateAt } from "./schedule.ts";
import type { Stepper } from "./stepper.ts";

export interface EpochOptions {
  config: TrainConfig;
  source: BatchSource;
  optimizer: Optimizer;
  stepper: Stepper;
  /** Updated with each step. */
  progress: Progress;
  observer: TrainObserver;
  /** Called between steps some twenty times per second, with all losses read; false stops. */
  onPause(): Promise<boolean>;
}

/** The loss, a parameter or a score is NaN or infinite; the message is a clause. */
export class DivergedError extends Error {
  override name = "DivergedError";
  /** @param step Step counted over all epochs, 1 for the first. */
  constructor(message: string, readonly step: number, options?: ErrorOptions) {
    super(message, options);
  }
}

const MILLISECONDS_BETWEEN_PAUSES = 50;

/**
 * Trains an epoch from step `progress.steps` on.
 *
 * @returns False where `onPause` stopped it.
 * @throws {DivergedError} If a loss is not finite.
 */
export async function trainEpoch(options: EpochOptions): Promise<boolean> {
  const { config, source, optimizer, stepper, progress, onPause } = options;
  const { batchSize, seed, augment, shift, epochs } = config;
  const steps = countBatches(source, batchSize);
  const schedule = { ...config, totalSteps: epochs * steps };
  const order = {
    batchSize,
    seed,
    epoch: progress.epochs,
    shuffle: true,
    augment,
    shift,
    startStep: progress.steps,
  };
  const meter = createLossMeter();
  const clock = startClock(progress.sums);
  let lastPause = performance.now();
  for (const { values, shape, labels, size } of source.batches(order)) {
    const learningRate = learningRateAt(progress.totalSteps, schedule);
    const rates = toRates(optimizer.rates(learningRate, progress.totalSteps + 1));
    const batch = { images: tf.tensor4d(values, shape), labels: tf.tensor1d(labels, "int32") };
    const { loss, correct } = stepper.advance(batch, rates);
    disposeAll(rates, { ...batch });
    meter.add(loss, correct, size);
    progress.steps++;
    progress.totalSteps++;

    const isLast = progress.steps === steps;
    if (!isLast && performance.now() - lastPause < MILLISECONDS_BETWEEN_PAUSES) continue;
    const losses = await meter.read(progress.sums);
    clock.read();
    const diverged = losses.findIndex((loss) => !Number.isFinite(loss));
    if (diverged !== -1) {
      const step = progress.totalSteps - losses.length + 1 + diverged;
      throw new DivergedError("the loss is not a finite number", step);
    }
    report(options, steps, learningRate, losses);
    await yieldToEventLoop();
    if (!await onPause() && !isLast) return false;
    clock.skip(); // do not count the pause as training
    lastPause = performance.now();
  }
  return true;
}

function report(
  { config, progress, observer }: EpochOptions,
  steps: number,
  learningRate: number,
  losses: readonly number[],
): void {
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
    losses,
    accuracy: sums.correct / sums.images,
    learningRate,
    imagesPerSecond: sums.images / sums.seconds,
    secondsLeft: (steps - progress.steps) * secondsPerStep,
    totalSecondsLeft: (epochsLeft * steps - progress.steps) * secondsPerStep +
      epochsLeft * Math.max(0, testSeconds),
  });
}

/**
 * Accumulates losses and correct predictions, and reads them in batches, since reading a tensor waits for it.
 */
export function createLossMeter() {
  let pending: { loss: tf.Scalar; correct: tf.Scalar; images: number }[] = [];
  return {
    /** Adds a step's results; they are disposed once read. */
    add: (loss: tf.Scalar, correct: tf.Scalar, images: number) =>
      void pending.push({ loss, correct, images }),
    /** Adds the pending results to the sums in the order of the steps; returns the pending losses. */
    async read(sums: EpochSums): Promise<number[]> {
      const steps = pending;
      pending = [];
      const losses: number[] = [];
      for (const { loss, correct, images } of steps) {
        const [value] = await loss.data();
        const [count] = await correct.data();
        losses.push(value);
        sums.loss += value * images;
        sums.correct += count;
        sums.images += images;
        tf.dispose([loss, correct]);
      }
      return losses;
    },
  };
}

/** Sums the seconds of an epoch, including those before it was resumed. */
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
