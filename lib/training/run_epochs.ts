import * as tf from "../tensorflow/runtime/tf.ts";
import { openSummaryWriter } from "../tensorflow/runtime/summary_writer.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { InputError } from "../support/errors.ts";
import { Interrupted, yieldToEventLoop } from "../support/interrupt.ts";
import { createFrozenSource } from "./batch_source.ts";
import { fitCalibration } from "./calibration.ts";
import { chooseSign } from "./choose_sign.ts";
import type { Evaluation, Evaluator } from "./evaluate.ts";
import type { TrainObserver } from "./observer.ts";
import { describeProgress, type EpochRecord, type Progress, startSums } from "./progress.ts";
import type { RunData } from "./run_data.ts";
import type { RunFolder } from "./run_folder.ts";
import { learningRateAt } from "./schedule.ts";
import { joinState, saveTraining, type Training } from "./start_training.ts";
import { createStepper } from "./stepper.ts";
import type { TrainState } from "./train_step.ts";
import { DivergedError, trainEpoch } from "./train_epoch.ts";

/** A run's data, folder and observer. */
export interface RunContext {
  data: RunData;
  folder: RunFolder;
  /** Name or path by which the run is resumed. */
  name: string;
  evaluator: Evaluator;
  observer: TrainObserver;
  signal?: AbortSignal;
}

/**
 * Trains and tests epoch after epoch until the configured number is reached, saving after each and every 30 s
 * in between. Each epoch ends by choosing the sign of the response maps.
 *
 * @throws {Interrupted} If `signal` was aborted; everything is saved.
 * @throws {DivergedError} If a loss, a parameter or a score is not finite: found before it is saved.
 */
export async function runEpochs(
  training: Training,
  { data, folder, name, evaluator, observer, signal }: RunContext,
): Promise<void> {
  const { config, progress, optimizer, state } = training;
  observer.onStart?.({
    run: config.run,
    config,
    recorded: training.recorded,
    folder: folder.path,
    trainImages: data.train.labels.length,
    testImages: data.chooseOn.labels.length,
    epochs: config.epochs,
    epochsDone: progress.epochs,
    testedOn: data.testedOn,
  });
  const source = await createFrozenSource(joinState(state), data.train, config);
  const testSource = await createFrozenSource(joinState(state), data.chooseOn, { ...config, augment: false });
  const settings = { ...config, classes: training.classNames.length, input: source.input };
  const stepper = createStepper({ settings, optimizer, state, compile: config.compile });
  const save = createSaver(training, folder);
  const logEvents = config.tensorboard ? await openEventLog(folder.events) : null;
  const sumState = compile(sumOfState, { name: "sumOfState", eager: !config.compile });
  const requireFinite = async () => {
    const sum = sumState(state);
    const isFinite = Number.isFinite((await sum.data())[0]);
    sum.dispose();
    if (!isFinite) throw new DivergedError("its parameters are NaN or overflow", progress.totalSteps);
  };
  const onPause = async () => {
    const isDue = signal?.aborted || save.isDue();
    if (isDue) stepper.settle();
    if (stepper.isSettled()) await requireFinite();
    if (isDue) await save.last();
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
      if (!isFinished) throw stopped(progress, name);
      stepper.settle();
      await requireFinite();
      const started = performance.now();
      if (await chooseSign(state, data.train, config)) stepper.reload();
      progress.isSignChosen = true;
      const evaluation = await evaluator.evaluate(joinState(state), testSource, async (done, all) => {
        observer.onTest?.({ epoch, step: done, steps: all });
        await yieldToEventLoop();
      }).catch((cause) => {
        if (!(cause instanceof InputError)) throw cause;
        throw new DivergedError("its scores are NaN or infinite", progress.totalSteps, { cause });
      });
      const record = makeRecord(training, evaluation, (performance.now() - started) / 1000);
      const isBest = finishEpoch(progress, record);
      if (isBest && data.testedOn === "validation") {
        progress.best!.calibration = fitCalibration({ ...evaluation, labels: data.chooseOn.labels });
      }
      if (isBest) await save.best();
      await save.last();
      folder.appendHistory(record);
      logEvents?.(record);
      observer.onEpoch?.(record, isBest);
      if (signal?.aborted && progress.epochs < config.epochs) throw stopped(progress, name);
    }
  } finally {
    stepper.dispose();
    sumState.dispose();
  }
}

/** Sums up a state: 0.1 ms, and the sum is not finite where one of the values is not. */
function sumOfState({ trainable, fixed, slots }: TrainState): tf.Scalar {
  const tensors = [trainable, fixed, slots].flatMap((part) => Object.values(part));
  return tf.addN(tensors.map((tensor) => tf.sum(tensor)));
}

const SECONDS_BETWEEN_SAVES = 30; // at most this much work is lost in a power cut

function createSaver(training: Training, folder: RunFolder) {
  let lastSave = performance.now();
  const save = async (path: string) => {
    folder.requireOwn();
    await saveTraining(path, training);
  };
  return {
    isDue: () => performance.now() - lastSave > 1000 * SECONDS_BETWEEN_SAVES,
    best: () => save(folder.best),
    last: async () => {
      await save(folder.last);
      lastSave = performance.now();
    },
  };
}

function makeRecord(
  { config, recorded, progress }: Training,
  { loss, accuracy }: Evaluation,
  testSeconds: number,
): EpochRecord {
  const { sums, totalSteps, steps, epochs } = progress;
  return {
    epoch: epochs + 1,
    step: totalSteps,
    learningRate: learningRateAt(totalSteps - 1, { ...config, totalSteps: config.epochs * steps }),
    trainLoss: sums.loss / sums.images,
    trainAccuracy: sums.correct / sums.images,
    testLoss: loss,
    testAccuracy: accuracy,
    seconds: sums.seconds + testSeconds,
    imagesPerSecond: sums.images / sums.seconds,
    tensorBytes: tf.memory().numBytes,
    data: recorded.data,
    weights: recorded.weights,
  };
}

/** Adds an epoch's record; returns whether it is the best so far. */
function finishEpoch(progress: Progress, record: EpochRecord): boolean {
  const isBest = progress.best === null || record.testAccuracy > progress.best.accuracy;
  if (isBest) progress.best = { epoch: record.epoch, accuracy: record.testAccuracy };
  progress.history.push(record);
  progress.epochs++;
  progress.steps = 0;
  progress.sums = startSums();
  return isBest;
}

function stopped(progress: Progress, name: string): Interrupted {
  return new Interrupted(`Stopped ${describeProgress(progress)}; everything is saved.`, [
    { task: "train", set: { resume: name } },
  ]);
}

const CURVES = {
  "loss/train": "trainLoss",
  "loss/test": "testLoss",
  "accuracy/train": "trainAccuracy",
  "accuracy/test": "testAccuracy",
  "learning rate": "learningRate",
  "images per second": "imagesPerSecond",
} as const;

/** Opens TensorBoard's event files; returns the function that adds an epoch to its curves. */
async function openEventLog(folder: string): Promise<(record: EpochRecord) => void> {
  const writer = await openSummaryWriter(folder);
  return (record) => {
    for (const [curve, key] of Object.entries(CURVES)) writer.scalar(curve, record[key], record.step);
    writer.flush();
  };
}
