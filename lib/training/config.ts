import { InputError } from "../support/errors.ts";
import { checkOptionValue, flagOf, type Option, showOption, unknownOption } from "../support/options.ts";
import type { AdapterKind, BackboneMode, Variant } from "../model/spec.ts";
import type { DeviceChoice } from "../tensorflow/runtime/runtime.ts";
import { RUN_OPTIONS, TRAINING_OPTIONS } from "./options.ts";

/** The rule that moves the parameters. */
export type OptimizerName = "sgd" | "adam";
/** The course of the learning rate. */
export type ScheduleName = "one-cycle" | "cosine" | "constant";

/** Everything that makes a training what it is, as `config.json` and each checkpoint hold it. Defaults: `TRAINING_OPTIONS`. */
export interface TrainConfig {
  /** The run's name: its folder is `checkpoints/<run>`. */
  run: string;
  /** Decides starting values, order and augmentation. */
  seed: number;
  /** Where the network's filters come from. */
  variant: Variant;
  /** What of the backbone learns. */
  backbone: BackboneMode;
  /** The convolution behind the backbone. */
  adapter: AdapterKind;
  /** What the backbone starts from: a safetensors file, `random`, or `null` to look for the pretrained weights. */
  weights: string | null;
  /** Go through the classes one by one instead of all at once. */
  classLoop: boolean;
  /** Passes over the training images. */
  epochs: number;
  /** Images a step. */
  batchSize: number;
  /** The rule that moves the parameters. */
  optimizer: OptimizerName;
  /** Learning rate at its peak. */
  learningRate: number;
  /** The course of the learning rate. */
  schedule: ScheduleName;
  /** Nesterov momentum; 0 with Adam, which has none. */
  momentum: number;
  /** How much parameters are drawn towards 0. */
  weightDecay: number;
  /** Shrink the parameters themselves rather than add the decay to the gradient: AdamW. */
  decoupledWeightDecay: boolean;
  /** Share of the target that is spread over all classes, [0, 1). */
  labelSmoothing: number;
  /** Longest gradient let through (L2 norm over all parameters), or `null`: as it is. */
  clipNorm: number | null;
  /** Folder of CIFAR-10's binary files, `synthetic`, or `null` to look for them. */
  data: string | null;
  /** Random crops and mirrored images. */
  augment: boolean;
  /** Train on the first this many images, or `null`: all. */
  subset: number | null;
  /** Test on the first this many images, or `null`: all. */
  testSubset: number | null;
  /** Training images held out to choose the best epoch on; 0: it is chosen on the test set. */
  validation: number;
  /** Where to compute. */
  device: DeviceChoice;
  /** Run the training step as one graph. */
  compile: boolean;
  /** Winograd's algorithm for 3×3 convolutions where it is faster. */
  winograd: boolean;
  /** Write event files for TensorBoard. */
  tensorboard: boolean;
}

/** Where a configuration comes from; of two that name an option, the later one here wins. */
export interface ConfigSources {
  /** The configuration of the run to go on with, as its checkpoint holds it. */
  base?: object;
  /** What a configuration file holds, and its path for messages. */
  file?: ConfigFile;
  /** What the command line or the calling code gives; `undefined` counts as not given. */
  flags?: Partial<TrainConfig>;
}

/** A configuration file that was read but not checked. */
export interface ConfigFile {
  /** For messages. */
  path: string;
  /** What the file holds. */
  values: object;
}

/** The key of `config.json` for what the run found out (data set, device, versions); not an option, so not read back. */
export const RECORDED_KEY = "recorded";

const NAMES = Object.keys(TRAINING_OPTIONS) as (keyof TrainConfig)[];

/**
 * Puts a complete, checked configuration together: defaults, then the resumed run, then the configuration file, then the flags.
 *
 * Learning rate, momentum and weight decay have a default for each optimizer; the run is named after its network.
 *
 * @throws {InputError} if a source has an unknown name or a value that cannot be, or if options contradict each other.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resolveConfig } from "./config.ts";
 * const config = resolveConfig({ flags: { optimizer: "adam", epochs: 3 } });
 * assert.equal(config.learningRate, 0.001);
 * assert.equal(config.run, "dynamic");
 * ```
 */
