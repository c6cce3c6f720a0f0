/**
 * The training loop.
 *
 * @module
 */
import { join } from "@std/path";
import * as tf from "../tensorflow/tf.ts";
import { compile } from "../tensorflow/compile.ts";
import { useNativeTensorFlow } from "../tensorflow/native.ts";
import { InputError } from "../input_error.ts";
import { Interrupted, letEventsIn } from "../interrupt.ts";
import { countBatches } from "../data/batches.ts";
import type { Datasets } from "../data/dataset.ts";
import { loadDatasets } from "../data/load_datasets.ts";
import { disposeAll } from "../model/state_dict.ts";
import {
  describeProgress,
  loadCheckpoint,
  NotFiniteError,
  type Progress,
  type Recorded,
} from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { createEvaluator, type Evaluation, type Evaluator } from "./evaluate.ts";
import type { EpochRecord, TrainObserver } from "./observer.ts";
import { createOptimizer, type Rates } from "./optimizer.ts";
import { type RunData, selectRunData } from "./run_data.ts";
import { defaultRunsFolder, findCheckpoint, openRunFolder, type RunFolder } from "./run_folder.ts";
import { learningRateAt } from "./schedule.ts";
import { beginTraining, joinState, resumeTraining, saveTraining, type Training } from "./start_training.ts";
import { openEventLog } from "./tensorboard.ts";
import { DivergedError, type Step, trainEpoch } from "./train_epoch.ts";
import { type Batch, type TrainState, trainStep } from "./train_step.ts";

/** Options of {@linkcode train}. */
export interface TrainOptions {
  /** Told what happens. */
  observer?: TrainObserver;
  /** Aborted to stop: the training saves and throws {@linkcode Interrupted}. */
  signal?: AbortSignal;
  /** Go on from this checkpoint, or from this run's last one. */
  resume?: string | null;
  /** Images, where they are not to be loaded as the configuration says. */
  datasets?: Datasets;
  /** Where run folders are. @default {checkpoints} */
  runsFolder?: string;
}

/** What a training came to. */
export interface TrainResult {
  config: TrainConfig;
  recorded: Recorded;
  /** The run's folder. */
  folder: string;
  history: EpochRecord[];
  /** The epoch of highest accuracy, on the images named by `chosenOn`. */
  best: { epoch: number; accuracy: number };
  chosenOn: "test" | "validation";
  /** The best epoch's network on the test set. */
  test: { loss: number; accuracy: number };
}

const SECONDS_BETWEEN_SAVES = 30; // what a power cut may cost

/**
 * Trains a network, from its start or from a checkpoint, and keeps its best and its last state in the run's folder.
 *
 * A training that goes on from a checkpoint does what it would have done uninterrupted: on a CPU bit for bit.
 *
 * @throws {InputError} If data, weights, device or run folder cannot be used, or if the training diverges.
 * @throws {Interrupted} If it was stopped; everything is saved.
 */
export async function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const { observer = {}, signal, resume = null, runsFolder = defaultRunsFolder() } = options;
  const say = (text: string) => observer.onMessage?.(text);
  const runtime = await useNativeTensorFlow({ device: config.device });
  const datasets = options.datasets ?? await loadDatasets({ data: config.data, log: say });
  const data = selectRunData(datasets, config);
  using folder = openRunFolder(join(runsFolder, config.run), resume === null);
  const { device, threads, version: tensorflow } = runtime;
  const surroundings = { data: data.train.name, device, threads, tensorflow };
  const training = resume === null
    ? await beginTraining(config, surroundings, say)
    : await resumeTraining(config, surroundings, findCheckpoint(resume, "last", runsFolder), say);
  const { progress, recorded, state } = training;
  const evaluator = createEvaluator({ ...config, batchSize: undefined });
  try {
    folder.writeConfig(config, recorded);
    folder.writeHistory(progress.history);
    if (resume === null) await saveTraining(folder.last, training);
    await runEpochs(training, { data, folder, evaluator, observer, signal });
    const test = await testBest(training, { data, folder, evaluator });
    return {
      config,
      recorded,
      folder: folder.path,
      history: progress.history,
      best: progress.best!,
      chosenOn: data.testedOn,
      test,
    };
  } catch (error) {
    throw explainDivergence(error, folder, progress);
  } finally {
    evaluator.dispose();
    disposeAll(state.trainable, state.fixed, state.slots);
    observer.onEnd?.();
  }
}

