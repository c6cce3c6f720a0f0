/**
 * The options of a training, each described in one place: type, check, default, help, and whether a resumed
 * run may change it.
 */
import { type AugmentationOptions, LAB_AUGMENTATION } from "../data/augmentation.ts";
import {
  type AdapterKind,
  type BackboneMode,
  type NetworkSizes,
  sizesOf,
  type Variant,
} from "../model/spec.ts";
import { boolean, choice, integer, number, type Option, text } from "../support/schema.ts";
import type { DeviceChoice } from "../tensorflow/runtime/installation.ts";

/** The update rule. */
export type OptimizerName = "sgd" | "adam" | "muon";
/** The learning rate schedule. */
export type ScheduleName = "one-cycle" | "cosine" | "triangular" | "constant";
/** A named set of options. */
export type RecipeName = "lab" | "fast" | "best";

/**
 * A complete training configuration, as `config.json` and each checkpoint hold it. Sizes,
 * and the options in {@linkcode LAB}, have an entry only where they are not the lab's.
 */
export interface TrainConfig extends NetworkSizes, AugmentationOptions {
  /** Run name; its folder is `checkpoints/<run>`. */
  run: string;
  /** Named set of options, which the others change. */
  recipe?: RecipeName;
  /** Random seed. */
  seed: number;
  /** Generated or stored filters. */
  variant: Variant;
  /** Trained backbone parameters. */
  backbone: BackboneMode;
  /** Trainable convolution after the backbone. */
  adapter: AdapterKind;
  /** Initial backbone weights: a safetensors file, `random`, or `null` for the pretrained ones. */
  weights: string | null;
  /** Apply the filters in a loop over classes. */
  classLoop: boolean;
  /** Passes over the training images. */
  epochs: number;
  /** Images per step. */
  batchSize: number;
  /** Update rule. */
  optimizer: OptimizerName;
  /** Peak learning rate. */
  learningRate: number;
  /** Step of Muon relative to the norm of a kernel, as a multiple of the learning rate. */
  kernelRate?: number;
  /** Learning rate schedule. */
  schedule: ScheduleName;
  /** Nesterov momentum; 0 with Adam. */
  momentum: number;
  /** Weight decay (L2). */
  weightDecay: number;
  /** Decouple the weight decay from the gradient: AdamW. */
  decoupledWeightDecay: boolean;
  /** Label smoothing, [0, 1). */
  labelSmoothing: number;
  /** Global L2 norm that gradients are clipped to; `null` for no clipping. */
  clipNorm: number | null;
  /** Folder with CIFAR-10's binary files, `synthetic`, or `null` to find or download them. */
  data: string | null;
  /** Random crops and horizontal flips of the training images. */
  augment: boolean;
  /** Training images to use, balanced over the classes; `null` for all. */
  subset: number | null;
  /** Test images to use, balanced over the classes; `null` for all. */
  testSubset: number | null;
  /** Training images held out to choose the best epoch on; 0 chooses it on the test set. */
  validation: number;
  /** Compute device. */
  device: DeviceChoice;
  /** Compile the training step into one graph. */
  compile: boolean;
  /** Winograd's algorithm for convolutions where it is faster. */
  winograd: boolean;
  /** Write TensorBoard event files. */
  tensorboard: boolean;
}

/** Values by the lab's recipe of options that one of its configurations holds only where they differ. */
export const LAB = {
  recipe: "lab",
  kernelRate: 1,
  ...LAB_AUGMENTATION,
} as const;

/**
 * Effect of changing an option of a resumed run: `free` – the training continues as it would have; `rounding`
 * – results differ by rounding from those of an uninterrupted run; `fixed` – it would be another training.
 */
export type ResumeRule = "free" | "rounding" | "fixed";

/** An option of a training. */
export interface TrainingOption<Value = unknown> extends Option<Value> {
  /** @default {"fixed"} */
  onResume?: ResumeRule;
}

function option<Value>(group: string, help: string, rest: Omit<TrainingOption<Value>, "group" | "help">) {
  return { group, help, ...rest };
}

function sizeOption(help: string, standard: number) {
  return option("Network", help, { schema: integer({ from: 1, to: 4096 }), defaultText: String(standard) });
}

const RUN_NAME = text(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  "a name of letters, digits, dots, dashes and underscores that starts with a letter or digit",
);

