import { InputError } from "../support/errors.ts";
import type { NetworkSpec } from "../model/spec.ts";
import { unknownName } from "../support/schema.ts";
import type { TrainConfig } from "../training/config.ts";

/** A network to compare. */
export interface Experiment {
  /** Name in tables, run folders and results. */
  name: string;
  /** Difference from `dynamic`, in a few words. */
  change: string;
  network: NetworkSpec;
}

/** Reference of all comparisons. */
export const REFERENCE = "dynamic";

/** Every experiment, in the order of the tables. */
export const EXPERIMENTS: readonly Experiment[] = [
  experiment("dynamic", "– (the lab's network)", {}),
  experiment("dynamic-names", "filters from fixed vectors of the classes' names", {
    variant: "dynamic-names",
  }),
  experiment("static-per-class", "ten stored filters", { variant: "static-per-class" }),
  experiment("static-ten-way", "one stored filter, ten outputs", { variant: "static-ten-way" }),
  experiment("static-shared", "one stored filter, one output", { variant: "static-shared" }),
  experiment("frozen", "backbone frozen", { backbone: "frozen" }),
  experiment("frozen-static-per-class", "backbone frozen, ten stored filters", {
    variant: "static-per-class",
    backbone: "frozen",
  }),
  experiment("frozen-static-ten-way", "backbone frozen, one stored filter, ten outputs", {
    variant: "static-ten-way",
    backbone: "frozen",
  }),
  experiment("frozen-1x1", "backbone frozen, 1×1 adapter", { backbone: "frozen", adapter: "1x1" }),
  experiment("frozen-3x3", "backbone frozen, 3×3 adapter", { backbone: "frozen", adapter: "3x3" }),
  experiment("bn-only", "backbone frozen but for batch normalisation", { backbone: "bn-only" }),
];

export interface ExperimentList {
  /** Question that it answers, in a sentence. */
  about: string;
  experiments: readonly string[];
  /** Other defaults for the training. */
  defaults?: Partial<TrainConfig>;
  /** Number of seeds. @default {DEFAULT_SEEDS} */
  seeds?: number;
  /** Folder of its runs, below the folder of all runs. @default {"compare"} */
  folder?: string;
}

/** Default number of seeds. */
const DEFAULT_SEEDS = 3;

const VARIANTS = ["dynamic", "dynamic-names", "static-per-class", "static-ten-way", "static-shared"];
const BACKBONES = EXPERIMENTS.filter(({ name, network }) =>
  name === REFERENCE || network.backbone !== "trainable"
)
  .map(({ name }) => name);

export const LISTS: Readonly<Record<string, ExperimentList>> = {
  variants: { about: "Is generating the filters better than storing them?", experiments: VARIANTS },
  backbones: {
    about: "What does a frozen backbone cost, and what remedies it?",
    experiments: BACKBONES,
  },
  all: { about: "Both questions.", experiments: EXPERIMENTS.map(({ name }) => name) },
  quick: {
    about: "Smoke test in seconds, on synthetic images: its numbers mean nothing.",
    experiments: ["dynamic", "static-per-class", "static-shared"],
    defaults: {
      data: "synthetic",
      weights: "random",
      epochs: 2,
      batchSize: 32,
      subset: 640,
      testSubset: 200,
    },
    seeds: 2,
    folder: "compare-quick",
  },
};

/** Experiments to compare. */
export interface Selection {
  experiments: readonly Experiment[];
  defaults: Partial<TrainConfig>;
  seeds: number;
  folder: string;
}

/**
 * Selects the experiments of some lists, or single ones, each once and in the order of the tables.
 *
 * @param names Names of lists and of experiments; none means `all`.
 * @throws {InputError} If a name is unknown, or `quick` is combined with others.
 */
export function selectExperiments(names: readonly string[]): Selection {
  const wanted = new Set<string>();
  const lists = (names.length === 0 ? ["all"] : names).map((name): ExperimentList => {
    const list = Object.hasOwn(LISTS, name) ? LISTS[name] : { about: "", experiments: [name] };
    for (const name of list.experiments) checkName(name);
    list.experiments.forEach((experiment) => wanted.add(experiment));
    return list;
  });
  const special = lists.find(({ folder }) => folder !== undefined);
  if (special !== undefined && lists.length > 1) {
    throw new InputError("Cannot run quick together with other experiments: it has its own data and recipe.");
  }
  return {
    experiments: EXPERIMENTS.filter(({ name }) => wanted.has(name)),
    defaults: special?.defaults ?? {},
    seeds: special?.seeds ?? DEFAULT_SEEDS,
    folder: special?.folder ?? "compare",
  };
}

function checkName(name: string): void {
  const names = EXPERIMENTS.map(({ name }) => name);
  if (names.includes(name)) return;
  const known = [...Object.keys(LISTS), ...names];
  throw unknownName(`compare ${name}`, "there is no such list or experiment", name, known);
}

function experiment(name: string, change: string, network: Partial<NetworkSpec>): Experiment {
  return {
    name,
    change,
    network: { variant: "dynamic", backbone: "trainable", adapter: "none", ...network },
  };
}
