/**
 * The bytes of checkpoints: everything a training needs to resume as if it had never stopped, in one
 * safetensors file. Nothing here touches a file, so that it runs in a browser as well.
 *
 * The network's tensors carry PyTorch's names and layouts, the optimizer's are `optimizer.<tensor>.<slot>`,
 * and the rest is JSON in the file's metadata, which can be read without the tensors and without TensorFlow.
 */
import * as z from "zod";
import { CLASS_NAME, CLASS_NAMES, MAXIMUM_CLASSES } from "../data/dataset.ts";
import { InputError } from "../support/errors.ts";
import { toPlainText } from "../support/format.ts";
import { parseJson } from "../support/schema.ts";
import {
  formatSafetensors,
  type OpenSafetensors,
  openSafetensorsBytes,
  type StoredTensor,
  stripWrapper,
  typeOf,
} from "../support/safetensors_format.ts";
import { fromPyTorch, isTrainable, type StateDict } from "../model/state_dict.ts";
import { listTensors } from "../model/tensor_list.ts";
import { resolveConfig, type TrainConfig } from "./config.ts";
import { slotNames } from "./optimizer.ts";
import type { Environment, Progress } from "./progress.ts";

/** A checkpoint without its tensors. */
export interface CheckpointMetadata {
  /** Configuration of the training. */
  config: TrainConfig;
  /** Data, weights, device and versions. */
  recorded: Environment;
  /** Epochs and steps completed, best accuracy, history. */
  progress: Progress;
  /** Names of the network's classes. @default {CLASS_NAMES} */
  classNames?: readonly string[];
}

/** Tensors of a checkpoint: TensorFlow's, or arrays in PyTorch's layout. */
export interface CheckpointTensors<Tensors> {
  /** Parameters and running statistics. */
  network: Tensors;
  /** The optimizer's tensors as `<parameter>.<slot>`, or null in a checkpoint for inference only. */
  slots: Tensors | null;
}

/** Arrays by tensor name, in the order of a new network's tensors. */
export type StoredTensors = Map<string, StoredTensor>;

/** An open checkpoint: its metadata is checked, its tensors are decoded on demand. */
export interface Checkpoint extends CheckpointMetadata {
  /** The file. */
  path: string;
  /** Names of the network's classes; older files mean CIFAR-10's ten. */
  classNames: readonly string[];
  /**
   * Decodes and checks the tensors as arrays; needs no TensorFlow.
   *
   * @throws {InputError} If they are damaged, or do not fit the network of the configuration.
   */
  readTensors(): CheckpointTensors<StoredTensors>;
  /** Loads the network alone, for inference. @throws {InputError} As {@linkcode Checkpoint.readTensors}. */
  loadNetwork(): StateDict;
}

const FORMAT = "dynamic-filters/1";
const OPTIMIZER = "optimizer."; // prefix of the optimizer's tensors

/**
 * Parses the bytes of a checkpoint's file: checks its metadata; the tensors are decoded on demand.
 *
 * @param path Name of the file in errors.
 * @throws {InputError} If it is damaged or not a checkpoint of this program.
 */
export function parseCheckpoint(bytes: Uint8Array, path: string): Checkpoint {
  return readCheckpoint(openSafetensorsBytes(bytes, path), path);
}

/** Checks the metadata of an open file. @throws {InputError} If it is not a checkpoint of this program. */
export function readCheckpoint({ metadata: strings, decode }: OpenSafetensors, path: string): Checkpoint {
  const metadata = parseMetadata(path, strings);
  const readTensors = () => checkTensors(path, metadata, decode());
  return { path, ...metadata, readTensors, loadNetwork: () => makeTensors(readTensors().network) };
}

/** Creates TensorFlow's tensors from a checkpoint's arrays. */
export function makeTensors(stored: StoredTensors): StateDict {
  return Object.fromEntries([...stored].map(([name, tensor]) => [name, fromPyTorch(tensor)]));
}

/** Formats a checkpoint as the bytes of its file. @throws {NotFiniteError} If a value is not finite. */
export function formatCheckpoint(
  { config, recorded, progress, classNames = CLASS_NAMES, network, slots }:
    & CheckpointMetadata
    & CheckpointTensors<StoredTensors>,
): Uint8Array<ArrayBuffer> {
  const tensors = [...network];
  for (const [name, tensor] of slots ?? []) tensors.push([OPTIMIZER + name, tensor]);
  for (const [name, { data }] of tensors) {
    if (!(data as Float32Array).every(Number.isFinite)) throw new NotFiniteError(name);
  }
  return formatSafetensors(tensors, {
    format: FORMAT,
    config: JSON.stringify(config),
    recorded: JSON.stringify(recorded),
    progress: JSON.stringify(progress),
    classNames: JSON.stringify(classNames),
  });
}

/** A tensor to save holds NaN or infinity. */
export class NotFiniteError extends Error {
  override name = "NotFiniteError";
  constructor(tensor: string) {
    super(`${tensor} holds values that are not finite`);
  }
}

