import { resolveConfig, showOption } from "../training/config.ts";
import { TRAINING_OPTIONS } from "../training/options.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { hashValue } from "./hash.ts";
import { CODE_PARTS, type CodeVersion, readCodeVersion } from "./provenance.ts";
import { isSameCode, type Probe, readProbes, trainAlike } from "./probe.ts";
import { type ExperimentResult, type Recipe, recipeOf } from "./results.ts";

/** Options of {@linkcode findStaleness}. */
export interface StalenessOptions {
  /** Today's code. @default {readCodeVersion()} */
  code?: CodeVersion;
  /** Probes of versions of the code: those that train alike count as one. @default {readProbes()} */
  probes?: readonly Probe[];
}

/** Results that differ from what today's code would give. Experiments with the same difference are one finding. */
export interface Staleness {
  kind:
    | "missing"
    | "older code"
    | "unknown code"
    | "other recipe"
    | "edited"
    | "unknown experiment"
    | "mixture";
  /** Names of the experiments. */
  experiments: string[];
  /** Parts of the code or settings that differ; for a mixture, the experiment it was compared with comes first. */
  details: readonly string[];
}

/**
 * Finds what of the results is not what today's code would give: older code that trains otherwise, another recipe, other data than the
 * first experiment's, experiments without results. Empty if all are fresh.
 *
 * @example
 * ```ts
 * import { readResults } from "./results.ts";
 * import { findStaleness, wordStaleness } from "./staleness.ts";
 * for (const found of await findStaleness(readResults())) console.warn(wordStaleness(found));
 * ```
 */
export async function findStaleness(
  results: readonly ExperimentResult[],
  { code, probes = readProbes() }: StalenessOptions = {},
): Promise<Staleness[]> {
  const today = code ?? await readCodeVersion();
  const missing = EXPERIMENTS.filter(({ name }) => !results.some(({ experiment }) => experiment === name));
  const findings: Staleness[] = missing.length === 0
    ? []
    : [{ kind: "missing", experiments: missing.map(({ name }) => name), details: [] }];
  const add = (
    { experiment }: ExperimentResult,
    kind: Staleness["kind"],
    details: readonly string[] | null,
  ) => {
    if (details === null) return;
    const same = findings.find((found) => found.kind === kind && found.details.join() === details.join());
    if (same) same.experiments.push(experiment);
    else findings.push({ kind, experiments: [experiment], details });
  };
  for (const result of results) {
    const hasCode = result.seeds.every(({ sittings }) => sittings.length > 0);
    if (hasCode) add(result, "older code", findChangedCode(result, today, probes));
    else add(result, "unknown code", []);
    const known = EXPERIMENTS.find(({ name }) => name === result.experiment);
    if (known === undefined) add(result, "unknown experiment", []);
    else if (await hashValue(result.recipe) !== result.recipeHash) add(result, "edited", []);
    else {add(
        result,
        "other recipe",
        compareRecipe(result, recipeOf(resolveConfig({ flags: known.network }))),
      );}
  }
  for (const result of results.slice(1)) add(result, "mixture", compareCircumstances(result, results[0]));
  return findings;
}

/** Words a finding as a sentence. */
export function wordStaleness({ kind, experiments, details }: Staleness): string {
  const names = new Intl.ListFormat("en-GB").format(experiments);
  const list = details.join(", ");
  switch (kind) {
    case "missing":
      return `There are no results of ${names}.`;
    case "older code":
      return `The results of ${names} are older than today's code: ${list} ${
        details.length === 1 ? "has" : "have"
      } changed.`;
    case "unknown code":
      return `The results of ${names} do not say which code made them.`;
    case "other recipe":
      return `The results of ${names} were made with ${list}.`;
    case "edited":
      return `The results of ${names} were edited by hand: their recipe does not match its hash.`;
    case "unknown experiment":
      return `There is no experiment ${names} any more.`;
    case "mixture":
      return `The results of ${names} cannot be compared with those of ${details[0]}: other ${
        details.slice(1).join(", ")
      }.`;
  }
}

function findChangedCode(
  { seeds }: ExperimentResult,
  today: CodeVersion,
  probes: readonly Probe[],
): string[] | null {
  const versions = seeds.flatMap(({ sittings }) => sittings.map(({ code }) => code));
  const probeOf = (version: CodeVersion) => probes.find(({ code }) => isSameCode(code, version));
  const todaysProbe = probeOf(today);
  const older = versions.filter((version) => {
    const probe = probeOf(version);
    const alike = probe !== undefined && todaysProbe !== undefined && trainAlike(probe, todaysProbe);
    return !alike && !isSameCode(version, today);
  });
  if (older.length === 0) return null;
  return CODE_PARTS.filter((part) => older.some((version) => version[part] !== today[part]))
    .map((part) => `lib/${part}`);
}

function compareRecipe({ recipe }: ExperimentResult, today: Recipe): string[] | null {
  const names = [...new Set([...Object.keys(today), ...Object.keys(recipe)])] as (keyof Recipe)[];
  const differences = names.filter((name) => today[name] !== recipe[name]).map((name) => {
    const show = (value: unknown) =>
      !(name in TRAINING_OPTIONS) || value === undefined ? String(value) : showOption(name, value);
    return `${show(recipe[name])} where it is ${show(today[name])} by default`;
  });
  return differences.length === 0 ? null : differences;
}

/** Lists what keeps results from being compared; null if nothing does. */
function compareCircumstances(result: ExperimentResult, first: ExperimentResult): string[] | null {
  const differences = [
    ...result.data.fingerprint === first.data.fingerprint ? [] : [`data (${result.data.name})`],
    ...result.weights === first.weights ? [] : [`weights (${result.weights})`],
    ...sharedRecipe(result) === sharedRecipe(first) ? [] : ["recipe"],
  ];
  return differences.length === 0 ? null : [first.experiment, ...differences];
}

function sharedRecipe({ recipe }: ExperimentResult): string {
  const { variant: _variant, backbone: _backbone, adapter: _adapter, ...shared } = recipe;
  return JSON.stringify(Object.entries(shared).sort(([one], [other]) => one < other ? -1 : 1));
}
