/** Training: from a configuration to a run's folder with its checkpoints and history. */
import os from "node:os";
import { basename, dirname, join } from "@std/path";
import { useNativeTensorFlow } from "../tensorflow/runtime/native.ts";
import { InputError } from "../support/errors.ts";
import { classNamesOf, type Datasets } from "../data/dataset.ts";
import { identifyData } from "../data/identify.ts";
import { loadDatasets } from "../data/load_datasets.ts";
import { loadPretrained, type Pretrained } from "../model/pretrained.ts";
import { disposeAll } from "../model/state_dict.ts";
import { createImageSource } from "./batch_source.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { createEvaluator } from "./evaluate.ts";
import type { TrainObserver } from "./observer.ts";
import type { BestEpoch, Environment, EpochRecord } from "./progress.ts";
import { selectRunData } from "./run_data.ts";
import { type RunContext, runEpochs } from "./run_epochs.ts";
import {
  defaultRunsFolder,
  openNumberedRunFolder,
  openRunFolder,
  requireLastCheckpoint,
  type RunFolder,
} from "./run_folder.ts";
import { beginTraining, restoreBest, resumeTraining, saveTraining, type Training } from "./start_training.ts";
import { DivergedError } from "./train_epoch.ts";

/** Options of {@linkcode train}. */
export interface TrainOptions {
  /** Receives the training's events. */
  observer?: TrainObserver;
  /** Aborted to stop: the training saves and throws {@linkcode Interrupted}. */
  signal?: AbortSignal;
  /** Checkpoint to resume from. */
  resume?: Checkpoint | null;
  /**
   * Continue it in a new run of the configuration's name, and leave the folder of the checkpoint as it is.
   *
   * @default {false}
   */
  fork?: boolean;
  /** Images to use instead of those that the configuration names. */
  datasets?: Datasets;
  /** Initial weights of a new run's backbone, instead of those that the configuration names. */
  pretrained?: Pretrained;
  /** Called before each save; throws where another host has taken the run over. */
  requireClaim?(): void;
  /** Number a new run if its name is taken (`dynamic-2`) instead of refusing it. @default {false} */
  numbered?: boolean;
  /** Folder of all runs. @default {checkpoints} */
  runsFolder?: string;
}

/** Result of a training. */
export interface TrainResult {
  /** Configuration of the training. */
  config: TrainConfig;
  /** Data, weights, device and versions. */
  recorded: Environment;
  /** The run's folder. */
  folder: string;
  /** One record per epoch. */
  history: EpochRecord[];
  /** The epoch of highest accuracy, on the images named by `chosenOn`. */
  best: BestEpoch;
  /** Set on which the best epoch was chosen. */
  chosenOn: "test" | "validation";
  /** Metrics of the best epoch's network on the test set. */
  test: { loss: number; accuracy: number };
}

/**
 * Trains a network, from scratch or from a checkpoint, and keeps its best and its last state in the run's
 * folder.
 *
 * Resuming gives the same results as an uninterrupted training; on a CPU bit for bit.
 *
 * @throws {InputError} If data, weights, device or run folder cannot be used, or if the training diverges.
 * @throws {Interrupted} If it was stopped; everything is saved.
 */
export async function train(wanted: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const { observer = {}, signal, resume = null, fork = false, runsFolder = defaultRunsFolder() } = options;
  const { requireClaim } = options;
  const log = (message: string) => observer.onMessage?.(message);
  const { version: tensorflow, processor: kind, ...machine } = await useNativeTensorFlow({
    device: wanted.device,
  });
  const datasets = options.datasets ?? await loadDatasets({ data: wanted.data, log });
  const data = selectRunData(datasets, wanted);
  const isNew = resume === null || fork;
  if (!isNew) requireLastCheckpoint(resume.path);
  // a resumed run stays in its checkpoint's folder, even if that was renamed
  const path = isNew ? join(runsFolder, wanted.run) : dirname(resume.path);
  using folder = isNew && options.numbered
    ? openNumberedRunFolder(runsFolder, wanted.run, log)
    : openRunFolder(path, isNew, requireClaim === undefined ? log : () => {}, requireClaim);
  const config = folder.path === path ? wanted : { ...wanted, run: basename(folder.path) };
  const { name: dataName, fingerprint } = await identifyData(datasets);
  const processor = `${kind}, ${os.cpus()[0]?.model.trim() ?? "unknown"}`;
  const environment = { data: dataName, fingerprint, ...machine, tensorflow, processor };
  const training = resume === null
    ? beginTraining(
      config,
      environment,
      options.pretrained ?? await loadPretrained({ weights: config.weights, log }),
      classNamesOf(datasets.train),
    )
    : resumeTraining(
      config,
      environment,
      // opened again now that its run is locked: another process may have trained it further
      fork ? { ...resume, config: { ...resume.config, run: config.run } } : await openCheckpoint(resume.path),
      log,
    );
  const { progress, recorded, state } = training;
  const evaluator = createEvaluator({
    ...config,
    classes: training.classNames.length,
    batchSize: undefined,
  });
  try {
    folder.writeConfig(config, recorded);
    if (resume !== null) await restoreBest(training, folder, dirname(resume.path), log);
    if (isNew) await saveTraining(folder.last, training);
    folder.writeHistory(progress.history);
    const name = dirname(folder.path) === runsFolder ? basename(folder.path) : folder.path;
    const context: RunContext = { data, folder, name, evaluator, observer, signal };
    await runEpochs(training, context);
    return {
      config,
      recorded,
      folder: folder.path,
      history: progress.history,
      best: progress.best!,
      chosenOn: data.testedOn,
      test: await testBest(training, context),
    };
  } catch (error) {
    throw explainDivergence(error, folder, training);
  } finally {
    evaluator.dispose();
    disposeAll(state.trainable, state.fixed, state.slots);
    observer.onEnd?.();
  }
}

/** Tests the best epoch once; if it was chosen on the test set, the result is already known. */
async function testBest({ progress }: Training, { data, folder, evaluator }: RunContext) {
  if (data.testedOn === "test") {
    const { testLoss, testAccuracy } = progress.history[progress.best!.epoch - 1];
    return { loss: testLoss, accuracy: testAccuracy };
  }
  const network = (await openCheckpoint(folder.best)).loadNetwork();
  try {
    const { loss, accuracy } = await evaluator.evaluate(network, createImageSource(data.test));
    return { loss, accuracy };
  } finally {
    disposeAll(network);
  }
}

function explainDivergence(error: unknown, { last }: RunFolder, { config, progress }: Training): unknown {
  if (!(error instanceof DivergedError)) return error;
  const lower = Number((config.learningRate / 10).toPrecision(2));
  return new InputError({
    what: `train beyond step ${error.step} (epoch ${progress.epochs + 1})`,
    why: `the training diverged, ${error.message}; the last good state is in ${last}`,
    next: [{ set: { learningRate: lower } }, { set: { clipNorm: 1 } }],
  }, { cause: error });
}