const [COUNT, NUMBER, POSITIVE, NAME] = [z.int().min(0), z.number(), z.number().positive(), z.string()];
/** Fields of other versions: nothing nested, which could go too deep. */
const OTHER = z.union([NAME, NUMBER, z.boolean(), z.null()]);
const EPOCH_RECORD = z.object({
  ...{ epoch: COUNT, step: COUNT, learningRate: NUMBER, trainLoss: NUMBER, trainAccuracy: NUMBER },
  ...{ testLoss: NUMBER, testAccuracy: NUMBER, seconds: NUMBER, imagesPerSecond: NUMBER.nullable() },
  ...{ data: NAME.optional(), weights: NAME.optional() },
}).catchall(OTHER);
const METADATA = {
  config: z.record(z.string(), z.unknown()), // checkConfig gives a better message
  recorded: z.object({ data: NAME, weights: NAME }).catchall(OTHER),
  progress: z.object({
    ...{ epochs: COUNT, steps: COUNT, totalSteps: COUNT },
    sums: z.object({ loss: NUMBER, correct: NUMBER, images: COUNT, seconds: NUMBER }).catchall(OTHER),
    best: z.object({
      ...{ epoch: COUNT, accuracy: NUMBER },
      calibration: z.object({ temperature: POSITIVE, threshold: NUMBER, images: COUNT }).optional(),
    }).nullable(),
    isSignChosen: z.boolean().optional(),
    history: z.array(EPOCH_RECORD),
  }).catchall(OTHER).refine(
    ({ epochs, history }) => history.length === epochs,
    "has another number of epochs than its history",
  ).refine(
    ({ best, epochs, steps, history }) =>
      best === null
        ? epochs === 0 || steps > 0 // a lost one is replaced at the end of the epoch
        : history[best.epoch - 1]?.testAccuracy === best.accuracy,
    "names a best epoch that its history does not have",
  ),
  classNames: z.array(z.string().regex(CLASS_NAME, "must be names of classes")).min(2).max(MAXIMUM_CLASSES)
    .refine((names) => new Set(names).size === names.length, "names a class twice"),
};

function parseMetadata(
  path: string,
  metadata: Record<string, string>,
): CheckpointMetadata & Pick<Checkpoint, "classNames"> {
  if (metadata.format !== FORMAT) {
    const why = `it was not written by this program (no format ${FORMAT} in its metadata)`;
    throw refuse(path, why, undefined, "keep the metadata when you save a checkpoint from PyTorch");
  }
  const unknown = Object.keys(metadata).find((key) => key !== "format" && !Object.hasOwn(METADATA, key));
  if (unknown !== undefined) throw refuse(path, `its metadata holds ${unknown}, which is not known`);
  const parse = (key: keyof typeof METADATA): unknown => {
    try {
      parseJson(METADATA[key], metadata[key] ?? "", key);
      if (key === "config") return JSON.parse(metadata[key]); // a path stays as it is
      // not the schema's result, which has its fields in another order
      return JSON.parse(metadata[key], (_, value) => typeof value === "string" ? toPlainText(value) : value);
    } catch (cause) {
      if (!(cause instanceof InputError)) throw cause;
      throw refuse(path, `its ${key} cannot be read (${cause.problem!.why})`, cause);
    }
  };
  return {
    config: checkConfig(path, parse("config") as TrainConfig),
    recorded: parse("recorded") as Environment,
    progress: parse("progress") as Progress,
    classNames: metadata.classNames === undefined ? CLASS_NAMES : parse("classNames") as string[],
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

function checkTensors(
  path: string,
  { config, classNames }: Pick<Checkpoint, "config" | "classNames">,
  tensors: StoredTensors,
): CheckpointTensors<StoredTensors> {
  const network: StoredTensors = new Map();
  const slots: StoredTensors = new Map();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(OPTIMIZER)) slots.set(name.slice(OPTIMIZER.length), tensor);
    else network.set(name, tensor);
  }
  const listed = listTensors({ ...config, classes: classNames.length });
  const expected: Shapes = listed.map(({ name, shape }) => [name, shape]);
  const expectedSlots: Shapes = listed.filter(({ name }) => isTrainable(name, config.backbone)).flatMap(
    ({ name, shape }) => slotNames(config).map((slot) => [`${name}.${slot}`, shape] as const),
  );
  const isResumable = slots.size > 0 || expectedSlots.length === 0; // plain SGD has no slots
  return {
    network: takeTensors(path, `network ${config.variant}`, stripWrapper(network), expected),
    slots: isResumable ? takeTensors(path, `optimizer ${config.optimizer}`, slots, expectedSlots) : null,
  };
}

type Shapes = (readonly [name: string, shape: number[]])[];

/**
 * Takes a file's tensors in the order of a new network's: sums over all of them, as clipping forms them, must
 * not change on resuming. Tensors of types that no network has are left out.
 *
 * @throws {InputError} If they are not exactly those expected.
 */
function takeTensors(path: string, owner: string, found: StoredTensors, expected: Shapes): StoredTensors {
  const taken: StoredTensors = new Map();
  for (const [name, shape] of expected) {
    const tensor = found.get(name);
    if (!tensor) throw refuse(path, `the ${owner} lacks ${name}`);
    if (typeOf(tensor) !== "F32") {
      throw refuse(
        path,
        `${name} is of type ${typeOf(tensor)} and not F32`,
        undefined,
        "convert it to float32",
      );
    }
    if (String(tensor.shape) !== String(shape)) {
      throw refuse(path, `${name} is [${tensor.shape}] and not [${shape}]`);
    }
    if (!(tensor.data as Float32Array).every(Number.isFinite)) {
      throw refuse(path, `${name} holds NaN or infinity`);
    }
    if (name.endsWith(".running_var") && (tensor.data as Float32Array).some((variance) => variance < 0)) {
      throw refuse(path, `${name} holds a negative variance`);
    }
    taken.set(name, tensor);
  }
  for (const [name, tensor] of found) {
    const isOther = typeOf(tensor) !== "F32"; // PyTorch's counters of batches, for example
    if (!taken.has(name) && !isOther) throw refuse(path, `${name} does not belong to the ${owner}`);
  }
  return taken;
}

function refuse(path: string, why: string, cause?: unknown, advice?: string): InputError {
  const next = advice === undefined ? [] : [{ advice }];
  return new InputError({ what: `use ${path} as a checkpoint`, why, next }, { cause });
}
