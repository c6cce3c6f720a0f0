import { EXPERIMENTS, LISTS } from "../../lib/experiments/experiments.ts";
import type { OptionTable } from "../../lib/support/options.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { RUN_OPTIONS, TRAINING_OPTIONS } from "../../lib/training/options.ts";
import type { Command } from "../shared/options.ts";

/** The training's options that are not the comparison's own to set: one recipe for all. */
type RecipeOptions = Omit<
  TrainConfig,
  "run" | "seed" | "variant" | "backbone" | "adapter" | "classLoop" | "validation"
>;

/** The options of the comparison itself. */
export interface CompareOptions {
  /** Show what can be compared, and leave. */
  list: boolean;
  /** Only note how today's code trains. */
  probe: boolean;
  /** As typed; `null` for the list's own number. */
  seeds: string | null;
  jobs: number;
  /** The folder below the folder of runs, or `null` for the list's own. */
  into: string | null;
  config: string | null;
  publish: boolean;
  json: boolean;
}

const {
  run: _run,
  seed: _seed,
  variant: _variant,
  backbone: _backbone,
  adapter: _adapter,
  classLoop: _classLoop, // computes the same, slower
  validation: _validation, // results are of the last epoch, which needs no choosing
  ...RECIPE_OPTIONS
} = TRAINING_OPTIONS;

/** What `deno task compare` takes. */
export const COMPARE_COMMAND: Command<CompareOptions & RecipeOptions> = {
  name: "deno task compare",
  summary:
    "Trains networks that differ in one thing, several seeds each by one recipe, and compares their test accuracies. " +
    "What is done is not done again, and what was interrupted goes on: start the same command again.",
  options: {
    list: {
      kind: "boolean",
      default: false,
      group: "Comparison",
      help: "show the lists and their experiments",
    },
    probe: {
      kind: "boolean",
      default: false,
      group: "Comparison",
      help:
        "train each experiment for a moment, and see whether today's code trains like the one that made the results",
    },
    seeds: {
      kind: "string",
      default: null,
      defaultText: "3",
      group: "Comparison",
      help: "how many seeds (5), which (0,3,7), or from where to where (3-5)",
      value: "N|LIST",
    },
    jobs: {
      kind: "integer",
      range: { from: 1, to: 64 },
      default: 1,
      group: "Comparison",
      help: "trainings at once; they share the processor's cores",
      value: "N",
    },
    into: {
      kind: "string",
      pattern: TRAINING_OPTIONS.run.pattern,
      default: null,
      defaultText: "compare, or compare-quick",
      group: "Comparison",
      help: "keep runs and tables in checkpoints/NAME",
      value: "NAME",
    },
    config: {
      ...RUN_OPTIONS.config,
      group: "Comparison",
      help: "the recipe from a JSON file; the command line wins",
    },
    publish: {
      kind: "boolean",
      default: false,
      group: "Comparison",
      help: "write notebooks/results/ and the median dynamic model to checkpoints/published/",
    },
    ...RECIPE_OPTIONS,
    json: { ...RUN_OPTIONS.json, help: "print the comparison as one JSON object on standard output" },
  } as OptionTable<CompareOptions & RecipeOptions>,
  positionals: {
    name: "LIST…",
    help: `${Object.keys(LISTS).join(", ")}, or names of experiments; all without any`,
    from: 0,
    to: EXPERIMENTS.length + Object.keys(LISTS).length,
  },
  examples: [
    ["deno task compare quick", "see how it goes, in less than a minute"],
    ["deno task compare variants --seeds 5", "dynamic and static filters"],
    ["deno task compare dynamic frozen --epochs 5 --into short", "two networks, another recipe, kept apart"],
  ],
};
