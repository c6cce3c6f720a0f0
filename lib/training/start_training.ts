import { basename, join } from "@std/path";
import { InputError } from "../support/errors.ts";
import { writeFileAtomically } from "../support/write_files.ts";
import { CLASS_NAMES } from "../data/dataset.ts";
import { createNetwork } from "../model/create_network.ts";
import type { Pretrained } from "../model/pretrained.ts";
import { isTrainable, type StateDict } from "../model/state_dict.ts";
import { type Checkpoint, makeTensors, openCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { checkResumable, type TrainConfig } from "./config.ts";
import { createOptimizer, createSlots, type Optimizer } from "./optimizer.ts";
import { describeProgress, type Environment, type Progress, startProgress } from "./progress.ts";
import type { RunFolder } from "./run_folder.ts";
import type { TrainState } from "./train_step.ts";

/** A training in progress. */
export interface Training {
  config: TrainConfig;
  recorded: Environment;
  progress: Progress;
  /** Names of the classes. */
  classNames: readonly string[];
  optimizer: Optimizer;
  state: TrainState;
}

/** Creates the network, from pretrained weights if available, and the optimizer's initial state. */
export function beginTraining(
  config: TrainConfig,
  environment: Omit<Environment, "weights">,
  { tensors, name }: Pretrained,
  classNames: readonly string[] = CLASS_NAMES,
): Training {
  const optimizer = createOptimizer(config);
  const { trainable, fixed } = splitState(
    createNetwork(
      { ...config, classes: classNames.length },
      { seed: config.seed, pretrained: tensors, classNames },
    ),
    config,
  );
  return {
    config,
    recorded: { ...environment, weights: name },
    progress: startProgress(),
    classNames,
    optimizer,
    state: { trainable, fixed, slots: createSlots(optimizer, trainable) },
  };
}

/**
 * Restores a training from a checkpoint.
 *
 * @param warn Receives a message for each change after which resuming is no longer bit for bit.
 * @throws {InputError} If the checkpoint or the data belong to another training.
 */
export function resumeTraining(
  config: TrainConfig,
  environment: Omit<Environment, "weights">,
  checkpoint: Checkpoint,
  warn: (message: string) => void,
): Training {
  checkResumption(config, environment, checkpoint, warn);
  const { recorded, progress, classNames } = checkpoint;
  const { network, slots } = checkpoint.readTensors();
  if (slots === null) {
    const next = [{ advice: "start a new run" }];
    const why = "it holds the network but not the optimizer's state";
    throw new InputError({ what: `resume from ${checkpoint.path}`, why, next });
  }
  return {
    config,
    recorded: { ...environment, weights: recorded.weights },
    progress,
    classNames,
    optimizer: createOptimizer(config),
    state: { ...splitState(makeTensors(network), config), slots: makeTensors(slots) },
  };
}

/** Refuses a checkpoint of another training, and warns of what resuming changes. */
function checkResumption(
  config: TrainConfig,
  environment: Omit<Environment, "weights">,
  { config: saved, recorded, progress }: Checkpoint,
  warn: (message: string) => void,
): void {
  for (const warning of checkResumable(saved, config)) warn(warning);
  requireEpochsLeft(config, progress);
  checkData(config.run, recorded, environment, warn);
  for (const key of ["device", "threads", "tensorflow", "processor"] as const) {
    const [now, before] = [environment[key], recorded[key]];
    if (before === undefined || before === now) continue; // older versions did not record the processor
    warn(`${key} is ${now}, and was ${before} before: results differ by rounding.`);
  }
  warn(`Resuming run ${config.run} ${describeProgress(progress)}.`);
  if (config.epochs !== saved.epochs && config.schedule !== "constant") {
    warn(
      `The ${config.schedule} schedule now spans ${config.epochs} epochs instead of ${saved.epochs}: ` +
        "the learning rate continues from there.",
    );
  }
}

function checkData(
  run: string,
  before: Environment,
  now: Omit<Environment, "weights">,
  warn: (message: string) => void,
): void {
  const hasSameName = before.data === now.data;
  const isOld = before.fingerprint?.length !== now.fingerprint!.length;
  if (hasSameName && before.fingerprint === now.fingerprint) return;
  if (hasSameName && isOld) {
    return warn(`An older version began this run: of its images only the name ${now.data} can be compared.`);
  }
  const why = hasSameName
    ? `the images found now are not those of ${before.data} that it was started with`
    : `it was started with ${before.data}, and the data found now is ${now.data}`;
  throw new InputError({ what: `resume run ${run}`, why, next: [{ set: { data: "PATH" } }] });
}

function requireEpochsLeft({ run, epochs }: TrainConfig, progress: Progress): void {
  const begun = progress.epochs + Math.sign(progress.steps);
  if (begun <= epochs) return;
  throw new InputError({
    what: `end run ${run} at epoch ${epochs}`,
    why: `it is ${describeProgress(progress)} already`,
    setting: "epochs",
    next: [{ set: { epochs: begun } }, { advice: "more" }],
  });
}

/**
 * Sees that the best epoch's checkpoint is in the folder of a resumed run. Where it is lost, the last epoch's
 * takes its place or, within an epoch, that of the next.
 *
 * @param from The folder of the checkpoint that was resumed.
 */
export async function restoreBest(
  training: Training,
  folder: RunFolder,
  from: string,
  warn: (message: string) => void,
): Promise<void> {
  const { progress } = training;
  const { best, epochs, steps, history } = progress;
  const source = join(from, basename(folder.best));
  if (best === null || await holdsBest(source, progress, source === folder.best)) {
    if (best !== null && source !== folder.best) writeFileAtomically(folder.best, Deno.readFileSync(source));
    return;
  }
  const isAtEnd = steps === 0;
  const isLast = best.epoch === epochs;
  if (!isAtEnd || !isLast) {
    warn(
      `The best epoch's checkpoint (epoch ${best.epoch}) is missing, damaged or another run's: ` +
        `the ${isAtEnd ? "last" : "next"} epoch's takes its place.`,
    );
  }
  if (!isAtEnd) progress.best = null;
  else if (!isLast) progress.best = { epoch: epochs, accuracy: history[epochs - 1].testAccuracy };
  if (isAtEnd) await saveTraining(folder.best, training);
  await saveTraining(folder.last, training);
}

/** Tells whether a file is sound and of the best epoch, or newer in the run's own folder: before a crash. */
async function holdsBest(path: string, { best, epochs }: Progress, isOwn: boolean): Promise<boolean> {
  try {
    const { progress: found, readTensors } = await openCheckpoint(path);
    readTensors(); // which checks them
    const isSame = found.best?.epoch === best!.epoch && found.best.accuracy === best!.accuracy;
    return isSame || (isOwn && found.epochs === epochs + 1);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** Saves the training's checkpoint. */
export async function saveTraining(
  path: string,
  { state, ...training }: Training,
): Promise<void> {
  await saveCheckpoint(path, { ...training, network: joinState(state), slots: state.slots });
}

/** Joins the network's trainable and fixed tensors. */
export function joinState({ trainable, fixed }: Pick<TrainState, "trainable" | "fixed">): StateDict {
  return { ...trainable, ...fixed };
}

/** Splits a network's tensors into those that the optimizer updates and the others. */
export function splitState(
  network: StateDict,
  { backbone }: Pick<TrainConfig, "backbone">,
): Pick<TrainState, "trainable" | "fixed"> {
  const part = (wanted: boolean): StateDict =>
    Object.fromEntries(Object.entries(network).filter(([name]) => isTrainable(name, backbone) === wanted));
  return { trainable: part(true), fixed: part(false) };
}
