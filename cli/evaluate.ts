import { CALIBRATION_BINS, type CalibrationReport, measureCalibration } from "../lib/analysis/calibration.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import { classNamesOf, relabel } from "../lib/data/dataset.ts";
import { takeSubset } from "../lib/data/splits.ts";
import type { StateDict } from "../lib/model/state_dict.ts";
import { formatCount, formatNumber, formatPercent } from "../lib/support/format.ts";
import { flag, textOption } from "../lib/support/schema.ts";
import type { MeanInterval } from "../lib/support/statistics.ts";
import { formatSafetensors } from "../lib/support/safetensors.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { createImageSource, EVALUATION_BATCH_SIZE } from "../lib/training/batch_source.ts";
import { type Checkpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { calibrationOf, describeProgress } from "../lib/training/progress.ts";
import { createEvaluator, type Evaluation } from "../lib/training/evaluate.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { findCheckpoint } from "../lib/training/run_folder.ts";
import { runCommand } from "./shared/command.ts";
import { FORCE_OPTION, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { createLive, fitLine } from "./shared/live.ts";
import { loadDatasetsWithBar, setUpTensorFlow } from "./shared/load.ts";
import { CHECKPOINT_ARGUMENT, type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { formatTable, wrapText } from "./shared/table.ts";
import { outputWidth, print, printMessage, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task evaluate",
  summary: "Tests a trained network: loss, accuracy, per-class accuracy, confusion matrix, calibration.",
  options: {
    data: TRAINING_OPTIONS.data,
    testSubset: TRAINING_OPTIONS.testSubset,
    batchSize: {
      ...TRAINING_OPTIONS.batchSize,
      default: EVALUATION_BATCH_SIZE,
      group: "Data",
      help: "images per batch",
    },
    mirror: flag("average the scores of each image and its mirror image", "Data"),
    device: TRAINING_OPTIONS.device,
    scores: textOption("write scores [N,K] of the K classes and labels [N] as safetensors", "FILE", {
      group: "Output",
    }),
    force: FORCE_OPTION,
    json: JSON_OPTION,
  },
  positionals: CHECKPOINT_ARGUMENT,
  examples: [
    ["deno task evaluate dynamic", "the best epoch of run dynamic"],
    ["deno task evaluate dynamic --scores s.safetensors", "its scores and labels as tensors"],
  ],
} satisfies Command;

async function main({ values, positionals }: CommandLine<typeof COMMAND>): Promise<void> {
  const checkpoint = await openCheckpoint(findCheckpoint(positionals[0], "best"));
  const output = { origin: "a file of scores", force: values.force };
  requireOutputs([values.scores], output);
  await setUpTensorFlow({ device: values.device });
  const { device, version, threads } = await useNativeTensorFlow({ device: values.device });
  const network = checkpoint.loadNetwork();
  const { test } = await loadDatasetsWithBar(values.data);
  const absent = checkpoint.classNames.filter((name) => !classNamesOf(test).includes(name));
  const chosen = values.testSubset === null ? test : takeSubset(test, values.testSubset);
  const images = relabel(chosen, checkpoint.classNames);
  printMessage(`device   ${device.toUpperCase()}, TensorFlow ${version}, ${threads} threads`);
  const evaluation = await evaluateWithBar(network, checkpoint, images, values);
  if (values.scores !== null) {
    const bytes = formatScores(evaluation, images, checkpoint);
    writeOutputs([{ path: values.scores, bytes }], output);
  }
  const { scores, ...metrics } = evaluation;
  const calibration = measureCalibration(
    { scores, labels: images.labels },
    calibrationOf(checkpoint.progress),
  );
  const { weights, data: trainedOn } = checkpoint.recorded;
  const facts = {
    checkpoint: checkpoint.path,
    data: images.name,
    classes: checkpoint.classNames,
    images: images.labels.length,
    mirror: values.mirror,
    trainedOn,
    weights,
    device,
  };
  print(
    values.json
      ? JSON.stringify({ ...metrics, calibration, ...facts })
      : describe(checkpoint, evaluation, calibration, images, absent, values.mirror),
  );
}

async function evaluateWithBar(
  network: StateDict,
  { config, classNames }: Checkpoint,
  images: Dataset,
  { batchSize, mirror }: Pick<CommandLine<typeof COMMAND>["values"], "batchSize" | "mirror">,
): Promise<Evaluation> {
  const live = await createLive();
  const evaluator = createEvaluator({ ...config, classes: classNames.length, batchSize, mirror });
  try {
    return await evaluator.evaluate(network, createImageSource(images), (done, all) => {
      const parts = [{ text: "testing", rank: 0 }, { text: `${done}/${all}`, rank: 1 }];
      const bar = { done: done / all, color: live.color, before: 1 };
      live.draw(({ columns }) => fitLine(parts, bar, columns));
    });
  } finally {
    live.clear();
    evaluator.dispose();
  }
}

function formatScores(
  { scores }: Evaluation,
  { labels, name }: Dataset,
  { recorded }: Checkpoint,
): Uint8Array<ArrayBuffer> {
  return formatSafetensors([
    ["scores", { shape: [labels.length, scores.length / labels.length], data: scores }],
    ["labels", { shape: [labels.length], data: Int32Array.from(labels) }],
  ], { data: name, weights: recorded.weights, trainedOn: recorded.data });
}

function describe(
  { path, config, progress, recorded, classNames }: Checkpoint,
  evaluation: Evaluation,
  calibration: CalibrationReport,
  images: Dataset,
  absent: readonly string[],
  mirror: boolean,
): string {
  const { accuracy, loss, perClass, confusion } = evaluation;
  const width = outputWidth();
  const letters = width < 80 ? 3 : 5;
  const short = classNames.map((name) => name.slice(0, letters));
  const rows = classNames.map((name, label) => {
    const accuracy = perClass[label];
    return [name, accuracy === null ? "–" : formatPercent(accuracy), ...confusion[label]];
  });
  const head = [
    `${config.variant} (${showPath(path)}, ${describeProgress(progress)})`,
    `Test accuracy ${formatPercent(accuracy, 2)}, loss ${loss.toFixed(4)}, on ${
      formatCount(images.labels.length)
    } images${mirror ? " and their mirror images" : ""}.`,
  ];
  const foot = [
    "Rows: true class; columns: predicted class.",
    ...describeCalibration(calibration),
    ...absent.length === 0 ? [] : [
      `The network has ${classNames.length} classes, and these images are of ${
        classNames.length - absent.length
      } of them: none is of ${absent.join(", ")}, which can only be predicted wrongly here.`,
    ],
    `Data: ${images.name}. Trained on: ${recorded.data}. Weights: ${recorded.weights}.`,
  ];
  return [
    wrapText(head.join("\n")),
    "",
    formatTable({ header: ["class", "right", ...short], rows, width }),
    "",
    wrapText(foot.join("\n")),
  ].join("\n");
}

function describeCalibration({ uncalibrated, calibrated }: CalibrationReport): string[] {
  const before = `Expected calibration error (${CALIBRATION_BINS} bins, 95 % interval): ${
    formatError(uncalibrated)
  }`;
  if (calibrated === null) {
    return [`${before}; not calibrated (deno task train --validation N calibrates a run's best epoch).`];
  }
  const { temperature, threshold, images, error, sureness } = calibrated;
  const { correct, correctUnsure, wrong, wrongSure } = sureness;
  return [
    `${before} before and ${formatError(error)} after the division of the scores by ${
      temperature.toFixed(3)
    }, a temperature fitted on ${formatCount(images)} held-out training images.`,
    `Unsure below ${formatPercent(threshold)}: ${formatCount(correctUnsure)} of ${
      formatCount(correct)
    } correct predictions, ${formatCount(wrong - wrongSure)} of ${formatCount(wrong)} wrong ones.`,
  ];
}

function formatError({ mean, interval }: MeanInterval): string {
  const [low, high] = interval!.map((end) => formatNumber(100 * end, 1));
  return `${formatPercent(mean)} [${low}, ${high}]`;
}

if (import.meta.main) await runCommand(COMMAND, main);
