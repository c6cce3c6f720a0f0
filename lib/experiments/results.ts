/**
 * Results of a comparison, small enough to be committed: one file per experiment, with every seed's history.
 *
 * @module
 */
import { join } from "@std/path";
import { z } from "zod";
import { readTextOrNull } from "../support/files.ts";
import { writeText } from "../support/write_files.ts";
import { parseJson } from "../support/schema.ts";
import { summarise } from "../model/summary.ts";
import { projectFolder } from "../support/project.ts";
import { openCheckpoint } from "../training/checkpoint.ts";
import type { TrainConfig } from "../training/config.ts";
import type { EpochRecord } from "../training/progress.ts";
import { EXPERIMENTS } from "./experiments.ts";
import type { PlannedRun } from "./plan.ts";
import { type DataIdentity, hashValue } from "./provenance.ts";
import { DATA_IDENTITY, readRunRecord, TRAINING_SESSION, type TrainingSession } from "./runs.ts";

/** Recipe: the configuration without run name, seed, paths and device. */
export type Recipe = Omit<TrainConfig, "run" | "seed" | "data" | "weights" | "device" | "tensorboard">;

/** Metrics of an epoch, without the names of data and weights. */
export type ResultRecord = Omit<EpochRecord, "data" | "weights">;

/** Results of one seed. */
export interface SeedResult {
  seed: number;
  /** One record per epoch. */
  history: ResultRecord[];
  /** Epoch of the highest test accuracy: optimistic, since it was chosen on the test set. */
  best: { epoch: number; accuracy: number };
  /** Training sessions: more than one if the run was interrupted. */
  sessions: TrainingSession[];
}

/** Results of one experiment. */
export interface ExperimentResult {
  format: typeof RESULT_FORMAT;
  experiment: string;
  /** Difference from the reference, in a few words. */
  change: string;
  parameters: number;
  trainableParameters: number;
  recipe: Recipe;
  /** Hash of the recipe. */
  recipeHash: string;
  data: DataIdentity;
  /** Initial weights of the backbone. */
  weights: string;
  /** Sorted by seed. */
  seeds: SeedResult[];
}

/** Format of a result file. */
export const RESULT_FORMAT = "dynamic-filters-result/2";

/** Returns the folder of the committed results. */
export function publishedResultsFolder(): string {
  return join(projectFolder(), "notebooks", "results");
}

/** Extracts the recipe of a configuration. */
export function recipeOf(config: TrainConfig): Recipe {
  const { run: _run, seed: _seed, data: _data, weights: _weights, ...rest } = config;
  const { device: _device, tensorboard: _tensorboard, ...recipe } = rest;
  return recipe;
}

/**
 * Collects the results of finished runs from their folders.
 *
 * @param runs Finished runs, of any number of experiments.
 * @param runsFolder Folder of the comparison's runs.
 */
export async function collectResults(
  runs: readonly PlannedRun[],
  runsFolder: string,
): Promise<ExperimentResult[]> {
  const results = new Map<string, ExperimentResult>();
  for (const { experiment: { name, change }, seed, config } of runs) {
    const folder = join(runsFolder, config.run);
    const { progress, recorded } = await openCheckpoint(join(folder, "last.safetensors"));
    const record = readRunRecord(folder);
    const { parameters, trainable } = summarise(config);
    const result = results.get(name) ?? {
      format: RESULT_FORMAT,
      experiment: name,
      change,
      parameters,
      trainableParameters: trainable,
      recipe: recipeOf(config),
      recipeHash: await hashValue(recipeOf(config)),
      data: record?.data ?? { name: recorded.data, fingerprint: "unknown" },
      weights: recorded.weights,
      seeds: [],
    };
    const history = progress.history.map(({ data: _data, weights: _weights, ...rest }) => rest);
    result.seeds.push({ seed, history, best: progress.best!, sessions: record?.sessions ?? [] });
    result.seeds.sort((one, other) => one.seed - other.seed);
    results.set(name, result);
  }
  return [...results.values()];
}

/** Writes results, one file per experiment; files of other experiments are kept. */
export function writeResults(results: readonly ExperimentResult[], folder = publishedResultsFolder()): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (const result of results) {
    writeText(join(folder, `${result.experiment}.json`), formatResult(result));
  }
}

/**
 * Reads the committed results, in the order of the experiments; without those that were never trained.
 *
 * @throws {InputError} If a file is damaged or of another format.
 *
 * @example
 * ```ts
 * import { readResults } from "./results.ts";
 * for (const { experiment, seeds } of readResults()) console.log(experiment, seeds.map(({ best }) => best.accuracy));
 * ```
 */
export function readResults(folder = publishedResultsFolder()): ExperimentResult[] {
  return EXPERIMENTS.flatMap(({ name }) => {
    const path = join(folder, `${name}.json`);
    const text = readTextOrNull(path);
    return text === null ? [] : [parseJson(RESULT, text, path) as ExperimentResult];
  });
}

// settings of an older version are accepted here: findStaleness compares them
const RESULT = z.object({
  format: z.literal(RESULT_FORMAT),
  experiment: z.string(),
  change: z.string(),
  parameters: z.number(),
  trainableParameters: z.number(),
  recipe: z.record(z.string(), z.unknown()),
  recipeHash: z.string(),
  data: DATA_IDENTITY,
  weights: z.string(),
  seeds: z.array(z.object({
    seed: z.number(),
    history: z.array(z.record(z.string(), z.number())).min(1),
    best: z.object({ epoch: z.number(), accuracy: z.number() }),
    sessions: z.array(TRAINING_SESSION),
  })).min(1),
});

/** Formats JSON with one line per epoch: compact, with readable diffs. */
function formatResult(result: ExperimentResult): string {
  const lines: string[] = [];
  const compact = JSON.stringify(result, (key, value) => {
    if (key !== "history") return value;
    const records = (value as ResultRecord[]).map((record) => JSON.stringify(roundAll(record)));
    return `@${lines.push("[\n        " + records.join(",\n        ") + "\n      ]") - 1}`;
  }, 2);
  return compact.replace(/"@(\d+)"/g, (_, index) => lines[Number(index)]) + "\n";
}

/** Rounds to seven significant digits, the precision of float32. */
function roundAll(record: ResultRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, Number(value.toPrecision(7))]),
  );
}
