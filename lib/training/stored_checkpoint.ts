/**
 * Checkpoints as values: what can be read and checked without TensorFlow.
 *
 * @module
 */
import { InputError } from "../support/errors.ts";
import { readSafetensors, type StoredTensor } from "../support/safetensors.ts";
import { isTrainable } from "../model/state_dict.ts";
import { listTensors } from "../model/tensor_list.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { resolveConfig, type TrainConfig } from "./config.ts";
import { createOptimizer } from "./optimizer.ts";
import type { Environment, Progress } from "./progress.ts";

/** What a file's metadata call their format. */
export const FORMAT = "dynamic-filters/1";

/** Before the name of a tensor that is the optimizer's. */
export const OPTIMIZER = "optimizer.";

/** A checkpoint as its file holds it: values in PyTorch's layout. */
export interface StoredCheckpoint extends Omit<Checkpoint, "network" | "slots"> {
  /** Parameters and running statistics, in PyTorch's layout. */
  network: Map<string, StoredTensor>;
  /** The optimizer's values likewise, or null in a file made for testing only. */
  slots: Map<string, StoredTensor> | null;
}

/**
 * Reads a checkpoint's values and checks them; wants no TensorFlow.
 *
 * @throws {InputError} As {@linkcode loadCheckpoint}.
 */
export async function readCheckpoint(path: string): Promise<StoredCheckpoint> {
  const { tensors, config, ...rest } = await openCheckpoint(path);
  const stored = [...tensors];
  const network = new Map(stored.filter(([name]) => !name.startsWith(OPTIMIZER)));
  const slots = new Map(
    stored.filter(([name]) => name.startsWith(OPTIMIZER))
      .map(([name, tensor]): [string, StoredTensor] => [name.slice(OPTIMIZER.length), tensor]),
  );
  const listed = listSlots(config); // plain SGD has none
  const isComplete = slots.size > 0 || listed.size === 0;
  return {
    config,
    ...rest,
    network: takeTensors(path, `network ${config.variant}`, network, listNetwork(config)),
    slots: isComplete ? takeTensors(path, `optimizer ${config.optimizer}`, slots, listed) : null,
  };
}

/**
 * Reads a checkpoint's configuration alone; wants no TensorFlow.
 *
 * @throws {InputError} If it is missing, damaged or something else.
 */
export async function loadConfig(path: string): Promise<TrainConfig> {
  return (await openCheckpoint(path)).config;
}

/**
 * Reads all that a checkpoint holds but its tensors; wants no TensorFlow.
 *
 * @throws {InputError} If it is missing, damaged or something else.
 */
export async function loadFacts(path: string): Promise<Pick<Checkpoint, "config" | "recorded" | "progress">> {
  const { config, recorded, progress } = await openCheckpoint(path);
  return { config, recorded, progress };
}

async function openCheckpoint(path: string) {
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== FORMAT) {
    throw refuse(path, `it was not written by this program (no format ${FORMAT} in its metadata)`);
  }
  const parse = <T>(key: "config" | "recorded" | "progress", isSound: (value: T) => boolean): T => {
    try {
      const value = JSON.parse(metadata[key]);
      if (isRecord(value) && isSound(value as T)) return value as T;
    } catch (cause) {
      throw refuse(path, `its ${key} cannot be read`, cause);
    }
    throw refuse(path, `its ${key} cannot be read`);
  };
  return {
    tensors,
    config: checkConfig(path, parse<TrainConfig>("config", () => true)),
    recorded: parse<Environment>(
      "recorded",
      ({ data, weights }) => [data, weights].every((text) => typeof text === "string"),
    ),
    progress: parse<Progress>("progress", isSoundProgress),
  };
}

function checkConfig(path: string, base: TrainConfig): TrainConfig {
  try {
    return resolveConfig({ base });
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw refuse(
      path,
      `its options are not those of this program (${cause.message.replace(/\.$/, "")})`,
      cause,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSoundProgress({ epochs, steps, totalSteps, sums, history }: Progress): boolean {
  const counts = [epochs, steps, totalSteps].every((count) => Number.isSafeInteger(count) && count >= 0);
  const isSummed = isRecord(sums) && Object.values(sums).every(Number.isFinite);
  return counts && isSummed && Array.isArray(history) && history.length === epochs;
}

type Shapes = Map<string, number[]>;

function listNetwork(config: TrainConfig): Shapes {
  return new Map(listTensors(config).map(({ name, shape }) => [name, shape]));
}

function listSlots(config: TrainConfig): Shapes {
  const { slots } = createOptimizer(config);
  const trainable = listTensors(config).filter(({ name }) => isTrainable(name, config.backbone));
  return new Map(
    trainable.flatMap(({ name, shape }) =>
      slots.map((slot): [string, number[]] => [`${name}.${slot}`, shape])
    ),
  );
}

/**
 * Takes the tensors of a file in the order in which a new network has them: sums over all of them, as clipping needs, are to be formed in
 * the same order after going on.
 *
 * @throws {InputError} If they are not just those expected.
 */
function takeTensors(
  path: string,
  owner: string,
  found: Map<string, StoredTensor>,
  expected: Shapes,
): Map<string, StoredTensor> {
  const taken = new Map<string, StoredTensor>();
  for (const [name, shape] of expected) {
    const tensor = found.get(name);
    if (!tensor) throw refuse(path, `the ${owner} lacks ${name}`);
    if (!(tensor.data instanceof Float32Array)) throw refuse(path, `${name} is not float32`);
    if (String(tensor.shape) !== String(shape)) {
      throw refuse(path, `${name} is [${tensor.shape}] and not [${shape}]`);
    }
    taken.set(name, tensor);
  }
  for (const name of found.keys()) {
    if (!expected.has(name)) throw refuse(path, `${name} does not belong to the ${owner}`);
  }
  return taken;
}

function refuse(path: string, why: string, cause?: unknown): InputError {
  return new InputError(`Cannot use ${path} as a checkpoint: ${why}.`, { cause });
}
