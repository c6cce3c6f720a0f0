import { dirname, join, resolve } from "@std/path";
import { PUBLISHED_OPTIONS, publishModel, requirePublishable } from "../lib/experiments/publish.ts";
import { InputError } from "../lib/support/errors.ts";
import { exists } from "../lib/support/files.ts";
import { watchInterrupts } from "../lib/support/interrupt.ts";
import { summarise } from "../lib/model/summary.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { type Checkpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { nameNetwork, resolveConfig } from "../lib/training/config.ts";
import { readConfigFile } from "../lib/training/config_file.ts";
import type { TrainObserver, TrainStart } from "../lib/training/observer.ts";
import {
  checkNewRun,
  defaultRunsFolder,
  findCheckpoint,
  requireLastCheckpoint,
} from "../lib/training/run_folder.ts";
import { train, type TrainResult } from "../lib/training/train.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { formatCount, formatPercent } from "../lib/support/format.ts";
import { flag, textOption } from "../lib/support/schema.ts";
import { runCommand } from "./shared/command.ts";
import {
  absolutePaths,
  type Command,
  type CommandLine,
  CONFIG_OPTION,
  JSON_OPTION,
} from "./shared/options.ts";
import { loadDatasetsWithBar, loadPretrainedWithBar, setUpTensorFlow } from "./shared/load.ts";
import { createLive } from "./shared/live.ts";
import { createProgress } from "./shared/progress.ts";
import { outputWidth, print, printMessage, quoteShell, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task train",
  summary:
    "Trains the dynamic-filter network, or one to compare it with, on CIFAR-10 and prints its test accuracy.",
  options: {
    ...TRAINING_OPTIONS,
    resume: textOption(
      "resume a run (bit for bit on a CPU); with --run NAME its copy, from any of its files",
      "RUN|FILE",
      { group: "Run" },
    ),
    publish: flag(
      `write the model to checkpoints/published/; with --validation ${PUBLISHED_OPTIONS.validation} and else the defaults`,
      "Output",
    ),
    config: CONFIG_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    ["deno task train", "the lab's network, 12 epochs"],
    ["deno task train --variant static-per-class --run stored", "ten stored filters instead"],
    ["deno task train --backbone frozen --adapter 3x3", "a frozen backbone with a trainable adapter"],
    ["deno task train --resume dynamic --epochs 20", "resume run dynamic"],
  ],
} satisfies Command;

async function main({ given }: CommandLine<typeof COMMAND>): Promise<void> {
  const { resume: run = null, config: path = null, publish = false, json = false, ...flags } = given;
  const resume = run === null ? null : await openToResume(run);
  const file = path === null ? undefined : readConfigFile(path);
  const fork = resume !== null && flags.run !== undefined &&
    join(defaultRunsFolder(), flags.run) !== resolve(dirname(resume.path));
  if (resume !== null && !fork) {
    requireLastCheckpoint(resume.path);
    flags.run = resume.config.run; // the folder may have another name than the run had
  }
  const config = absolutePaths(resolveConfig({ base: resume?.config, file, flags }));
  if (publish) requirePublishable(config);
  const isNamed = flags.run !== undefined || (file !== undefined && "run" in file.values);
  // a taken name is refused before anything is downloaded
  if (fork || (resume === null && isNamed)) checkNewRun(join(defaultRunsFolder(), config.run));
  await setUpTensorFlow({ device: config.device });
  await useNativeTensorFlow({ device: config.device }); // so is a GPU that is not there
  const datasets = await loadDatasetsWithBar(config.data);
  const pretrained = resume === null ? await loadPretrainedWithBar(config.weights) : undefined;
  const observer = await createObserver(config.run);
  using interrupts = watchInterrupts(); // from here on Ctrl-C saves; before, it ends a download
  const { signal } = interrupts;
  const result = await train(config, {
    observer,
    signal,
    resume,
    fork,
    datasets,
    pretrained,
    numbered: !isNamed,
  });
  print(json ? JSON.stringify(result) : await describeResult(result));
  if (!publish) return;
  const model = await publishModel({ run: result.folder, test: datasets.test });
  printMessage(`Model and its card written to ${showPath(model)}.`);
}

/** Opens the checkpoint to resume from; where it is damaged, the message names the best epoch's. */
async function openToResume(run: string): Promise<Checkpoint> {
  const path = findCheckpoint(run, "last");
  try {
    return await openCheckpoint(path);
  } catch (error) {
    const best = join(dirname(path), "best.safetensors");
    if (!(error instanceof InputError && error.problem) || path === best || !exists(best)) throw error;
    const next = [{ set: { resume: best, run: "NAME" } }, ...error.next];
    throw new InputError({ ...error.problem, next }, { cause: error });
  }
}

/** The live bar, with the run's data, weights and device above it. */
async function createObserver(wantedRun: string): Promise<TrainObserver> {
  const { formatTable } = await import("./shared/table.ts"); // imported lazily: --help does not need it
  const progress = createProgress(await createLive());
  return {
    ...progress,
    onStart(start) {
      if (start.run !== wantedRun) {
        progress.onMessage(
          `${wantedRun} exists; this run is ${start.run}; --resume ${wantedRun} continues that one.`,
        );
      }
      progress.onMessage(
        formatTable({ rows: describeStart(start), prose: 1, width: outputWidth(Deno.stderr) }),
      );
      progress.onStart(start);
    },
  };
}

function describeStart(
  { config, recorded, folder, trainImages, testImages, testedOn }: TrainStart,
): string[][] {
  const { trainable, parameters } = summarise(config);
  const { data, weights, device, threads, tensorflow } = recorded;
  const trained = trainable === parameters ? "all" : formatCount(trainable);
  const path = showPath(folder);
  return [
    ["run", config.run],
    ["network", `${nameNetwork(config)}, ${formatCount(parameters)} parameters, ${trained} trainable`],
    ["weights", weights],
    [
      "data",
      `${data}: ${formatCount(trainImages)} training images, ${formatCount(testImages)} ${testedOn} images`,
    ],
    ["device", `${device.toUpperCase()}, TensorFlow ${tensorflow}, ${threads} threads`],
    ["folder", path],
    ...(config.tensorboard ? [["curves", `tensorboard --logdir ${quoteShell(path)}`]] : []),
  ];
}

async function describeResult(
  { best, history, test, chosenOn, recorded, folder }: TrainResult,
): Promise<string> {
  const { wrapText } = await import("./shared/table.ts");
  const isBest = history.every(({ testAccuracy }) => testAccuracy <= best.accuracy); // or that one was lost
  const chosen = chosenOn === "test"
    ? `the best of ${isBest ? "all" : "the kept"} epochs on the test set`
    : `chosen by its validation accuracy of ${formatPercent(best.accuracy, 2)}`;
  return wrapText([
    `Test accuracy ${formatPercent(test.accuracy, 2)}, loss ${
      test.loss.toFixed(4)
    }, after epoch ${best.epoch}: ${chosen}.`,
    `Data: ${recorded.data}${recorded.data === "synthetic" ? " (NOT CIFAR-10)" : ""}. ` +
    `Weights: ${recorded.weights}. Saved in ${showPath(folder)}.`,
  ].join("\n"));
}

if (import.meta.main) await runCommand(COMMAND, main);
