import { InputError } from "../support/errors.ts";
import { createNetwork } from "../model/create_network.ts";
import type { Pretrained } from "../model/pretrained.ts";
import { isTrainable, type StateDict } from "../model/state_dict.ts";
import { makeTensors, saveCheckpoint } from "./checkpoint.ts";
import { describeProgress, type Environment, type Progress, startProgress } from "./progress.ts";
import { readCheckpoint } from "./stored_checkpoint.ts";
import { checkResumable, type TrainConfig } from "./config.ts";
import { createOptimizer, createSlots } from "./optimizer.ts";
import type { TrainState } from "./train_step.ts";

/** A training under way. */
export interface Training {
  config: TrainConfig;
  recorded: Environment;
  progress: Progress;
  state: TrainState;
}

/** What a run finds around it; the weights are known once they are loaded. */
export type Surroundings = Omit<Environment, "weights">;

/** Takes sentences that the user should read. */
type Say = (text: string) => void;

/** Creates the network, with pretrained weights where there are some, and an optimizer at rest. */
export function beginTraining(
  config: TrainConfig,
  surroundings: Surroundings,
  { tensors, name }: Pretrained,
): Training {
  const { trainable, fixed } = splitState(
    createNetwork(config, { seed: config.seed, pretrained: tensors }),
    config,
  );
  const slots = createSlots(createOptimizer(config), trainable);
  return {
    config,
    recorded: { ...surroundings, weights: name },
    progress: startProgress(),
    state: { trainable, fixed, slots },
  };
}

/**
 * Takes a training up where a checkpoint left it.
 *
 * @param path The checkpoint.
 * @throws {InputError} If the checkpoint or today's data belong to another training.
 */
export async function resumeTraining(
  config: TrainConfig,
  surroundings: Surroundings,
  path: string,
  say: Say,
): Promise<Training> {
  const checkpoint = await readCheckpoint(path);
  const { config: saved, recorded, progress } = checkpoint;
  for (const warning of checkResumable(saved, config)) say(warning);
  if (checkpoint.slots === null) {
    throw new InputError(
      `Cannot go on from ${path}: it holds the network but not its optimizer; start a new run instead.`,
    );
  }
  const refuse = (why: string) =>
    new InputError(`Cannot go on with run ${config.run}: it was begun on ${why}; name the folder by --data.`);
  if (recorded.data !== surroundings.data) {
    throw refuse(`${recorded.data}, and the data found now is ${surroundings.data}`);
  }
  if (recorded.fingerprint !== undefined && recorded.fingerprint !== surroundings.fingerprint) {
    throw refuse(`other images of the name ${recorded.data} than those found now`);
  }
  for (const key of ["device", "threads", "tensorflow"] as const) {
    if (recorded[key] === surroundings[key]) continue;
    say(
      `${key} is ${surroundings[key]} where the run was begun with ${
        recorded[key]
      }: results differ by rounding.`,
    );
  }
  say(`Going on with run ${config.run} ${describeProgress(progress)}.`);
  if (config.epochs !== saved.epochs && config.schedule !== "constant") {
    say(
      `The ${config.schedule} schedule now spans ${config.epochs} epochs instead of ${saved.epochs}: the learning rate goes on from there.`,
    );
  }
  const { network, slots } = makeTensors(checkpoint);
  const state = { ...splitState(network, config), slots: slots! };
  return { config, recorded: { ...surroundings, weights: recorded.weights }, progress, state };
}

/** Writes the training's checkpoint. */
export async function saveTraining(
  path: string,
  { config, recorded, progress, state }: Training,
): Promise<void> {
  await saveCheckpoint(path, { config, recorded, progress, network: joinState(state), slots: state.slots });
}

/** The network's tensors as one record. */
export function joinState({ trainable, fixed }: Pick<TrainState, "trainable" | "fixed">): StateDict {
  return { ...trainable, ...fixed };
}

/** Parts a network's tensors into those that the optimizer moves and the others. */
export function splitState(
  network: StateDict,
  { backbone }: Pick<TrainConfig, "backbone">,
): Pick<TrainState, "trainable" | "fixed"> {
  const part = (wanted: boolean): StateDict =>
    Object.fromEntries(Object.entries(network).filter(([name]) => isTrainable(name, backbone) === wanted));
  return { trainable: part(true), fixed: part(false) };
}
