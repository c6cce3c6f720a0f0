/** Checkpoints as files. */
import { type StateDict, toPyTorch } from "../model/state_dict.ts";
import { openSafetensors } from "../support/safetensors.ts";
import { writeFileAtomically } from "../support/write_files.ts";
import {
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointTensors,
  formatCheckpoint,
  readCheckpoint,
  type StoredTensors,
} from "./checkpoint_format.ts";

export * from "./checkpoint_format.ts";

/**
 * Opens a checkpoint: reads it at once, so that a training may replace the file meanwhile, and checks its
 * metadata.
 *
 * @throws {InputError} If the file is missing, damaged or not a checkpoint of this program.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  return readCheckpoint(await openSafetensors(path), path);
}

/**
 * Saves a training atomically: the file holds the old state or the new one.
 *
 * @throws {NotFiniteError} If the training has diverged; the old file stays.
 */
export async function saveCheckpoint(
  path: string,
  { network, slots, ...metadata }: CheckpointMetadata & CheckpointTensors<StateDict>,
): Promise<void> {
  const store = async (tensors: StateDict): Promise<StoredTensors> => {
    const stored: StoredTensors = new Map();
    for (const [name, tensor] of Object.entries(tensors)) stored.set(name, await toPyTorch(tensor));
    return stored;
  };
  writeCheckpoint(path, { ...metadata, network: await store(network), slots: slots && await store(slots) });
}

/** Writes a checkpoint's metadata and arrays. @throws {NotFiniteError} As {@linkcode saveCheckpoint}. */
export function writeCheckpoint(
  path: string,
  contents: CheckpointMetadata & CheckpointTensors<StoredTensors>,
): void {
  writeFileAtomically(path, formatCheckpoint(contents));
}
