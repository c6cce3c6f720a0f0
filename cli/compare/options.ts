import { EXPERIMENTS, LISTS } from "../../lib/experiments/experiments.ts";
import { flag, integer, textOption } from "../../lib/support/schema.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { type Command, CONFIG_OPTION, JSON_OPTION } from "../shared/options.ts";

const {
  run: _run,
  seed: _seed,
  variant: _variant,
  backbone: _backbone,
  adapter: _adapter,
  embeddingSize: _embeddingSize,
  generatorUnits: _generatorUnits,
  predictorUnits: _predictorUnits,
  classLoop: _classLoop, // computes the same, slower
  validation: _validation, // results are those of the last epoch: no epoch is chosen
  ...rest
} = TRAINING_OPTIONS;

/** Training options, without those that a comparison sets itself. */
export const RECIPE_OPTIONS = rest;

/** Declares `deno task compare`. */
export const COMPARE_COMMAND = {
  name: "deno task compare",
  summary:
    "Trains networks that differ in one thing, by one recipe and with several seeds each, and compares their test accuracies. " +
    "Finished runs are kept, interrupted ones resumed: start the same command again.",
  options: {
    list: flag("list the experiments", "Comparison"),
    seeds: textOption("number of seeds (5), a list (0,3,7) or a range (3-5)", "N|LIST", {
      group: "Comparison",
      defaultText: "3",
    }),
    jobs: {
      schema: integer({ from: 1, to: 64 }),
      default: 1,
      group: "Comparison",
      help: "trainings in parallel; they share the CPU's cores",
    },
    into: {
      schema: TRAINING_OPTIONS.run.schema.nullable(),
      defaultText: "compare, or compare-quick",
      group: "Comparison",
      help: "keep runs and tables in checkpoints/NAME",
      value: "NAME",
    },
    config: {
      ...CONFIG_OPTION,
      group: "Comparison",
      help: "training options from a JSON file; the command line wins",
    },
    publish: flag("write the results to notebooks/results/", "Comparison"),
    ...RECIPE_OPTIONS,
    json: { ...JSON_OPTION, help: "print the comparison as one JSON object on standard output" },
  },
  positionals: {
    name: "LIST",
    help: `${Object.keys(LISTS).join(", ")}, or names of experiments; all by default`,
    from: 0,
    to: EXPERIMENTS.length + Object.keys(LISTS).length,
  },
  examples: [
    ["deno task compare quick", "smoke test on synthetic images, in less than a minute"],
    ["deno task compare variants --seeds 5", "generated and stored filters"],
    [
      "deno task compare dynamic frozen --epochs 5 --into short",
      "two networks, 5 epochs, in checkpoints/short",
    ],
  ],
} satisfies Command;
