import * as tf from "../tensorflow/runtime/tf.ts";
import { Interrupted, yieldToEventLoop } from "../support/interrupt.ts";
import { countBatches } from "../data/batches.ts";
import { describeProgress, type Progress, startSums } from "./progress.ts";
import type { Evaluation, Evaluator } from "./evaluate.ts";
import { createFrozenSource } from "./frozen_features.ts";
import type { EpochRecord, TrainObserver } from "./observer.ts";
import { createOptimizer } from "./optimizer.ts";
import type { RunData } from "./run_data.ts";
import type { RunFolder } from "./run_folder.ts";
import { learningRateAt } from "./schedule.ts";
import { joinState, saveTraining, type Training } from "./start_training.ts";
import { openEventLog } from "./tensorboard.ts";
import { createStepper } from "./stepper.ts";
import { trainEpoch } from "./train_epoch.ts";

/** What the epochs of a training need beside it. */
export interface RunContext {
  data: RunData;
  folder: RunFolder;
  /** How the command line names the run. */
  name: string;
  evaluator: Evaluator;
  observer: TrainObserver;
  signal?: AbortSignal;
}

/**
 * Trains and tests epoch after epoch until the configured number is done, saving after each and now and then in between.
 *
 * @throws {Interrupted} If `signal` was aborted; everything is saved.
 */
export async function runEpochs(
  training: Training,
  { data, folder, name, evaluator, observer, signal }: RunContext,
): Promise<void> {
  const { config, progress, state } = training;
  const optimizer = createOptimizer(config);
  const trainImages = data.train.labels.length;
  observer.onStart?.({
    run: config.run,
    config,
    recorded: training.recorded,
    folder: folder.path,
    trainImages,
    testImages: data.chooseOn.labels.length,
    epochs: config.epochs,
    steps: countBatches(data.train, config.batchSize),
    epochsDone: progress.epochs,
    stepsDone: progress.steps,
    testedOn: data.testedOn,
  });
  const source = await createFrozenSource(joinState(state), data.train, config);
  const testSource = await createFrozenSource(joinState(state), data.chooseOn, { ...config, augment: false });
  const settings = { ...config, input: source.input };
  const stepper = createStepper({ settings, optimizer, state, compile: config.compile });
  const save = createSaver(training, folder);
  using events = config.tensorboard ? await openEventLog(folder.events) : null;
  const onPause = async () => {
    if (signal?.aborted || save.isDue()) {
      stepper.settle();
      await save.last();
    }
    return !signal?.aborted;
  };
  try {
    while (progress.epochs < config.epochs) {
      const epoch = progress.epochs + 1;
      const isFinished = await trainEpoch({
        config,
        source,
        optimizer,
        stepper,
        progress,
        observer,
        onPause,
      });
      stepper.settle();
      if (!isFinished) throw new Interrupted(stopMessage(progress, name));
      const started = performance.now();
      const tested = await evaluator.evaluate(joinState(state), testSource, async (done, all) => {
        observer.onTest?.({ epoch, step: done, steps: all });
        await yieldToEventLoop();
      });
      const record = makeRecord(training, tested, (performance.now() - started) / 1000);
      const isBest = finishEpoch(progress, record);
      if (isBest) await save.best();
      await save.last();
      folder.appendHistory(record);
      events?.write(record);
      observer.onEpoch?.(record, isBest);
      if (signal?.aborted && progress.epochs < config.epochs) {
        throw new Interrupted(stopMessage(progress, name));
      }
    }
  } finally {
    stepper.dispose();
  }
}

const SECONDS_BETWEEN_SAVES = 30; // what a power cut may cost

/** Saves the training: its last state now and then, so that even a power cut costs little. */
function createSaver(training: Training, folder: RunFolder) {
  let lastSave = performance.now();
  return {
    isDue: () => performance.now() - lastSave > 1000 * SECONDS_BETWEEN_SAVES,
    best: () => saveTraining(folder.best, training),
    last: async () => {
      await saveTraining(folder.last, training);
      lastSave = performance.now();
    },
  };
}

function makeRecord(
  { config, recorded, progress }: Training,
  tested: Evaluation,
  testSeconds: number,
): EpochRecord {
  const { sums, totalSteps, steps, epochs } = progress;
  const schedule = { ...config, totalSteps: config.epochs * steps };
  return {
    epoch: epochs + 1,
    step: totalSteps,
    learningRate: learningRateAt(totalSteps - 1, schedule),
    trainLoss: sums.loss / sums.images,
    trainAccuracy: sums.correct / sums.images,
    testLoss: tested.loss,
    testAccuracy: tested.accuracy,
    seconds: sums.seconds + testSeconds,
    imagesPerSecond: sums.images / sums.seconds,
    tensorBytes: tf.memory().numBytes,
    data: recorded.data,
    weights: recorded.weights,
  };
}

/** Closes an epoch with its record; returns whether it is the best so far. */
function finishEpoch(progress: Progress, record: EpochRecord): boolean {
  const isBest = progress.best === null || record.testAccuracy > progress.best.accuracy;
  if (isBest) progress.best = { epoch: record.epoch, accuracy: record.testAccuracy };
  progress.history.push(record);
  progress.epochs++;
  progress.steps = 0;
  progress.sums = startSums();
  return isBest;
}

function stopMessage(progress: Progress, name: string): string {
  return `Stopped ${describeProgress(progress)}; saved. Go on with: deno task train --resume ${name}`;
}
