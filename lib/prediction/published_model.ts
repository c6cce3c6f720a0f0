import { join } from "@std/path";
import { InputError } from "../support/errors.ts";
import { defaultRunsFolder, findCheckpoint } from "../training/run_folder.ts";

/** The model that comes with the project, below the folder of all runs. */
export const PUBLISHED_MODEL = join("published", "dynamic.safetensors");

/**
 * Finds the checkpoint to predict with: a file, a run's best epoch, or, with `null`, the published model.
 *
 * @throws {InputError} If there is none; the message says how to make one.
 */
export function findModel(runOrFile: string | null, runsFolder: string = defaultRunsFolder()): string {
  if (runOrFile !== null) return findCheckpoint(runOrFile, "best", runsFolder);
  const path = join(runsFolder, PUBLISHED_MODEL);
  try {
    return findCheckpoint(path, "best", runsFolder);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError({
      what: "predict without a model",
      why: `there is no ${path} yet`,
      next: [{ task: "train", set: { run: "NAME" } }, { set: { model: "NAME" } }],
    }, { cause: error });
  }
}
