import { join } from "@std/path";
import type { Datasets } from "../../lib/data/dataset.ts";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { createSynthetic, SYNTHETIC_NAME } from "../../lib/data/synthetic.ts";
import { loadPretrained, type Pretrained } from "../../lib/model/pretrained.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import { findModel } from "../../lib/prediction/classify.ts";
import { InputError } from "../../lib/support/errors.ts";
import { escapeMarkdown, formatCount } from "../../lib/support/format.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { ensureTensorFlow } from "../../lib/setup.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { type Calibration, calibrationOf } from "../../lib/training/progress.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { type Claim, createClaim } from "./claims.ts";
import { installPlainErrors, installTensorDisplay, isInNotebook } from "./display.ts";
import { describeModel, type ModelFacts, requireShowable } from "./model_facts.ts";
import { displayMarkdown } from "./text.ts";
import { trainLive } from "./train_live.ts";

/** Data, weights and device of a notebook. */
export interface OpenNotebook {
  /** Training and test images. */
  datasets: Datasets;
  /** Initial weights of the backbone; `tensors` is null for a random initialisation. */
  pretrained: Pretrained;
  /** Set for a smoke test: few synthetic images, few steps, numbers without meaning. */
  quick: boolean;
  /** Guards conclusions drawn from these images. */
  claim: Claim;
}

const QUICK_SIZES = { trainSize: 640, testSize: 200 };

/**
 * Loads TensorFlow, the images and the backbone's weights from where the command line looks for them, and
 * shows one line that names all three.
 *
 * With the environment variable `NOTEBOOK_QUICK=1` it takes few synthetic images and a random initialisation,
 * and needs no network.
 */
export async function openNotebook(): Promise<OpenNotebook> {
  installPlainErrors();
  const quick = Deno.env.get("NOTEBOOK_QUICK") === "1";
  const log = (text: string) => console.log(text);
  await ensureTensorFlow({ reporter: { line: log } });
  const { device, version } = await useNativeTensorFlow();
  installTensorDisplay();
  if (isInNotebook()) keepKernelAlive();
  const datasets = quick ? createSynthetic(QUICK_SIZES) : await loadDatasets({ log });
  const pretrained = await loadPretrained({ weights: quick ? "random" : undefined, log });
  const { train, test } = datasets;
  const circumstances = {
    data: train.name,
    synthetic: train.name === SYNTHETIC_NAME,
    sizes: [train.labels.length, test.labels.length] as const,
    weights: pretrained.name,
    runtime: `${device.toUpperCase()}, TensorFlow ${version}`,
    quick,
  };
  const line = [
    `Data: ${escapeMarkdown(train.name)}, ${circumstances.sizes.map(formatCount).join(" + ")} images`,
    `weights: ${escapeMarkdown(pretrained.name)}`,
    circumstances.runtime,
    ...quick ? ["**quick trial: the numbers mean nothing**"] : [],
  ];
  await displayMarkdown(line.join(" · "), { kind: "circumstances", ...circumstances });
  const untested = quick ? "quick trial" : circumstances.synthetic ? "synthetic images" : null;
  return { datasets, pretrained, quick, claim: createClaim(untested) };
}

/** Keeps the kernel alive when ■ sends it a signal; {@linkcode trainLive} stops and saves by the same. */
function keepKernelAlive(): void {
  Deno.addSignalListener("SIGINT", () => {
    console.log("■ stops and saves a training. To stop anything else, restart the kernel.");
  });
}

/** A trained network. */
export interface OpenModel {
  network: StateDict;
  config: TrainConfig;
  /** Names of its classes. */
  classNames: readonly string[];
  /** Of its probabilities; null where its epoch was not chosen on held-out images. */
  calibration: Calibration | null;
  /** Model, training data and accuracy, for a figure's subtitle. */
  description: string;
  /** Guards conclusions from this network: not tested for a stand-in; of one's own run only said. */
  claim: Claim;
}

export interface OpenModelOptions {
  /**
   * A run of one's own, by name or file: `dynamic`, `notebooks/short`.
   *
   * @default the environment variable `NOTEBOOK_MODEL`, else the published model
   */
  run?: string;
}

/** Training of a stand-in: long enough for maps to show something. */
const STAND_IN = { run: "stand-in", epochs: 2, subset: 10_000, testSubset: 2_000 };
const QUICK_STAND_IN = { run: "stand-in", epochs: 2, batchSize: 64, weights: "random" };

/**
 * Loads one's own run or the published model, or trains a stand-in for a moment where there is none, and
 * shows which it is.
 *
 * The notebooks' conclusions are about the published model, and about the images and weights it was trained
 * with: with others, as with a stand-in, they are not tested.
 *
 * @throws {InputError} If there is no such run, or the notebooks cannot look at it.
 */
export async function openModel(
  { datasets, pretrained, quick, claim }: OpenNotebook,
  { run = Deno.env.get("NOTEBOOK_MODEL") || undefined }: OpenModelOptions = {},
): Promise<OpenModel> {
  const path = run !== undefined ? findModel(run) : quick ? null : findPublished();
  if (path !== null) {
    const { recorded, ...model } = await loadModel(path, run === undefined ? "the published model" : null);
    const isSame = recorded.data === datasets.train.name && recorded.weights === pretrained.name;
    if (!isSame) return { ...model, claim: createClaim("other images or weights than the model's") };
    return { ...model, claim: run === undefined ? claim : createClaim(null, `run ${model.config.run}`) };
  }
  console.log(
    `There is no published model${quick ? " in a quick trial" : ""}: a stand-in is trained for a moment. ` +
      "`deno task train --validation 5000 --publish` makes the real one.",
  );
  const weights = pretrained.source === "random" ? { weights: "random" } : {};
  const config = resolveConfig({ flags: { ...quick ? QUICK_STAND_IN : STAND_IN, ...weights } });
  const { folder } = await trainLive(config, { datasets, curves: false });
  const { recorded: _, ...model } = await loadModel(join(folder, "best.safetensors"), "a stand-in");
  return { ...model, claim: createClaim("stand-in for the published model") };
}

function findPublished(): string | null {
  try {
    return findModel(null);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** Loads a model and shows which it is; a null name stands for its run's. */
async function loadModel(path: string, name: string | null) {
  const { config, recorded, progress, classNames, loadNetwork } = await openCheckpoint(path);
  requireShowable({ config, classNames });
  const { best } = progress;
  const facts: ModelFacts = {
    name: name ?? `run ${config.run}`,
    variant: config.variant,
    seed: config.seed,
    epoch: best?.epoch ?? 0,
    epochs: config.epochs,
    accuracy: best?.accuracy ?? null,
    chosenOn: config.validation > 0 ? "held-out" : "test",
    data: recorded.data,
  };
  const description = describeModel(facts);
  await displayMarkdown(`Model: ${escapeMarkdown(description)}`, { kind: "model", ...facts });
  const calibration = calibrationOf(progress);
  return { network: loadNetwork(), config, recorded, classNames, calibration, description };
}
