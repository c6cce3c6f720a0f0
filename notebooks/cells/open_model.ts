import { join } from "@std/path";
import { formatPercent } from "../../lib/support/format.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import { findModel } from "../../lib/prediction/published_model.ts";
import { InputError } from "../../lib/support/errors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import type { OpenNotebook } from "../jupyter/open_notebook.ts";
import { trainLive } from "./train_live.ts";

/** A trained network of the lab. */
export interface OpenModel {
  /** Its tensors. */
  network: StateDict;
  /** What it was trained with. */
  config: TrainConfig;
  /** Which model it is, trained on what, with what accuracy; for a figure's subtitle. */
  description: string;
  /** Whether it is the published one, and not a stand-in that was trained for a moment. */
  isPublished: boolean;
}

/** Training of a stand-in: enough for maps to show something. */
const STAND_IN: Partial<TrainConfig> = { run: "stand-in", epochs: 2, subset: 10_000, testSubset: 2_000 };
const QUICK_STAND_IN: Partial<TrainConfig> = { run: "stand-in", epochs: 2, batchSize: 64 };

/**
 * Loads the published model and prints a line that says what it is. Where there is none, as in a quick trial, a stand-in is trained for
 * a moment, and the line says so.
 */
export async function openModel({ datasets, pretrained, quick }: OpenNotebook): Promise<OpenModel> {
  const path = quick ? null : findPublished();
  if (path !== null) {
    const model = { ...await describeCheckpoint("the published model", path), isPublished: true };
    console.log(`model: ${model.description}`);
    return model;
  }
  console.log(
    `There is no published model${quick ? " in a quick trial" : ""}: a stand-in is trained for a moment. ` +
      "`deno task compare --publish` makes the real one.",
  );
  const flags = quick ? { ...QUICK_STAND_IN, weights: "random" } : STAND_IN;
  const weights = pretrained.source === "random" ? { weights: "random" } : {};
  const { folder } = await trainLive(resolveConfig({ flags: { ...flags, ...weights } }), {
    datasets,
    curves: false,
  });
  const model = await describeCheckpoint("a stand-in", join(folder, "best.safetensors"));
  console.log(`model: ${model.description}`);
  return { ...model, isPublished: false };
}

function findPublished(): string | null {
  try {
    return findModel(null);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

async function describeCheckpoint(what: string, path: string) {
  const { config, recorded, progress, loadNetwork } = await openCheckpoint(path);
  const { epoch, accuracy } = progress.best!;
  const description =
    `${what}: ${config.variant}, epoch ${epoch} of ${config.epochs}, seed ${config.seed}, ` +
    `${formatPercent(accuracy)} of the test images right; data ${recorded.data}`;
  return { network: await loadNetwork(), config, description };
}
