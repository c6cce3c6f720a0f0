/**
 * What a comparison came to, small enough to be committed: a file an experiment, with every seed's history.
 *
 * @module
 */
import { join } from "@std/path";
import { writeFileAtomically } from "../support/files.ts";
import { InputError } from "../support/errors.ts";
import { summarise } from "../model/summary.ts";
import { projectFolder } from "../support/project.ts";
import { openCheckpoint } from "../training/checkpoint.ts";
import type { TrainConfig } from "../training/config.ts";
import type { EpochRecord } from "../training/progress.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { hashValue } from "./hash.ts";
import type { PlannedRun } from "./plan.ts";
import type { DataIdentity } from "./provenance.ts";
import { readRunRecord, type Sitting } from "./run_record.ts";

/** A recipe: the configuration without what names the single run, a place on one machine, or what computes. */
export type Recipe = Omit<TrainConfig, "run" | "seed" | "data" | "weights" | "device" | "tensorboard">;

/** An epoch, without what is the same for the whole experiment. */
export type ResultRecord = Omit<EpochRecord, "data" | "weights">;

/** The results of one seed. */
export interface SeedResult {
  seed: number;
  /** A record an epoch. */
  history: ResultRecord[];
  /** The epoch of highest accuracy on the test set, which flatters: it was chosen on it. */
  best: { epoch: number; accuracy: number };
  /** When, by which code and where it was trained; more than one where it was interrupted. */
  sittings: Sitting[];
}

/** The results of one experiment. */
export interface ExperimentResult {
  format: typeof RESULT_FORMAT;
  experiment: string;
  /** What is different from the reference. */
  change: string;
  parameters: number;
  trainableParameters: number;
  recipe: Recipe;
  /** Hash of the recipe. */
  recipeHash: string;
  data: DataIdentity;
  /** What the backbone started from. */
  weights: string;
  /** By seed, the lowest first. */
  seeds: SeedResult[];
}

/** The format of a result file. */
export const RESULT_FORMAT = "dynamic-filters-result/1";

/** Where committed results lie. */
export function publishedResultsFolder(): string {
  return join(projectFolder(), "notebooks", "results");
}

/** The recipe of a configuration. */
export function recipeOf(config: TrainConfig): Recipe {
  const { run: _run, seed: _seed, data: _data, weights: _weights, ...rest } = config;
  const { device: _device, tensorboard: _tensorboard, ...recipe } = rest;
  return recipe;
}

/**
 * Collects the results of finished runs from their folders.
 *
 * @param runs Finished ones, of any number of experiments.
 * @param runsFolder The folder of the comparison's runs.
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
    result.seeds.push({ seed, history, best: progress.best!, sittings: record?.sittings ?? [] });
    result.seeds.sort((one, other) => one.seed - other.seed);
    results.set(name, result);
  }
  return [...results.values()];
}

/** Writes results, a file an experiment; those of other experiments stay. */
export function writeResults(results: readonly ExperimentResult[], folder = publishedResultsFolder()): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (const result of results) {
    writeFileAtomically(
      join(folder, `${result.experiment}.json`),
      new TextEncoder().encode(formatResult(result)),
    );
  }
}

/**
 * Reads the committed results, in the order of the experiments; those that were never made are left out.
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
    let text: string;
    try {
      text = Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    return [parseResult(text, path)];
  });
}

function parseResult(text: string, path: string): ExperimentResult {
  try {
    const result = JSON.parse(text) as ExperimentResult;
    if (result.format === RESULT_FORMAT && result.seeds.length > 0) return result;
  } catch { /* the sentence below says it */ }
  throw new InputError({
    what: `read ${path}`,
    why: `it is damaged or of another format than ${RESULT_FORMAT}`,
    next: [{ task: "compare", set: { publish: true } }],
  });
}

/** JSON with a line an epoch: short, and a change shows where it is. */
function formatResult(result: ExperimentResult): string {
  const lines: string[] = [];
  const compact = JSON.stringify(result, (key, value) => {
    if (key !== "history") return value;
    const records = (value as ResultRecord[]).map((record) => JSON.stringify(roundAll(record)));
    return `@${lines.push("[\n        " + records.join(",\n        ") + "\n      ]") - 1}`;
  }, 2);
  return compact.replace(/"@(\d+)"/g, (_, index) => lines[Number(index)]) + "\n";
}

/** Seven significant digits: all that float32 has. */
function roundAll(record: ResultRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, Number(value.toPrecision(7))]),
  );
}
