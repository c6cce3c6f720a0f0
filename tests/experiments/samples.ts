import type { Datasets } from "../../lib/data/dataset.ts";
import { identifyData } from "../../lib/data/identify.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { hashValue } from "../../lib/experiments/provenance.ts";
import {
  type ExperimentResult,
  recipeOf,
  RESULT_FORMAT,
  type SeedResult,
} from "../../lib/experiments/results.ts";
import type { StudyContext } from "../../lib/experiments/study.ts";
import { summarise } from "../../lib/model/summary.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";

/** Creates the result of a seed with these test accuracies, one per epoch. */
export function seedResult(seed: number, accuracies: number[]): SeedResult {
  const history = accuracies.map((testAccuracy, index) => ({
    epoch: index + 1,
    step: 391 * (index + 1),
    learningRate: 0.05,
    trainLoss: 1,
    trainAccuracy: 0.7,
    testLoss: 0.9,
    testAccuracy,
    tensorBytes: 1000,
  }));
  const accuracy = Math.max(...accuracies);
  return {
    seed,
    history,
    best: { epoch: accuracies.indexOf(accuracy) + 1, accuracy },
    sessions: [{
      date: `2026-01-0${seed + 1}T10:00:00.000Z`,
      commit: "0123456789abcdef",
      machine: { cpu: "A processor", cores: 2, memory: 8, system: "linux x86_64" },
      device: "cpu",
      threads: 1,
      jobs: 2,
      tensorflow: "2.21.0",
    }],
  };
}

/** Creates results of an experiment, by today's default recipe unless `changes` say otherwise. */
export async function experimentResult(
  name: string,
  seeds: SeedResult[],
  changes: Partial<TrainConfig> = {},
): Promise<ExperimentResult> {
  const { change, network } = EXPERIMENTS.find((experiment) => experiment.name === name)!;
  const config = resolveConfig({ flags: { ...network, ...changes } });
  const { parameters, trainable } = summarise(config);
  const recipe = recipeOf(config);
  return {
    format: RESULT_FORMAT,
    experiment: name,
    change,
    parameters,
    trainableParameters: trainable,
    recipe,
    recipeHash: await hashValue(recipe),
    data: { name: "CIFAR-10", fingerprint: "0123456789abcdef" },
    weights: "ResNet-18",
    seeds,
  };
}

/** Creates the context of a study on synthetic images, whose trainings have one epoch. */
export async function studyContext(
  folder: string,
  datasets: Datasets,
  changes: Partial<StudyContext> = {},
): Promise<StudyContext> {
  return {
    datasets,
    data: await identifyData(datasets),
    pretrained: { tensors: null, name: "random", source: "random" },
    recipe: { epochs: 1, batchSize: 20, data: "synthetic", weights: "random" },
    folder,
    comparisonFolder: folder,
    session: seedResult(0, [0.5]).sessions[0],
    signal: new AbortController().signal,
    observer: {},
    ...changes,
  };
}
