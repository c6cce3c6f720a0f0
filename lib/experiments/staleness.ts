import { resolveConfig, showOption } from "../training/config.ts";
import { TRAINING_OPTIONS } from "../training/options.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { hashValue } from "./hash.ts";
import { CODE_PARTS, type CodeVersion, readCodeVersion } from "./provenance.ts";
import { isSameCode, type Probe, readProbes, trainAlike } from "./probe.ts";
import { type ExperimentResult, type Recipe, recipeOf } from "./results.ts";

/** What {@linkcode describeStaleness} goes by. */
export interface StalenessOptions {
  /** Today's code. @default {readCodeVersion()} */
  code?: CodeVersion;
  /** Probes of versions of the code: those that train alike count as one. @default {readProbes()} */
  probes?: readonly Probe[];
}

/**
 * Says what of the results is not what today's program would make: older code that trains otherwise, another recipe, other data than their
 * neighbours', experiments without results. Nothing where all is fresh.
 *
 * @returns A sentence each.
 *
 * @example
 * ```ts
 * import { readResults } from "./results.ts";
 * import { describeStaleness } from "./staleness.ts";
 * for (const sentence of await describeStaleness(readResults())) console.warn(sentence);
 * ```
 */
export async function describeStaleness(
  results: readonly ExperimentResult[],
  { code, probes = readProbes() }: StalenessOptions = {},
): Promise<string[]> {
  const today = code ?? await readCodeVersion();
  const missing = EXPERIMENTS.filter(({ name }) => !results.some(({ experiment }) => experiment === name));
  const sentences = missing.length === 0
    ? []
    : [`There are no results of ${missing.map(({ name }) => name).join(", ")}.`];
  for (const result of results) {
    sentences.push(...describeCode(result, today, probes), ...await describeRecipe(result));
  }
  return [...sentences, ...describeMixture(results)];
}

function describeCode(
  { experiment, seeds }: ExperimentResult,
  today: CodeVersion,
  probes: readonly Probe[],
): string[] {
  const versions = seeds.flatMap(({ sittings }) => sittings.map(({ code }) => code));
  if (seeds.some(({ sittings }) => sittings.length === 0)) {
    return [`The results of ${experiment} do not say which code made them.`];
  }
  const probeOf = (version: CodeVersion) => probes.find(({ code }) => isSameCode(code, version));
  const todaysProbe = probeOf(today);
  const older = versions.filter((version) => {
    const probe = probeOf(version);
    const alike = probe !== undefined && todaysProbe !== undefined && trainAlike(probe, todaysProbe);
    return !alike && !isSameCode(version, today);
  });
  if (older.length === 0) return [];
  const changed = CODE_PARTS.filter((part) => older.some((version) => version[part] !== today[part]));
  return [
    `The results of ${experiment} are older than today's code: lib/${changed.join(", lib/")} ${
      changed.length === 1 ? "has" : "have"
    } changed.`,
  ];
}

async function describeRecipe({ experiment, recipe, recipeHash }: ExperimentResult): Promise<string[]> {
  const known = EXPERIMENTS.find(({ name }) => name === experiment);
  if (known === undefined) return [`There is no experiment ${experiment} any more.`];
  if (await hashValue(recipe) !== recipeHash) {
    return [`The results of ${experiment} were edited by hand: their recipe does not fit its hash.`];
  }
  const today = recipeOf(resolveConfig({ flags: known.network }));
  if (await hashValue(today) === recipeHash) return [];
  const names = [...new Set([...Object.keys(today), ...Object.keys(recipe)])] as (keyof Recipe)[];
  const differences = names.filter((name) => today[name] !== recipe[name]).map((name) => {
    const show = (value: unknown) =>
      !(name in TRAINING_OPTIONS) || value === undefined ? String(value) : showOption(name, value);
    return `${show(recipe[name])} where it is ${show(today[name])} by default`;
  });
  return [`The results of ${experiment} were made with ${differences.join(", ")}.`];
}

/** Results that cannot be set beside each other. */
function describeMixture(results: readonly ExperimentResult[]): string[] {
  const [first, ...rest] = results;
  return rest.flatMap((result) => {
    const differs = [
      ...(result.data.fingerprint === first.data.fingerprint ? [] : [`data (${result.data.name})`]),
      ...(result.weights === first.weights ? [] : [`weights (${result.weights})`]),
      ...(sharedRecipe(result) === sharedRecipe(first) ? [] : ["recipe"]),
    ];
    if (differs.length === 0) return [];
    return [
      `The results of ${result.experiment} cannot be compared with those of ${first.experiment}: other ${
        differs.join(", ")
      }.`,
    ];
  });
}

function sharedRecipe({ recipe }: ExperimentResult): string {
  const { variant: _variant, backbone: _backbone, adapter: _adapter, ...shared } = recipe;
  return JSON.stringify(Object.entries(shared).sort(([one], [other]) => one < other ? -1 : 1));
}
