import * as z from "zod";
import { isGenerated, type NetworkSizes, type NetworkSpec, sizesOf } from "../model/spec.ts";
import { InputError } from "../support/errors.ts";
import { findProblem, suggest } from "../support/schema.ts";
import best from "./recipes/best.json" with { type: "json" };
import fast from "./recipes/fast.json" with { type: "json" };
import {
  LAB,
  type RecipeName,
  type ResumeRule,
  type TrainConfig,
  TRAINING_OPTIONS,
  type TrainingOption,
} from "./options.ts";

export type { OptimizerName, RecipeName, ScheduleName, TrainConfig } from "./options.ts";

/** Sources of a configuration; later fields override earlier ones. */
export interface ConfigSources {
  /** The configuration of the run to resume, as its checkpoint holds it. */
  base?: object;
  /** A configuration file. */
  file?: ConfigFile;
  /** Options given by the command line or the calling code; `undefined` counts as not given. */
  flags?: Partial<TrainConfig>;
}

/** A parsed, unchecked configuration file. */
export interface ConfigFile {
  /** For messages. */
  path: string;
  /** Its entries. */
  values: object;
}

/** Key of `config.json` for the run's environment; not an option, so not read back. */
export const RECORDED_KEY = "recorded";

const NAMES = Object.keys(TRAINING_OPTIONS) as (keyof TrainConfig)[];
const SIZES = Object.keys(sizesOf({})) as (keyof NetworkSizes)[];
const LATER = Object.keys(LAB) as (keyof typeof LAB)[];
/** Options of a single call, not part of a configuration. */
const PER_CALL = ["resume", "config", "json"];

/** Looks up an option's check, default and description. */
export function optionOf(name: keyof TrainConfig): TrainingOption {
  return TRAINING_OPTIONS[name];
}

/** Looks up whether a resumed run may change an option. */
export function resumeRule(name: keyof TrainConfig): ResumeRule {
  return optionOf(name).onResume ?? "fixed";
}

/** Formats an option, also one of an older version, with its value: `batchSize 64`, `subset all`. */
export function showOption(name: keyof TrainConfig, value: unknown): string {
  const { nullWord = "none", defaultText, default: standard } = optionOf(name) ?? {};
  return `${name} ${value === null ? nullWord : value ?? defaultText ?? standard}`;
}

/**
 * A JSON schema of configuration files, by which an editor completes and checks them.
 *
 * @returns The content of `config.schema.json`.
 */
export function configSchema(): object {
  const properties = NAMES.map((name) => {
    const { schema, help, default: value } = optionOf(name);
    return [
      name,
      schema.optional().meta({ description: help, ...value !== undefined && { default: value } }),
    ];
  });
  const schema = z.strictObject({
    $schema: z.string().optional().meta({ description: "path or address of this schema" }),
    ...Object.fromEntries(properties),
    [RECORDED_KEY]: z.unknown().optional().meta({
      description: "facts about a run, written by it; ignored here",
    }),
  });
  return z.toJSONSchema(schema.meta({ title: "Training configuration" }), { io: "input" });
}

/**
 * Resolves a complete, checked configuration: defaults, then the resumed run, then the configuration
 * file, then the flags. Each may name a recipe, whose options come before its own.
 *
 * Learning rate, momentum and weight decay have a default for each optimizer; the run is named after its
 * network.
 *
 * @throws {InputError} If a source has an unknown name or an invalid value, or if options contradict each
 *   other.
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
  const given = {
    ...expandRecipe(checkValues(base, " of the resumed run")),
    ...(file === undefined ? {} : expandRecipe(checkValues(file.values, ` in ${file.path}`))),
    ...expandRecipe(checkValues(flags, "")),
  };
  const defaults = Object.fromEntries(NAMES.map((name) => [name, optionOf(name).default]));
  const config = { ...defaults, ...given } as TrainConfig;
  const isAdam = config.optimizer === "adam";
  const derived = {
    run: nameNetwork(config) + (config.recipe === LAB.recipe ? "" : `-${config.recipe}`),
    learningRate: isAdam ? 0.001 : 0.05,
    momentum: isAdam ? 0 : 0.9,
    weightDecay: isAdam ? 0 : 5e-4,
  };
  const complete: TrainConfig = { ...config, ...derived, ...given };
  for (const name of SIZES) if (isStandard(complete, name)) delete complete[name];
  if (complete.recipe === LAB.recipe) { // else they would be read back as the recipe's
    for (const name of LATER) if (complete[name] === LAB[name]) delete complete[name];
  }
  checkCombinations(complete);
  return complete;
}

/** Options of each recipe; the lab's are the defaults. */
const RECIPES: Readonly<Record<RecipeName, object>> = { lab: {}, fast, best };

