/**
 * The training loop.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import { useNativeTensorFlow } from "../tensorflow/runtime/native.ts";
import { InputError } from "../support/errors.ts";
import type { Datasets } from "../data/dataset.ts";
import { loadDatasets } from "../data/load_datasets.ts";
import { loadPretrained, type Pretrained } from "../model/pretrained.ts";
import { disposeAll } from "../model/state_dict.ts";
import { createImageSource } from "./batch_source.ts";
import { loadCheckpoint, NotFiniteError } from "./checkpoint.ts";
import type { Environment, Progress } from "./progress.ts";
import type { TrainConfig } from "./config.ts";
import { createEvaluator } from "./evaluate.ts";
import type { EpochRecord, TrainObserver } from "./observer.ts";
import { type RunContext, runEpochs } from "./run_epochs.ts";
import { fingerprint, selectRunData } from "./run_data.ts";
import {
  defaultRunsFolder,
  findCheckpoint,
  openRunFolder,
  type RunFolder,
  runFolderOf,
} from "./run_folder.ts";
import { beginTraining, resumeTraining, saveTraining, type Training } from "./start_training.ts";
import { DivergedError } from "./train_epoch.ts";

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
  /** What a new run's backbone starts from, where it is not to be loaded as the configuration says. */
  pretrained?: Pretrained;
  /** Where run folders are. @default {checkpoints} */
  runsFolder?: string;
}

/** What a training came to. */
export interface TrainResult {
  /** What made the training what it was. */
  config: TrainConfig;
  /** What it found out about its surroundings. */
  recorded: Environment;
  /** The run's folder. */
  folder: string;
  /** A record for each epoch. */
  history: EpochRecord[];
  /** The epoch of highest accuracy, on the images named by `chosenOn`. */
  best: { epoch: number; accuracy: number };
  /** What the best epoch was chosen on. */
  chosenOn: "test" | "validation";
  /** The best epoch's network on the test set. */
  test: { loss: number; accuracy: number };
}

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
  const checkpoint = resume === null ? null : findCheckpoint(resume, "last", runsFolder);
  // a run that goes on does so where its checkpoint lies, also when its folder was renamed
  const path = checkpoint === null ? join(runsFolder, config.run) : runFolderOf(checkpoint);
  using folder = openRunFolder(path, checkpoint === null);
  const { device, threads, version: tensorflow } = runtime;
  const surroundings = { data: data.train.name, fingerprint: fingerprint(data), device, threads, tensorflow };
  const training = checkpoint === null
    ? beginTraining(
      config,
      surroundings,
      options.pretrained ?? await loadPretrained({ weights: config.weights, log: say }),
    )
    : await resumeTraining(config, surroundings, checkpoint, say);
  const { progress, recorded, state } = training;
  const evaluator = createEvaluator({ ...config, batchSize: undefined });
  try {
    folder.writeConfig(config, recorded);
    folder.writeHistory(progress.history);
    if (resume === null) await saveTraining(folder.last, training);
    const name = dirname(path) === runsFolder ? basename(path) : path;
    await runEpochs(training, { data, folder, name, evaluator, observer, signal });
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

/** The best epoch on the test set: known where it was chosen on it, else tested now, once. */
async function testBest(
  { progress }: Training,
  { data, folder, evaluator }: Pick<RunContext, "data" | "folder" | "evaluator">,
) {
  if (data.testedOn === "test") {
    const { testLoss, testAccuracy } = progress.history[progress.best!.epoch - 1];
    return { loss: testLoss, accuracy: testAccuracy };
  }
  const { network, slots } = await loadCheckpoint(folder.best);
  try {
    const { loss, accuracy } = await evaluator.evaluate(network, createImageSource(data.test));
    return { loss, accuracy };
  } finally {
    disposeAll(network, slots ?? {});
  }
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
