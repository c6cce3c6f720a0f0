import type { OptionTable } from "../../lib/support/options.ts";
import type { TrainConfig } from "../../lib/training/config.ts";
import { RUN_OPTIONS, type RunOptions, TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { type Command, parseCommandLine } from "./options.ts";

/** What `deno task train` takes. */
export const TRAIN_COMMAND: Command<RunOptions & TrainConfig> = {
  name: "deno task train",
  summary:
    "Trains the dynamic-filter network, or one to compare it with, on CIFAR-10 and prints its test accuracy.",
  // the defaults that depend on other options are null in the table; resolveConfig knows them
  options: { ...TRAINING_OPTIONS, ...RUN_OPTIONS } as OptionTable<RunOptions & TrainConfig>,
  examples: [
    ["deno task train", "the network of the lab, 12 epochs"],
    ["deno task train --variant static-per-class --run stored", "ten stored filters instead"],
    ["deno task train --backbone frozen --adapter 3x3 --epochs 5", "a frozen backbone, with a way out"],
    ["deno task train --resume dynamic --epochs 20", "go on with run dynamic"],
  ],
};

/** The command line of `deno task train`: what is recorded with the run, and what is not. */
export interface TrainCommandLine {
  /** The flags that were given, for `resolveConfig`. */
  flags: Partial<TrainConfig>;
  runOptions: RunOptions;
}

/**
 * Reads the command line of `deno task train`.
 *
 * @throws {HelpRequest} for `--help`.
 * @throws {InputError} if an option is unknown or has a value it cannot have.
 */
export function parseTrainCommandLine(args: string[]): TrainCommandLine {
  const { given } = parseCommandLine(TRAIN_COMMAND, args);
  const { resume = null, config = null, json = false, ...flags } = given;
  return { flags, runOptions: { resume, config, json } };
}