/** What the epochs of a training need beside it. */
interface Workshop {
  data: RunData;
  folder: RunFolder;
  evaluator: Evaluator;
  observer: TrainObserver;
  signal?: AbortSignal;
}

async function runEpochs(
  training: Training,
  { data, folder, evaluator, observer, signal }: Workshop,
): Promise<void> {
  const { config, progress, state } = training;
  const optimizer = createOptimizer(config);
  const step: Step = compile(
    (state: TrainState, batch: Batch, rates: Rates) => trainStep(config, optimizer, state, batch, rates),
    { name: "trainStep", eager: !config.compile },
  );
  const save = createSaver(training, folder);
  using events = config.tensorboard ? await openEventLog(folder.events) : null;
  observer.onStart?.({
    run: config.run,
    config,
    recorded: training.recorded,
    folder: folder.path,
    trainImages: data.train.labels.length,
    testImages: data.chooseOn.labels.length,
    epochs: config.epochs,
    steps: countBatches(data.train, config.batchSize),
    epochsDone: progress.epochs,
    stepsDone: progress.steps,
    testedOn: data.testedOn,
  });
  const onPause = async () => {
    if (signal?.aborted || save.isDue()) await save.last();
    return !signal?.aborted;
  };
  try {
    while (progress.epochs < config.epochs) {
      const epoch = progress.epochs + 1;
      const isFinished = await trainEpoch({
        config,
        dataset: data.train,
        optimizer,
        step,
        state,
        progress,
        observer,
        onPause,
      });
      if (!isFinished) throw new Interrupted(stopMessage(training));
      const started = performance.now();
      const tested = await evaluator.evaluate(joinState(state), data.chooseOn, async (done, all) => {
        observer.onTest?.({ epoch, step: done, steps: all });
        await letEventsIn();
      });
      const record = makeRecord(training, tested, (performance.now() - started) / 1000);
      const isBest = finishEpoch(progress, record);
      if (isBest) await save.best();
      await save.last();
      folder.appendHistory(record);
      events?.write(record);
      observer.onEpoch?.(record, isBest);
      if (signal?.aborted && progress.epochs < config.epochs) throw new Interrupted(stopMessage(training));
    }
  } finally {
    step.dispose();
  }
}

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
  progress.sums = { loss: 0, correct: 0, images: 0, seconds: 0 };
  return isBest;
}

/** The best epoch on the test set: known where it was chosen on it, else tested now, once. */
async function testBest(
  { progress }: Training,
  { data, folder, evaluator }: Pick<Workshop, "data" | "folder" | "evaluator">,
) {
  if (data.testedOn === "test") {
    const { testLoss, testAccuracy } = progress.history[progress.best!.epoch - 1];
    return { loss: testLoss, accuracy: testAccuracy };
  }
  const { network, slots } = await loadCheckpoint(folder.best);
  try {
    const { loss, accuracy } = await evaluator.evaluate(network, data.test);
    return { loss, accuracy };
  } finally {
    disposeAll(network, slots ?? {});
  }
}

function stopMessage({ config, progress }: Training): string {
  return `Stopped ${describeProgress(progress)}; saved. Go on with: deno task train --resume ${config.run}`;
}

/** Turns numbers that ran away into a sentence on what to do. */
function explainDivergence(error: unknown, { last }: RunFolder, { totalSteps, epochs }: Progress): unknown {
  if (!(error instanceof DivergedError || error instanceof NotFiniteError)) return error;
  const step = error instanceof DivergedError ? error.step : totalSteps;
  return new InputError(
    `The training diverged at step ${step} (epoch ${
      epochs + 1
    }): ${error.message}. The last good state is kept in ${last}; ` +
      "try a lower --learning-rate, or --clip-norm 1.",
    { cause: error },
  );
}