/** Adds the options of the recipe that a source names, if any; the source's own win. */
function expandRecipe(given: Partial<TrainConfig>): Partial<TrainConfig> {
  const { recipe } = given;
  return recipe === undefined
    ? given
    : { ...checkValues(RECIPES[recipe], ` in the recipe ${recipe}`), ...given };
}

/**
 * Names a network by what differs from the lab's: `dynamic`, `dynamic-frozen-adapter-3x3`,
 * `dynamic-embedding-32`.
 */
export function nameNetwork(network: NetworkSpec): string {
  const { variant, backbone, adapter } = network;
  const sizes = SIZES.filter((name) => !isStandard(network, name))
    .map((name) => `-${name.replace(/[A-Z].*/, "")}-${network[name]}`);
  return variant + (backbone === "trainable" ? "" : `-${backbone}`) +
    (adapter === "none" ? "" : `-adapter-${adapter}`) + sizes.join("");
}

function isStandard(sizes: NetworkSizes, name: keyof NetworkSizes): boolean {
  return sizesOf(sizes)[name] === sizesOf({})[name];
}

/** Checks all values and drops `undefined` ones. `place` completes the messages. */
function checkValues(values: object, place: string): Partial<TrainConfig> {
  const given = Object.entries(values).filter(([name, value]) =>
    value !== undefined && name !== RECORDED_KEY && name !== "$schema"
  );
  for (const [name, value] of given) {
    if (!Object.hasOwn(TRAINING_OPTIONS, name)) throw unknownOption(name, place);
    const { schema } = optionOf(name as keyof TrainConfig);
    const problem = findProblem(schema, value);
    if (problem === null) continue;
    const orNull = schema.safeParse(null).success ? ", or null" : "";
    throw new InputError({
      what: `use ${name} ${showGiven(value)}${place}`,
      why: `it ${problem.must}${orNull}`,
    });
  }
  return Object.fromEntries(given);
}

const LONGEST_SHOWN = 80; // characters

/** Shows a value that was given, which may be long or deep. */
function showGiven(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[…]" : "{…}";
  return shorten(JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function unknownOption(name: string, place: string): InputError {
  if (PER_CALL.includes(name)) {
    return new InputError({
      what: `use ${name}${place}`,
      why: "it belongs to a single call, not to a configuration",
    });
  }
  const near = suggest(name, NAMES);
  const why = `there is no such option${near === undefined ? "" : ` (did you mean ${near}?)`}`;
  return new InputError({ what: `use ${shorten(name)}${place}`, why });
}

/**
 * Refuses contradictory options. All other combinations make sense: an adapter after a trainable backbone is
 * the control for one after a frozen backbone, and a frozen backbone with random weights measures the value
 * of pretraining.
 */
function checkCombinations({ variant, classLoop, optimizer, momentum, ...sizes }: TrainConfig): void {
  for (const name of ["embeddingSize", "generatorUnits"] as const) {
    if (isGenerated(variant) || sizes[name] === undefined) continue;
    throw new InputError({
      what: `use ${name} ${sizes[name]} with a ${variant} network`,
      why: "its filters are stored, not generated",
      setting: name,
      next: [{ advice: "leave it out" }],
    });
  }
  if (classLoop && (variant === "static-ten-way" || variant === "static-shared")) {
    throw new InputError({
      what: `loop over the classes of a ${variant} network`,
      why: "it has one filter for all of them",
      setting: "classLoop",
      next: [{ advice: "leave it out" }],
    });
  }
  if (optimizer === "adam" && momentum !== 0) {
    throw new InputError({
      what: `use a momentum of ${momentum} with Adam`,
      why: "Adam averages its gradients itself",
      setting: "momentum",
      next: [{ set: { momentum: 0 } }, { set: { optimizer: "sgd" } }],
    });
  }
}

/**
 * Checks that a run may be resumed with changed options.
 *
 * @param saved The configuration in the run's checkpoint.
 * @param wanted The configuration to resume with: `resolveConfig({ base: saved, file, flags })`.
 * @returns A sentence for each change after which the training is no longer bit for bit the uninterrupted
 * one.
 * @throws {InputError} If a changed option would make it another run; the message has both values.
 */
export function checkResumable(saved: TrainConfig, wanted: TrainConfig): string[] {
  const changed = NAMES.filter((name) => saved[name] !== wanted[name]);
  const refused = changed.filter((name) => resumeRule(name) === "fixed");
  if (refused.length > 0) {
    const changes = refused.map((name) =>
      `${showOption(name, wanted[name])} (it has ${showOption(name, saved[name])})`
    );
    throw new InputError({
      what: `resume run ${saved.run} with ${changes.join(" and ")}`,
      why: "that would be another training",
      next: [{ advice: "leave the change out" }, { advice: "start a new run of another name" }],
    });
  }
  return changed.filter((name) => resumeRule(name) === "rounding").map((name) =>
    `${showOption(name, wanted[name])} where the run has ${showOption(name, saved[name])}: ` +
    "results differ by rounding from those of a run that was not changed."
  );
}
