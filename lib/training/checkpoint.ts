/**
 * Checkpoints: everything a training needs to go on as if it had never stopped, in one safetensors file.
 *
 * The network's tensors carry PyTorch's names and layouts, the optimizer's are `optimizer.<tensor>.<slot>`, and the rest is JSON in the
 * file's metadata.
 *
 * @module
 */
import { type StoredTensor, writeSafetensors } from "../support/safetensors.ts";
import { fromPyTorch, type StateDict, toPyTorch } from "../model/state_dict.ts";
import type { TrainConfig } from "./config.ts";
import type { Environment, Progress } from "./progress.ts";
import { FORMAT, OPTIMIZER, readCheckpoint, type StoredCheckpoint } from "./stored_checkpoint.ts";

/** A training at one moment. */
export interface Checkpoint {
  /** What makes the training what it is. */
  config: TrainConfig;
  /** What it found out about its surroundings. */
  recorded: Environment;
  /** How far it is. */
  progress: Progress;
  /** Parameters and running statistics. */
  network: StateDict;
  /** The optimizer's tensors as `<parameter>.<slot>`, or null in a file made for testing only. */
  slots: StateDict | null;
}

/**
 * Writes a checkpoint: the file holds the old one or the new one, whatever happens meanwhile.
 *
 * @throws {NotFiniteError} If the training has diverged; the old file stays.
 */
export async function saveCheckpoint(
  path: string,
  { config, recorded, progress, network, slots }: Checkpoint,
): Promise<void> {
  const stored: [string, StoredTensor][] = [];
  for (const [name, tensor] of Object.entries(network)) stored.push([name, await toPyTorch(tensor)]);
  for (const [name, tensor] of Object.entries(slots ?? {})) {
    stored.push([OPTIMIZER + name, await toPyTorch(tensor)]);
  }
  for (const [name, { data }] of stored) {
    if (!(data as Float32Array).every(Number.isFinite)) throw new NotFiniteError(name);
  }
  writeSafetensors(path, stored, {
    format: FORMAT,
    config: JSON.stringify(config),
    recorded: JSON.stringify(recorded),
    progress: JSON.stringify(progress),
  });
}

/** A tensor that is to be saved holds NaN or infinity. */
export class NotFiniteError extends Error {
  override name = "NotFiniteError";
  constructor(tensor: string) {
    super(`${tensor} holds values that are not finite`);
  }
}

/**
 * Reads a checkpoint.
 *
 * @throws {InputError} If it is missing, damaged, something else, or not the network its configuration says.
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  return makeTensors(await readCheckpoint(path));
}

/** Makes tensors of a checkpoint's values. */
export function makeTensors({ network, slots, ...rest }: StoredCheckpoint): Checkpoint {
  const make = (stored: Map<string, StoredTensor>): StateDict =>
    Object.fromEntries([...stored].map(([name, tensor]) => [name, fromPyTorch(tensor)]));
  return { ...rest, network: make(network), slots: slots && make(slots) };
}