/** All training options; {@linkcode TrainConfig} holds their values. */
export const TRAINING_OPTIONS: {
  readonly [Name in keyof TrainConfig]-?: TrainingOption<Exclude<TrainConfig[Name], undefined>>;
} = {
  run: option("Run", "run name; its folder is checkpoints/NAME", {
    schema: RUN_NAME,
    defaultText: "after the network",
    value: "NAME",
  }),
  recipe: option("Run", "options of a named recipe; others given win", {
    schema: choice(["lab", "fast", "best"]),
    default: LAB.recipe,
  }),
  seed: option("Run", "random seed (initialisation, shuffling, augmentation)", {
    schema: integer({ from: 0, to: 2 ** 32 - 1 }),
    default: 0,
  }),
  variant: option("Network", "generated or stored 1×1 filters", {
    schema: choice(["dynamic", "dynamic-names", "static-per-class", "static-ten-way", "static-shared"]),
    default: "dynamic",
  }),
  backbone: option("Network", "which backbone parameters are trained", {
    schema: choice(["trainable", "frozen", "bn-only"]),
    default: "trainable",
  }),
  adapter: option("Network", "trainable convolution after the backbone", {
    schema: choice(["none", "1x1", "3x3"]),
    default: "none",
  }),
  embeddingSize: sizeOption("length of a class embedding", sizesOf({}).embeddingSize),
  generatorUnits: sizeOption("hidden units of the weights generator", sizesOf({}).generatorUnits),
  predictorUnits: sizeOption("hidden units of the score predictor", sizesOf({}).predictorUnits),
  weights: option("Network", "pretrained backbone weights (safetensors), or random initialisation", {
    schema: text().nullable(),
    default: null,
    nullWord: "auto",
    defaultText: "auto = RESNET18_WEIGHTS, data/ or download",
    value: "PATH|random",
  }),
  classLoop: option(
    "Network",
    "apply the filters in a loop over classes instead of as one matrix product: slower",
    { schema: boolean(), default: false, onResume: "rounding" },
  ),
  epochs: option("Optimisation", "passes over the training images", {
    schema: integer({ from: 1, to: 1_000_000 }),
    default: 12,
    onResume: "free",
  }),
  batchSize: option("Optimisation", "images per step", {
    schema: integer({ from: 1, to: 10_000 }), // 7 GB
    default: 128,
  }),
  optimizer: option(
    "Optimisation",
    "sgd with Nesterov momentum, adam, or muon for 3×3 kernels and else sgd",
    {
      schema: choice(["sgd", "adam", "muon"]),
      default: "sgd",
    },
  ),
  learningRate: option("Optimisation", "peak learning rate", {
    schema: number({ above: 0 }),
    defaultText: "0.05 sgd, 0.001 adam",
  }),
  kernelRate: option("Optimisation", "step of muon relative to the norm of a kernel, × the learning rate", {
    schema: number({ above: 0 }),
    default: LAB.kernelRate,
  }),
  schedule: option("Optimisation", "learning rate schedule", {
    schema: choice(["one-cycle", "cosine", "triangular", "constant"]),
    default: "one-cycle",
  }),
  momentum: option("Optimisation", "Nesterov momentum of SGD; 0 for plain SGD", {
    schema: number({ from: 0, below: 1 }),
    defaultText: "0.9 sgd",
  }),
  weightDecay: option("Optimisation", "weight decay (L2)", {
    schema: number({ from: 0 }),
    defaultText: "0.0005 sgd, 0 adam",
  }),
  decoupledWeightDecay: option("Optimisation", "decouple the weight decay from the gradient, as AdamW does", {
    schema: boolean(),
    default: false,
  }),
  labelSmoothing: option("Optimisation", "label smoothing", {
    schema: number({ from: 0, below: 1 }),
    default: 0,
  }),
  clipNorm: option("Optimisation", "clip gradients to this global L2 norm", {
    schema: number({ above: 0 }).nullable(),
    default: null,
    nullWord: "off",
  }),
  data: option("Data", "folder with CIFAR-10's binary files, or synthetic images", {
    schema: text().nullable(),
    default: null,
    nullWord: "auto",
    defaultText: "auto = CIFAR10_DIR, data/ or download",
    value: "PATH|synthetic",
    onResume: "free", // a folder may have moved; the trainer compares the images themselves
  }),
  augment: option("Data", "augment the training images by random crops and horizontal flips", {
    schema: boolean(),
    default: true,
    helpOff: "train without random crops and horizontal flips",
  }),
  shift: option("Data", "shift the training images by up to N pixels", {
    schema: integer({ from: 0, to: 31 }),
    default: LAB.shift,
  }),
  subset: option("Data", "train on N images, balanced over the classes as far as possible", {
    schema: integer({ from: 1 }).nullable(),
    default: null,
    nullWord: "all",
  }),
  testSubset: option("Data", "test on N images, balanced over the classes as far as possible", {
    schema: integer({ from: 1 }).nullable(),
    default: null,
    nullWord: "all",
  }),
  validation: option(
    "Data",
    "hold out N training images to choose the best epoch and calibrate on; 0 chooses it on the test set",
    { schema: integer({ from: 0 }), default: 0 },
  ),
  device: option("Machine", "compute device", {
    schema: choice(["auto", "cpu", "gpu"]),
    default: "auto",
    onResume: "rounding",
  }),
  compile: option("Machine", "compile the training step into one graph", {
    schema: boolean(),
    default: true,
    helpOff: "run eagerly instead of compiling the step: slower",
    onResume: "rounding",
  }),
  winograd: option("Machine", "Winograd's algorithm for convolutions where it is faster", {
    schema: boolean(),
    default: true,
    helpOff: "convolutions without Winograd's algorithm: slower on a CPU",
    onResume: "rounding",
  }),
  tensorboard: option("Output", "write TensorBoard event files into the run's folder", {
    schema: boolean(),
    default: false,
    onResume: "free",
  }),
};