export function resolveConfig({ base = {}, file, flags = {} }: ConfigSources = {}): TrainConfig {
  const given: Partial<TrainConfig> = {
    ...checkValues(base, (name) => name, "of the resumed run"),
    ...(file === undefined ? {} : checkValues(file.values, (name) => name, `in ${file.path}`)),
    ...checkValues(flags, flagOf),
  };
  const defaults = Object.fromEntries(NAMES.map((name) => [name, TRAINING_OPTIONS[name].default]));
  const config = { ...defaults, ...given } as TrainConfig;
  for (const name of NAMES) {
    const { defaultFrom } = TRAINING_OPTIONS[name];
    if (defaultFrom !== undefined && given[name] === undefined) {
      Object.assign(config, { [name]: defaultFrom(config) });
    }
  }
  checkCombinations(config);
  return config;
}

/** The values that are options, each checked; `undefined` ones are left out. `nameOf` and `place` make the messages. */
function checkValues(values: object, nameOf: (name: string) => string, place = ""): Partial<TrainConfig> {
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || name === RECORDED_KEY) continue;
    if (Object.hasOwn(RUN_OPTIONS, name)) {
      throw new InputError(
        `Cannot use ${nameOf(name)} ${place}: it belongs on the command line, as ${flagOf(name)}.`,
      );
    }
    if (!Object.hasOwn(TRAINING_OPTIONS, name)) {
      throw unknownOption(`${nameOf(name)} ${place}`.trim(), name, NAMES, nameOf);
    }
    const option = TRAINING_OPTIONS[name as keyof TrainConfig] as Option;
    const label = `${nameOf(name)} ${JSON.stringify(value)} ${place}`.trim();
    checked[name] = checkOptionValue(option, value, label);
  }
  return checked as Partial<TrainConfig>;
}

/**
 * Refuses what contradicts itself. All other combinations make sense: an adapter behind a backbone that learns is the control for
 * one behind a frozen backbone, and a frozen backbone with random weights shows what the pretrained ones are worth.
 */
function checkCombinations({ variant, classLoop, optimizer, momentum }: TrainConfig): void {
  if (classLoop && (variant === "static-ten-way" || variant === "static-shared")) {
    throw new InputError(
      `Cannot use --class-loop with --variant ${variant}: that network has one filter for all classes, so there is nothing to ` +
        "loop over; leave --class-loop out.",
    );
  }
  if (optimizer === "adam" && momentum !== 0) {
    throw new InputError(
      `Cannot use --momentum ${momentum} with --optimizer adam: Adam averages its gradients itself; leave --momentum out, or use ` +
        "--optimizer sgd.",
    );
  }
}

/**
 * Checks that a run may go on with other options than it was begun with.
 *
 * @param saved The configuration in the run's checkpoint.
 * @param wanted The configuration to go on with: `resolveConfig({ base: saved, file, flags })`.
 * @returns A sentence for each change that keeps the training from going on bit for bit; none when it will.
 * @throws {InputError} naming both values of each option that would make it another run.
 */
export function checkResumable(saved: TrainConfig, wanted: TrainConfig): string[] {
  const changed = NAMES.filter((name) => saved[name] !== wanted[name]);
  const show = (name: keyof TrainConfig, value: unknown) =>
    showOption(name, TRAINING_OPTIONS[name] as Option, value);
  const refused = changed.filter((name) => TRAINING_OPTIONS[name].onResume === "fixed");
  if (refused.length > 0) {
    const changes = refused.map((name) =>
      `${show(name, wanted[name])} (it was begun with ${show(name, saved[name])})`
    );
    throw new InputError(
      `Cannot go on with run ${saved.run} with ${
        changes.join(" and ")
      }: that would be another training; leave the option out, or ` +
        "start a new run with --run NAME.",
    );
  }
  return changed.filter((name) => TRAINING_OPTIONS[name].onResume === "rounding").map((name) =>
    `${show(name, wanted[name])} where the run was begun with ${show(name, saved[name])}: ` +
    "results differ by rounding from those of a run that was not changed."
  );
}

/**
 * Reads a JSON configuration file for {@linkcode resolveConfig}.
 *
 * @throws {InputError} if it cannot be read, or does not hold a JSON object.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : error.message;
    throw new InputError(`Cannot read the configuration file ${path}: ${reason}.`, { cause: error });
  }
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message;
    throw new InputError(`Cannot read the configuration file ${path}: it is not JSON (${reason}).`, {
      cause: error,
    });
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new InputError(
      `Cannot use the configuration file ${path}: it must hold one JSON object such as {"epochs": 3}.`,
    );
  }
  return { path, values };
}
