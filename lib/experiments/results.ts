/**
 * Results of a comparison, small enough to be committed: one file per experiment, with every seed's history.
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { z } from "zod";
import { readTextOrNull } from "../support/files.ts";
import { writeText } from "../support/write_files.ts";
import { InputError } from "../support/errors.ts";
import { boolean, integer, number, parseJson, plainText, share, text } from "../support/schema.ts";
import { summarise } from "../model/summary.ts";
import { projectFolder } from "../support/project.ts";
import type { TrainConfig } from "../training/config.ts";
import type { EpochRecord } from "../training/progress.ts";
import { EXPERIMENTS } from "./experiments.ts";
import type { PlannedRun } from "./plan.ts";
import type { DataIdentity } from "../data/identify.ts";
import { hashValue } from "./provenance.ts";
import {
  DATA_IDENTITY,
  readRunRecord,
  type SavedRun,
  TRAINING_SESSION,
  type TrainingSession,
} from "./runs.ts";

/** Recipe: the configuration without run name, seed, paths and device. */
export type Recipe = Omit<TrainConfig, "run" | "seed" | "data" | "weights" | "device" | "tensorboard">;

/** Metrics of an epoch, without the names of data and weights and the speed, which the bench measures. */
export type ResultRecord = Omit<EpochRecord, "data" | "weights" | "seconds" | "imagesPerSecond">;

export interface SeedResult {
  seed: number;
  /** One record per epoch. */
  history: ResultRecord[];
  /** Epoch of the highest test accuracy: optimistic, since it was chosen on the test set. */
  best: { epoch: number; accuracy: number };
  /** Training sessions: more than one if the run was interrupted. */
  sessions: TrainingSession[];
}

export interface ExperimentResult {
  format: typeof RESULT_FORMAT;
  experiment: string;
  /** Difference from the reference, in a few words. */
  change: string;
  parameters: number;
  trainableParameters: number;
  recipe: Recipe;
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
 * Collects the results of finished runs.
 *
 * @param runs Finished runs, of any number of experiments, with the content of their last checkpoints.
 * @param runsFolder Folder of the comparison's runs.
 */
export async function collectResults(
  runs: readonly (PlannedRun & { saved: SavedRun })[],
  runsFolder: string,
): Promise<ExperimentResult[]> {
  const results = new Map<string, ExperimentResult>();
  for (const { experiment: { name, change }, seed, config, saved: { progress, recorded } } of runs) {
    const record = readRunRecord(join(runsFolder, config.run));
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
    const history = progress.history.map((record): ResultRecord => {
      const { data: _data, weights: _weights, seconds: _seconds, imagesPerSecond: _speed, ...rest } = record;
      return rest;
    });
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
 * @throws {InputError} If a file is damaged or was edited, contradicts itself or is of another format.
 */
export function readResults(folder = publishedResultsFolder()): ExperimentResult[] {
  return EXPERIMENTS.flatMap(({ name }) => {
    const path = join(folder, `${name}.json`);
    const text = readTextOrNull(path);
    if (text === null) return [];
    const { experiment } = parseJson(RESULT, text, path);
    if (experiment !== name) {
      throw new InputError({ what: `read ${path}`, why: `it holds the results of ${experiment}` });
    }
    return [checkDigest<ExperimentResult>(text, path)];
  });
}

const POSITIVE = number({ from: 0 });
const COUNT = integer({ from: 0 });
const HASH = text(/^([0-9a-f]{16}|unknown)$/, "16 hexadecimal digits");
const WORD = text(/^[\w.-]{1,60}$/, "a word");

const RECORD = z.strictObject({
  ...{ epoch: COUNT, step: COUNT, learningRate: POSITIVE, trainLoss: POSITIVE, trainAccuracy: share() },
  ...{ testLoss: POSITIVE, testAccuracy: share(), tensorBytes: COUNT },
  // only in files of an older version
  ...{ seconds: POSITIVE.optional(), imagesPerSecond: POSITIVE.optional() },
});

const SEED = z.strictObject({
  seed: COUNT,
  history: z.array(RECORD).min(1),
  best: z.strictObject({ epoch: COUNT, accuracy: share() }),
  sessions: z.array(TRAINING_SESSION),
}).refine(({ history }) => history.every(({ epoch }, at) => epoch === at + 1), {
  path: ["history"],
  error: "must have the epochs 1, 2, 3 …",
}).refine(({ history, best }) => {
  const accuracies = history.map(({ testAccuracy }) => round(testAccuracy));
  const accuracy = round(best.accuracy);
  return accuracies[best.epoch - 1] === accuracy && accuracies.every((each) => each <= accuracy);
}, { path: ["best"], error: "must be the epoch of the highest test accuracy in the history" });

const RESULT = z.strictObject({
  format: z.literal(RESULT_FORMAT),
  experiment: plainText(),
  change: plainText(),
  parameters: COUNT,
  trainableParameters: COUNT,
  // settings of an older version are accepted here: findStaleness compares them
  recipe: z.record(WORD, z.union([WORD, number(), boolean(), z.null()])),
  recipeHash: HASH,
  data: DATA_IDENTITY,
  weights: plainText(),
  seeds: z.array(SEED).min(1),
  digest: HASH.optional(),
}).refine(({ parameters, trainableParameters }) => trainableParameters <= parameters, {
  path: ["trainableParameters"],
  error: "must be at most parameters",
}).refine(({ seeds }) => seeds.every(({ seed }, at) => at === 0 || seed > seeds[at - 1].seed), {
  path: ["seeds"],
  error: "must be sorted, each once",
}).refine(({ seeds, recipe }) => seeds.every(({ history }) => history.length === recipe.epochs), {
  path: ["seeds"],
  error: "must all have as many epochs as the recipe",
});

/** Formats JSON with one line per epoch: compact, with readable diffs; and with a digest of its content. */
function formatResult(result: ExperimentResult): string {
  const seeds = result.seeds.map((seed) => ({ ...seed, history: seed.history.map(roundAll) }));
  const rounded = { ...result, seeds };
  const lines: string[] = [];
  const compact = JSON.stringify({ ...rounded, digest: digestOf(rounded) }, (key, value) => {
    if (key !== "history") return value;
    const records = (value as ResultRecord[]).map((record) => JSON.stringify(record));
    return `@${lines.push("[\n        " + records.join(",\n        ") + "\n      ]") - 1}`;
  }, 2);
  return compact.replace(/"@(\d+)"/g, (_, index) => lines[Number(index)]) + "\n";
}

/**
 * Parses a results file again, since the digest depends on the order of its keys, and checks the digest; files
 * of an older version have none.
 *
 * @returns Its content without the digest.
 * @throws {InputError} If it was changed after it was written.
 */
export function checkDigest<Result extends object>(text: string, path: string): Result {
  const { digest, ...result } = JSON.parse(text) as Result & { digest?: string };
  if (digest === undefined || digest === digestOf(result)) return result as unknown as Result;
  const why = "it was changed after it was written, since its digest is another";
  throw new InputError({ what: `read ${path}`, why });
}

/** Computes the first 16 hexadecimal digits of the SHA-256 of a value's JSON. */
export function digestOf(value: object): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}

function roundAll(record: ResultRecord): ResultRecord {
  const rounded = Object.entries(record).map(([key, value]) => [key, round(value)]);
  return Object.fromEntries(rounded) as unknown as ResultRecord;
}

/** Rounds to seven significant digits, the precision of float32. */
function round(value: number): number {
  return Number(value.toPrecision(7));
}
