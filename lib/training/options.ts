import type { Option, OptionTable } from "../support/options.ts";
import type { TrainConfig } from "./config.ts";

/**
 * Whether a resumed run may change an option: `free` – the training goes on as it would have; `rounding` – results differ from an
 * uninterrupted run by rounding, which is said; `fixed` – it would be another run.
 */
export type ResumeRule = "free" | "rounding" | "fixed";

/** An option of the training. */
export interface TrainingOption<Value> extends Omit<Option<Value>, "default"> {
  onResume: ResumeRule;
  default: Value | null;
  /** The default where it depends on other options; `default` is then `null`. */
  defaultFrom?: (config: TrainConfig) => Value;
}

/** A row for each entry of the configuration. */
export type TrainingOptionTable = { readonly [Name in keyof TrainConfig]: TrainingOption<TrainConfig[Name]> };

/** Every option that makes a training what it is: recorded in `config.json` and in each checkpoint. */
export const TRAINING_OPTIONS: TrainingOptionTable = {
  run: {
    kind: "string",
    pattern: {
      expression: /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
      words: "a name of letters, digits, dots, dashes and underscores that starts with a letter or digit",
    },
    default: null,
    defaultText: "after the network",
    defaultFrom: ({ variant, backbone, adapter }) =>
      variant + (backbone === "trainable" ? "" : `-${backbone}`) +
      (adapter === "none" ? "" : `-adapter-${adapter}`),
    group: "Run",
    help: "name of the run: its folder is checkpoints/NAME",
    value: "NAME",
    onResume: "fixed",
  },
  seed: {
    kind: "integer",
    range: { from: 0, to: 2 ** 32 - 1 },
    default: 0,
    group: "Run",
    help: "decides starting values, order and augmentation",
    value: "N",
    onResume: "fixed",
  },
  variant: {
    kind: "choice",
    choices: ["dynamic", "static-per-class", "static-ten-way", "static-shared"],
    default: "dynamic",
    group: "Network",
    help: "where the filters come from",
    onResume: "fixed",
  },
  backbone: {
    kind: "choice",
    choices: ["trainable", "frozen", "bn-only"],
    default: "trainable",
    group: "Network",
    help: "what of the backbone learns",
    onResume: "fixed",
  },
  adapter: {
    kind: "choice",
    choices: ["none", "1x1", "3x3"],
    default: "none",
    group: "Network",
    help: "trainable convolution behind the backbone",
    onResume: "fixed",
  },
  weights: {
    kind: "string",
    nullWord: "auto",
    default: null,
    defaultText: "auto: RESNET18_WEIGHTS, data/, download",
    group: "Network",
    help: "what the backbone starts from",
    value: "PATH|random",
    onResume: "fixed",
  },
  classLoop: {
    kind: "boolean",
    default: false,
    group: "Network",
    help: "go through the classes one by one, as the lab's text does: slower",
    onResume: "rounding",
  },
  epochs: {
    kind: "integer",
    range: { from: 1 },
    default: 12,
    group: "Optimisation",
    help: "passes over the training images",
    value: "N",
    onResume: "free",
  },
  batchSize: {
    kind: "integer",
    range: { from: 1 },
    default: 128,
    group: "Optimisation",
    help: "images a step",
    value: "N",
    onResume: "fixed",
  },
  optimizer: {
    kind: "choice",
    choices: ["sgd", "adam"],
    default: "sgd",
    group: "Optimisation",
    help: "sgd is with Nesterov momentum",
    onResume: "fixed",
  },
  learningRate: {
    kind: "number",
    range: { above: 0 },
    default: null,
    defaultText: "0.05 sgd, 0.001 adam",
    defaultFrom: ({ optimizer }) => optimizer === "adam" ? 0.001 : 0.05,
    group: "Optimisation",
    help: "learning rate at its peak",
    value: "RATE",
    onResume: "fixed",
  },
  schedule: {
    kind: "choice",
    choices: ["one-cycle", "cosine", "constant"],
    default: "one-cycle",
    group: "Optimisation",
    help: "course of the learning rate over the steps",
    onResume: "fixed",
  },
  momentum: {
    kind: "number",
    range: { from: 0, below: 1 },
    default: null,
    defaultText: "0.9 sgd",
    defaultFrom: ({ optimizer }) => optimizer === "adam" ? 0 : 0.9,
    group: "Optimisation",
    help: "Nesterov momentum, sgd only; 0 for none",
    value: "M",
    onResume: "fixed",
  },
  weightDecay: {
    kind: "number",
    range: { from: 0 },
    default: null,
    defaultText: "0.0005 sgd, 0 adam",
    defaultFrom: ({ optimizer }) => optimizer === "adam" ? 0 : 5e-4,
    group: "Optimisation",
    help: "pull of the parameters towards zero",
    value: "D",
    onResume: "fixed",
  },
  decoupledWeightDecay: {
    kind: "boolean",
    default: false,
    group: "Optimisation",
    help: "shrink the parameters themselves, as AdamW does, not by way of the gradient",
    onResume: "fixed",
  },
  labelSmoothing: {
    kind: "number",
    range: { from: 0, below: 1 },
    default: 0,
    group: "Optimisation",
    help: "share of the target spread over all classes",
    value: "S",
    onResume: "fixed",
  },
  clipNorm: {
    kind: "number",
    range: { above: 0 },
    nullWord: "off",
    default: null,
    group: "Optimisation",
    help: "longest gradient let through, L2 norm over all parameters",
    value: "NORM",
    onResume: "fixed",
  },
  data: {
    kind: "string",
    nullWord: "auto",
    default: null,
    defaultText: "auto: CIFAR10_DIR, data/, download",
    group: "Data",
    help: "folder of CIFAR-10's binary files",
    value: "PATH|synthetic",
    onResume: "free", // a folder may have moved; the trainer compares the images themselves
  },
  augment: {
    kind: "boolean",
    default: true,
    group: "Data",
    help: "no random crops and mirrored images",
    onResume: "fixed",
  },
  subset: {
    kind: "integer",
    range: { from: 1 },
    nullWord: "all",
    default: null,
    group: "Data",
    help: "train on the first N images only",
    value: "N",
    onResume: "fixed",
  },
  testSubset: {
    kind: "integer",
    range: { from: 1 },
    nullWord: "all",
    default: null,
    group: "Data",
    help: "test on the first N images only",
    value: "N",
    onResume: "fixed",
  },
  validation: {
    kind: "integer",
    range: { from: 0 },
    default: 0,
    group: "Data",
    help: "choose the best epoch on N training images held out; 0: on the test set",
    value: "N",
    onResume: "fixed",
  },
  device: {
    kind: "choice",
    choices: ["auto", "cpu", "gpu"],
    default: "auto",
    group: "Machine",
    help: "what computes",
    onResume: "rounding",
  },
  compile: {
    kind: "boolean",
    default: true,
    group: "Machine",
    help: "each step operation by operation, not as one graph: slower",
    onResume: "rounding",
  },
  winograd: {
    kind: "boolean",
    default: true,
    group: "Machine",
    help: "3×3 convolutions without Winograd's algorithm: slower on a CPU",
    onResume: "rounding",
  },
  tensorboard: {
    kind: "boolean",
    default: false,
    group: "Output",
    help: "write event files for TensorBoard into the run's folder",
    onResume: "free",
  },
};

/** Options of one call of the trainer, which are not recorded. */
export interface RunOptions {
  /** The run to go on with, or `null` to start one. */
  resume: string | null;
  /** A JSON file with options by their camelCase names, or `null`. */
  config: string | null;
  /** Print the result as one JSON object on standard output. */
  json: boolean;
}

/** The options of one call of the trainer, beside {@linkcode TRAINING_OPTIONS}. */
export const RUN_OPTIONS: OptionTable<RunOptions> = {
  resume: {
    kind: "string",
    default: null,
    group: "Run",
    help: "go on with a run from its last checkpoint, bit for bit",
    value: "RUN",
  },
  config: {
    kind: "string",
    default: null,
    group: "Run",
    help: "options from a JSON file, such as a run's config.json; the command line wins",
    value: "FILE",
  },
  json: {
    kind: "boolean",
    default: false,
    group: "Output",
    help: "print the result as one JSON object on standard output",
  },
};
