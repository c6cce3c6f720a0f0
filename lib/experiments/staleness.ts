import { resolveConfig, type TrainConfig } from "../training/config.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { hashValue } from "./provenance.ts";
import { type ExperimentResult, type Recipe, recipeOf } from "./results.ts";

/**
 * Reason why results differ from those of the current recipe, or cannot be compared. Changes of the *code*
 * are detected by the golden losses in the tests.
 */
export type Staleness =
  /** Experiments without results. */
  | { kind: "missing"; experiments: string[] }
  /** Results of experiments that no longer exist. */
  | { kind: "unknown"; experiments: string[] }
  /** The recipe does not match its hash. */
  | { kind: "edited"; experiments: string[] }
  /** Settings that differ from today's defaults. */
  | { kind: "recipe"; experiments: string[]; differences: SettingDifference[] }
  /** Results whose data, weights or recipe differ from the first experiment's. */
  | {
    kind: "mixture";
    experiments: string[];
    reference: string;
    differences: ("data" | "weights" | "recipe")[];
  };

/** A setting of a result's recipe beside today's default. */
export interface SettingDifference {
  setting: keyof TrainConfig;
  recorded: unknown;
  today: unknown;
}

/**
 * Finds results that differ from those of the current recipe, or cannot be compared with each other.
 * Experiments with the same difference are one finding; empty if everything is fresh.
 */
export async function findStaleness(results: readonly ExperimentResult[]): Promise<Staleness[]> {
  const findings: Staleness[] = [];
  const add = (finding: Staleness) => {
    const facts = ({ experiments: _experiments, ...rest }: Staleness) => JSON.stringify(rest);
    const same = findings.find((other) => facts(other) === facts(finding));
    if (same) same.experiments.push(...finding.experiments);
    else findings.push(finding);
  };
  for (const { name } of EXPERIMENTS) {
    if (!results.some(({ experiment }) => experiment === name)) add({ kind: "missing", experiments: [name] });
  }
  for (const result of results) {
    const experiments = [result.experiment];
    const known = EXPERIMENTS.find(({ name }) => name === result.experiment);
    if (known === undefined) add({ kind: "unknown", experiments });
    else if (await hashValue(result.recipe) !== result.recipeHash) add({ kind: "edited", experiments });
    else {
      const differences = compareRecipe(result.recipe, recipeOf(resolveConfig({ flags: known.network })));
      if (differences.length > 0) add({ kind: "recipe", experiments, differences });
    }
    const mixed = compareInputs(result, results[0]);
    if (mixed.length > 0) {
      add({ kind: "mixture", experiments, reference: results[0].experiment, differences: mixed });
    }
  }
  return findings;
}

function compareRecipe(recorded: Recipe, today: Recipe): SettingDifference[] {
  const settings = [...new Set([...Object.keys(today), ...Object.keys(recorded)])] as (keyof Recipe)[];
  return settings.filter((setting) => today[setting] !== recorded[setting])
    .map((setting) => ({ setting, recorded: recorded[setting], today: today[setting] }));
}

function compareInputs(result: ExperimentResult, first: ExperimentResult): ("data" | "weights" | "recipe")[] {
  return [
    ...result.data.fingerprint === first.data.fingerprint ? [] : ["data" as const],
    ...result.weights === first.weights ? [] : ["weights" as const],
    ...sharedRecipe(result) === sharedRecipe(first) ? [] : ["recipe" as const],
  ];
}

/** The recipe without the settings that distinguish the experiments. */
function sharedRecipe({ recipe }: ExperimentResult): string {
  const { variant: _variant, backbone: _backbone, adapter: _adapter, ...shared } = recipe;
  return JSON.stringify(Object.entries(shared).sort(([one], [other]) => one < other ? -1 : 1));
}
