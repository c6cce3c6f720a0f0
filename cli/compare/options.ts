import { EXPERIMENTS, LISTS } from "../../lib/experiments/experiments.ts";
import { hasManifest } from "../../lib/experiments/manifest.ts";
import { InputError } from "../../lib/support/errors.ts";
import { flag, integer, textOption } from "../../lib/support/schema.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { type Command, type CommandLine, CONFIG_OPTION, flagOf, JSON_OPTION } from "../shared/options.ts";

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

const CLUSTER = { group: "Cluster (docs/cluster.md)" };

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
    threads: {
      schema: integer({ from: 1, to: 1024 }).nullable(),
      defaultText: "an equal share of the cores",
      group: "Comparison",
      help: "threads of each training; another number changes the last bits",
      value: "N",
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
    plan: textOption("write the runs to FOLDER/manifest.jsonl for others to train", "FOLDER", CLUSTER),
    work: textOption("train the runs of a planned FOLDER that nobody trains", "FOLDER", CLUSTER),
    task: {
      schema: integer({ from: 0 }).nullable(),
      ...CLUSTER,
      help: "with --work: train run N of the manifest only, 0 the first",
      value: "N",
    },
    slurm: flag("submit one array job; KEY=VALUE are options of sbatch", CLUSTER.group),
    kubernetes: textOption("write an Indexed Job for the planned FOLDER", "IMAGE", CLUSTER),
    dryRun: flag("print what --slurm or --kubernetes would submit", CLUSTER.group),
    watch: flag("show a planned FOLDER's progress until its runs are finished", CLUSTER.group),
    staleAfter: {
      schema: integer({ from: 1, to: 86400 }),
      default: 180,
      ...CLUSTER,
      help: "seconds without a sign of life after which a run is taken over",
      value: "N",
    },
    ...RECIPE_OPTIONS,
    json: { ...JSON_OPTION, help: "print the comparison as one JSON object on standard output" },
  },
  positionals: {
    name: "LIST|FOLDER",
    help: `${Object.keys(LISTS).join(", ")}, or names of experiments (all by default); ` +
      "or a planned folder, whose results are collected",
    from: 0,
    to: Infinity,
  },
  examples: [
    ["deno task compare quick", "smoke test on synthetic images, in less than a minute"],
    ["deno task compare variants --seeds 5", "generated and stored filters"],
    [
      "deno task compare dynamic frozen --epochs 5 --into short",
      "two networks, 5 epochs, in checkpoints/short",
    ],
    ["deno task compare all --plan sweep --slurm time=2:00:00", "on a cluster, with SLURM"],
  ],
} satisfies Command;

/** The command line of `deno task compare`. */
export type CompareLine = CommandLine<typeof COMPARE_COMMAND>;

/** Finds the planned folder among the arguments; null where they are experiments. */
export function findSweep([name, ...others]: readonly string[]): string | null {
  const isKnown = name === undefined || Object.hasOwn(LISTS, name) ||
    EXPERIMENTS.some((one) => one.name === name);
  if (isKnown || (!hasManifest(name) && !name.includes("/"))) return null;
  if (others.length > 0) {
    throw new InputError({
      what: `use ${others[0]} beside the folder ${name}`,
      why: "a folder is collected alone",
    });
  }
  if (hasManifest(name)) return name;
  throw new InputError({
    what: `collect the results in ${name}`,
    why: "it has no manifest.jsonl",
    next: [{ task: "compare", arguments: ["LIST"], set: { plan: name } }],
  });
}

/** Refuses options that an action has no use for, or with `needs` those that need it. */
export function checkOptions(
  { given }: CompareLine,
  action: string,
  names: readonly string[],
  needs?: "needs",
): void {
  const wrong = Object.keys(given).find((name) => names.includes(name) === (needs !== undefined));
  if (wrong === undefined) return;
  throw new InputError(
    needs
      ? `Cannot use ${flagOf(wrong)} without a planned folder: add ${action}, or name one.`
      : `Cannot use ${flagOf(wrong)} with ${action}: what is trained and how was planned.`,
  );
}
