/** Runs of a comparison on disk: their state, and `provenance.json` beside their checkpoints. */
import { join } from "@std/path";
import { z } from "zod";
import { InputError } from "../support/errors.ts";
import { exists, readTextOrNull } from "../support/files.ts";
import { writeText } from "../support/write_files.ts";
import { integer, parseJson, plainText, text } from "../support/schema.ts";
import { type Checkpoint, openCheckpoint } from "../training/checkpoint.ts";
import { resumeRule, showOption, type TrainConfig } from "../training/config.ts";
import { TRAINING_OPTIONS } from "../training/options.ts";
import type { EpochRecord } from "../training/progress.ts";
import type { PlannedRun } from "./plan.ts";
import type { DataIdentity } from "../data/identify.ts";
import { MACHINE } from "./provenance.ts";

/** Schema of {@linkcode DataIdentity} in a file. */
export const DATA_IDENTITY: z.ZodType<DataIdentity> = z.object({
  name: plainText(),
  fingerprint: plainText(64),
});

/** Schema of a process's work on a run. */
export const TRAINING_SESSION = z.object({
  /** Its start. */
  date: z.iso.datetime({ error: "must be a date and time in ISO 8601, UTC" }),
  /** Of the code; null outside a checkout. */
  commit: text(/^[0-9a-f]{7,64}$/, "a commit of git").nullable(),
  machine: MACHINE,
  device: z.enum(["cpu", "gpu"]),
  /** Within an operation. */
  threads: integer({ from: 0 }),
  /** Runs trained in parallel: they share the machine, so epochs take longer. */
  jobs: integer({ from: 0 }),
  tensorflow: plainText(60),
});

/** A process's work on a run; an interrupted run has several. */
export type TrainingSession = z.infer<typeof TRAINING_SESSION>;

const RUN_RECORD = z.object({ data: DATA_IDENTITY, sessions: z.array(TRAINING_SESSION) });

/** Data and training sessions of a run: `provenance.json` in its folder. */
export type RunRecord = z.infer<typeof RUN_RECORD>;

const FILE = "provenance.json";

/** Reads the record of a run; null if there is none. @throws {InputError} If it is damaged. */
export function readRunRecord(runFolder: string): RunRecord | null {
  const path = join(runFolder, FILE);
  const text = readTextOrNull(path);
  return text === null ? null : parseJson(RUN_RECORD, text, path);
}

/** Adds a training session to the record. The caller must hold the run's lock. */
export function addSession(runFolder: string, data: DataIdentity, session: TrainingSession): void {
  const sessions = readRunRecord(runFolder)?.sessions ?? [];
  const record: RunRecord = { data, sessions: [...sessions, session] };
  writeText(join(runFolder, FILE), JSON.stringify(record, null, 2) + "\n");
}

/** State of a run of a comparison. */
export interface RunState {
  stage: "new" | "interrupted" | "finished";
  /** Empty for a new one. */
  history: EpochRecord[];
  /** Configuration to train with: as planned, but a started run keeps its own path to the same weights. */
  config: TrainConfig;
  /** Threads that it was trained with; none for a new one. */
  threads?: number;
  /** Content of its last checkpoint; none for a new one. */
  saved?: SavedRun;
}

/** What a run's results are made of. */
export type SavedRun = Pick<Checkpoint, "progress" | "recorded">;

/**
 * Plans the threads of a comparison's new runs: as many as the others have, since another number changes the
 * last bits, however many are left; else an equal share of the processor.
 *
 * @param jobs Runs trained in parallel.
 */
export function planThreads(
  states: readonly Pick<RunState, "threads">[],
  jobs: number,
  cores: number = navigator.hardwareConcurrency,
): number {
  const known = states.find(({ threads }) => threads !== undefined)?.threads;
  return known ?? Math.max(1, Math.floor(cores / Math.min(jobs, states.length)));
}

/** Data and weights of all runs of a comparison. */
export interface SharedInputs {
  data: DataIdentity;
  /** Name of the backbones' initial weights. */
  weights: string;
}

/**
 * Determines the state of a run.
 *
 * @param runsFolder Folder of the comparison's runs.
 * @throws {InputError} If there is a run of that name with another recipe, other data or other weights.
 */
export async function inspectRun(
  { config }: Pick<PlannedRun, "config">,
  { data, weights }: SharedInputs,
  runsFolder: string,
): Promise<RunState> {
  const folder = join(runsFolder, config.run);
  const last = join(folder, "last.safetensors");
  if (!exists(last)) return { stage: "new", history: [], config };
  const saved = await openCheckpoint(last);
  const differences = listDifferences(saved.config, config);
  const known = readRunRecord(folder)?.data;
  if (saved.recorded.data !== data.name) {
    differences.push(`was trained on ${saved.recorded.data}, and the data found now is ${data.name}`);
  } else if (known !== undefined && known.fingerprint !== data.fingerprint) {
    differences.push(`was trained on other images of the name ${data.name}`);
  }
  if (saved.recorded.weights !== weights) {
    differences.push(`started from the weights ${saved.recorded.weights} and not from ${weights}`);
  }
  if (differences.length > 0) {
    throw new InputError({
      what: `use run ${config.run} in this comparison`,
      why: `it ${differences.join(", ")}`,
      next: [
        { advice: "use the recipe that it was started with" },
        { set: { into: "NAME" } },
        { advice: `delete ${folder}` },
      ],
    });
  }
  const isFinished = saved.progress.epochs === config.epochs;
  return {
    stage: isFinished ? "finished" : "interrupted",
    history: saved.progress.history,
    config: { ...config, weights: saved.config.weights },
    threads: saved.recorded.threads,
    saved: { progress: saved.progress, recorded: saved.recorded },
  };
}

/** Lists settings that change the experiment; paths and compute settings do not. */
export function listDifferences(saved: TrainConfig, wanted: TrainConfig): string[] {
  const names = Object.keys(TRAINING_OPTIONS) as (keyof TrainConfig)[];
  // a run may be resumed with more epochs, but then its schedule differs from this recipe's
  const matters = names.filter((name) => resumeRule(name) === "fixed" || name === "epochs");
  const known = ["run", "weights"]; // the run is found by its name, and its weights are compared by content
  return matters.filter((name) => !known.includes(name) && saved[name] !== wanted[name])
    .map((name) => `has ${showOption(name, saved[name])} instead of ${showOption(name, wanted[name])}`);
}
