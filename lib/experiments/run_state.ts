import { join } from "@std/path";
import { InputError } from "../support/errors.ts";
import { exists } from "../support/files.ts";
import type { Progress } from "../training/progress.ts";
import { openCheckpoint } from "../training/checkpoint.ts";
import { resumeRule, showOption, type TrainConfig } from "../training/config.ts";
import type { EpochRecord } from "../training/progress.ts";
import { TRAINING_OPTIONS } from "../training/options.ts";
import type { PlannedRun } from "./plan.ts";
import type { DataIdentity } from "./provenance.ts";
import { readRunRecord } from "./run_record.ts";

/** Where a run of a comparison stands. */
export interface RunState {
  stage: "new" | "interrupted" | "finished";
  /** Empty for a new one. */
  history: EpochRecord[];
  /** To train with: as planned, but a run that is begun keeps the words it found its weights by; what they are is the same. */
  config: TrainConfig;
}

/** What all runs of a comparison have in common. */
export interface Common {
  data: DataIdentity;
  /** Name of what the backbones start from. */
  weights: string;
}

/**
 * Finds out where a run stands: nothing there, to be gone on with, or done.
 *
 * @param runsFolder The folder of the comparison's runs.
 * @throws {InputError} If there is a run of that name with another recipe, other data or other weights.
 */
export async function inspectRun(
  { config }: PlannedRun,
  { data, weights }: Common,
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
        { advice: "ask for the recipe it was begun with" },
        { set: { into: "NAME" } },
        { advice: `delete ${folder}` },
      ],
    });
  }
  return {
    stage: isFinished(saved.progress, config) ? "finished" : "interrupted",
    history: saved.progress.history,
    config: { ...config, weights: saved.config.weights },
  };
}

/** Whether a training has done all epochs it was to do. */
export function isFinished(
  { epochs }: Pick<Progress, "epochs">,
  config: Pick<TrainConfig, "epochs">,
): boolean {
  return epochs === config.epochs;
}

/** The options that make results another experiment's; where files lie and what computes do not. */
function listDifferences(saved: TrainConfig, wanted: TrainConfig): string[] {
  const names = Object.keys(TRAINING_OPTIONS) as (keyof TrainConfig)[];
  // a run may be stretched to more epochs, but then it is not the run of this recipe: its schedule differs
  const matters = names.filter((name) => resumeRule(name) === "fixed" || name === "epochs");
  const known = ["run", "weights"]; // the run is found by its name, and its weights are compared by what they are
  return matters.filter((name) => !known.includes(name) && saved[name] !== wanted[name])
    .map((name) => `has ${showOption(name, saved[name])} instead of ${showOption(name, wanted[name])}`);
}
