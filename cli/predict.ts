import { basename } from "@std/path";
import { IMAGE_BYTES, IMAGE_SIZE, relabel } from "../lib/data/dataset.ts";
import { SYNTHETIC_NAME } from "../lib/data/synthetic.ts";
import { MAP_SIZE } from "../lib/model/spec.ts";
import type { StateDict } from "../lib/model/state_dict.ts";
import { measureEvidence } from "../lib/analysis/evidence.ts";
import { adaptToDark } from "../lib/figures/dark.ts";
import { missingCharacters } from "../lib/figures/fonts.ts";
import { svgToPng } from "../lib/figures/svg_to_png.ts";
import { InputError } from "../lib/support/errors.ts";
import { formatNumber, formatPercent } from "../lib/support/format.ts";
import { choice, integer, text } from "../lib/support/schema.ts";
import { classify, findModel, type Prediction } from "../lib/prediction/classify.ts";
import { findPictures } from "../lib/prediction/find_pictures.ts";
import {
  drawMapsFigure,
  MAXIMUM_PICTURES_ON_PAGE,
  type PredictedPicture,
} from "../lib/prediction/maps_figure.ts";
import { type Fit, type PreparedPicture, preparePicture } from "../lib/prediction/prepare_picture.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { type Checkpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { describeProgress } from "../lib/training/progress.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand, wordInputError } from "./shared/command.ts";
import { FORCE_OPTION, type OutputOptions, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { loadDatasetsWithBar, setUpTensorFlow, warnOfMapSign } from "./shared/load.ts";
import { type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { formatBar } from "./shared/live.ts";
import { wrapText } from "./shared/table.ts";
import { outputWidth, plainSpaces, print, printMessage, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task predict",
  summary:
    "Classifies pictures into the classes of a network, CIFAR-10's ten or its own, and shows which parts decide.",
  positionals: {
    name: "IMAGE",
    help: "pictures (PNG, JPEG, WebP) of any size, folders of them, or - for standard input",
    from: 0,
    to: Infinity,
  },
  options: {
    model: {
      schema: text().nullable(),
      defaultText: "the published model",
      group: "Network",
      help: "a run, whose best epoch is used, or a checkpoint file",
      value: "RUN|FILE",
    },
    fit: {
      schema: choice(["crop", "pad", "stretch"]),
      default: "crop",
      group: "Pictures",
      help: "make a picture square: crop its middle, pad it with black bars, or stretch it",
    },
    cifar: {
      schema: integer({ from: 0 }).nullable(),
      nullWord: "none",
      group: "Pictures",
      help: "also classify this image of the test set, counted from 0",
    },
    data: TRAINING_OPTIONS.data,
    device: TRAINING_OPTIONS.device,
    maps: {
      schema: text().nullable(),
      group: "Output",
      help:
        `draw the pictures (at most ${MAXIMUM_PICTURES_ON_PAGE}) with their response maps and evidence into an SVG or PNG file`,
      value: "FILE",
    },
    force: FORCE_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    ["deno task predict cat.jpg", "its scores"],
    ["deno task predict holiday/ --fit pad --maps maps.svg", "a folder; response maps in maps.svg"],
    ["deno task predict --cifar 3 --model dynamic", "test image 3, by the run dynamic"],
  ],
} satisfies Command;

/** A picture of 32×32, and how it was prepared. */
interface Ready extends Omit<PredictedPicture, "prediction"> {
  how: string;
}

interface Failure {
  label: string;
  error: string;
}

/** Outcome for one picture. */
type Result = PredictedPicture & Ready | Failure;

/** Pictures per forward pass. */
const BATCH = 16;

async function main({ values, positionals }: CommandLine<typeof COMMAND>): Promise<number> {
  const { fit, cifar, device: choice, json } = values;
  if (positionals.length === 0 && cifar === null) {
    throw new InputError({
      what: "start without a picture",
      why: `write ${COMMAND.name} IMAGE, or --cifar N for a test image`,
    });
  }
  const output = { origin: "a figure of response maps", force: values.force };
  if (values.maps !== null) checkMapsFile(values.maps, output);
  const checkpoint = await openCheckpoint(findModel(values.model));
  await setUpTensorFlow({ device: choice });
  const { device } = await useNativeTensorFlow({ device: choice });
  const network = checkpoint.loadNetwork();
  const results: Result[] = [];
  const waiting: Ready[] = [];
  const finish = async () => {
    const predictions = await classify(
      network,
      waiting.map(({ pixels }) => pixels),
      { ...checkpoint.config, classes: checkpoint.classNames.length },
    );
    for (const [index, ready] of waiting.splice(0).entries()) {
      const result = { ...ready, prediction: predictions[index] };
      results.push(result);
      if (!json) printResult(result, checkpoint.classNames);
    }
  };
  for await (const ready of readPictures(positionals, values, checkpoint.classNames)) {
    if ("error" in ready) {
      await finish(); // keep the order of the pictures
      results.push(ready);
      printMessage(`error: ${ready.error}`);
    } else if (waiting.push(ready) >= BATCH) await finish();
  }
  await finish();
  const predicted = results.filter((result) => "prediction" in result);
  if (values.maps !== null && predicted.length > 0) {
    await writeMaps(values.maps, predicted, { network, checkpoint }, output);
  }
  if (json) print(JSON.stringify(toJson(results, checkpoint, device, fit)));
  else if (predicted.length > 0) print(wrapText(describeModel(checkpoint)));
  return predicted.length < results.length ? 2 : 0;
}

/** Reads one picture after the other; unusable ones become errors. */
async function* readPictures(
  args: readonly string[],
  { fit, cifar, data }: { fit: Fit; cifar: number | null; data: string | null },
  classNames: readonly string[],
): AsyncGenerator<Ready | Failure> {
  for (const argument of args) {
    const sources = await attempt(argument, () => findPictures(argument));
    if ("error" in sources) yield sources;
    else {for (const { label, read } of sources) {
        yield await attempt(label, async () => {
          const picture = await preparePicture(await read(), { fit, label });
          return { label, pixels: picture.pixels, how: describePreparation(picture, fit) };
        });
      }}
  }
  if (cifar !== null) {
    yield await attempt(`test image ${cifar}`, () => readTestImage(cifar, data, classNames));
  }
}

/** Describes how a picture was brought to 32×32. */
function describePreparation({ format, width, height, isTransparent }: PreparedPicture, fit: Fit): string {
  const [size, side] = [`${width}×${height}`, Math.min(width, height)];
  const verb = side > IMAGE_SIZE ? "shrunk" : "enlarged";
  const wanted = `${IMAGE_SIZE}×${IMAGE_SIZE}`;
  const resized = width === height
    ? (side === IMAGE_SIZE ? `${wanted} already` : `${size} ${verb} to ${wanted}`)
    : {
      crop: `middle ${side}×${side} of ${size}` + (side === IMAGE_SIZE ? "" : ` ${verb} to ${wanted}`),
      pad: `${size} padded with black to ${wanted}`,
      stretch: `${size} stretched to ${wanted}`,
    }[fit];
  return `${format}, ${resized}${isTransparent ? ", transparent parts on white" : ""}`;
}

async function attempt<T>(label: string, work: () => T | Promise<T>): Promise<T | Failure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) return { label, error: wordInputError(error) };
    throw error;
  }
}

async function readTestImage(
  index: number,
  data: string | null,
  classNames: readonly string[],
): Promise<Ready> {
  const test = relabel((await loadDatasetsWithBar(data)).test, classNames);
  const count = test.labels.length;
  if (index >= count) {
    throw new InputError({
      what: `use test image ${index}`,
      why: `the test set of ${test.name} has images 0 to ${count - 1}`,
      setting: "cifar",
    });
  }
  return {
    label: `test image ${index}`,
    pixels: test.images.slice(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES),
    trueClass: test.labels[index],
    how: `${test.name}, 32×32 already`,
  };
}

/** Checks before the work that the maps can be written to this file. */
function checkMapsFile(path: string, output: OutputOptions): void {
  if (!/\.(svg|png)$/i.test(path)) {
    throw new InputError({
      what: `draw ${path}`,
      why: "the name must end in .svg or .png",
      setting: "maps",
    });
  }
  requireOutputs([path], output);
}

function printResult(
  { label, how, prediction, trueClass }: PredictedPicture & Ready,
  classNames: readonly string[],
): void {
  const color = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
  const heading = color ? `\x1b[1m${label}\x1b[0m` : label;
  const truth = trueClass === undefined ? "" : `, true class ${classNames[trueClass]}`;
  print(
    `${wrapText(`${heading}: ${how}${truth}`)}\n${
      formatPrediction(prediction, { classNames, width: outputWidth(), color })
    }\n`,
  );
}

const OTHER_COLUMNS = 2 + 2 + 7 + 2 + 2 + 8; // mark, score, percentage and the gaps
const WIDEST_BAR = 40;

/** Formats the scores with their probabilities as bars, highest first, the predicted class marked. */
export function formatPrediction(
  { scores, probabilities, predictedClass }: Prediction,
  { classNames, width = 80, color = false }: {
    classNames: readonly string[];
    width?: number;
    color?: boolean;
  },
): string {
  const nameWidth = Math.max(...classNames.map((name) => name.length));
  const barWidth = Math.max(6, Math.min(WIDEST_BAR, width - nameWidth - OTHER_COLUMNS));
  const order = classNames.map((_, label) => label).sort((one, other) => scores[other] - scores[one]);
  // of equal scores the first is predicted, and sort keeps their order
  return order.map((label) => {
    const isPredicted = label === predictedClass;
    const name = classNames[label].padEnd(nameWidth);
    const score = formatNumber(scores[label], 2).padStart(7);
    const bar = formatBar(probabilities[label], barWidth, color);
    const percent = plainSpaces(formatPercent(probabilities[label])).padStart(8);
    const left = `${isPredicted ? "▸" : " "} ${name}  ${score}`;
    return `${color && isPredicted ? `\x1b[1m${left}\x1b[0m` : left}  ${bar}  ${percent}`;
  }).join("\n");
}

function describeModel({ path, config, progress, recorded }: Checkpoint): string {
  return `Model: ${config.variant} (${showPath(path)}, ${describeProgress(progress)}).\n${
    describeOrigin(recorded)
  }`;
}

/** Names the training data and initial weights of the model. */
function describeOrigin({ data, weights }: Checkpoint["recorded"]): string {
  const caution = data === SYNTHETIC_NAME
    ? " It knows synthetic images only: its predictions for photographs mean nothing."
    : "";
  return `Trained on: ${data}. Weights: ${weights}.${caution}`;
}

async function writeMaps(
  path: string,
  predicted: (PredictedPicture & Ready)[],
  { network, checkpoint }: { network: StateDict; checkpoint: Checkpoint },
  output: OutputOptions,
): Promise<void> {
  const { config, recorded, classNames } = checkpoint;
  warnOfMapSign(checkpoint);
  const pictures = await Promise.all(predicted.map(async (picture) => ({
    ...picture,
    label: basename(picture.label),
    evidence: picture.prediction.maps.length > MAP_SIZE ** 2 // of each class
      ? await measureEvidence(network, config, picture.prediction.maps)
      : undefined,
  })));
  const { svg } = drawMapsFigure(pictures, {
    subtitle: `Network: ${config.variant}. ${describeOrigin(recorded)}`,
    classNames,
  });
  const isSvg = /\.svg$/i.test(path);
  const bytes = isSvg ? new TextEncoder().encode(adaptToDark(svg)) : new Uint8Array(svgToPng(svg));
  writeOutputs([{ path, bytes }], output);
  const missing = isSvg ? [] : missingCharacters(pictures.map(({ label }) => label).join(""));
  if (missing.length > 0) {
    printMessage(
      `The font has no ${missing.slice(0, 8).join(" ")}: boxes stand for them. An SVG shows them.`,
    );
  }
  const left = pictures.length - MAXIMUM_PICTURES_ON_PAGE;
  printMessage(`Response maps written to ${path}${left > 0 ? `, without the last ${left} pictures` : ""}.`);
}

function toJson(
  results: readonly Result[],
  { path, config, recorded, classNames }: Checkpoint,
  device: string,
  fit: Fit,
): object {
  return {
    model: path,
    variant: config.variant,
    trainedOn: recorded.data,
    weights: recorded.weights,
    device,
    fit,
    classes: classNames,
    images: results.map((result) => {
      if ("error" in result) return { image: result.label, error: result.error };
      const { label, how, prediction: { scores, probabilities, predictedClass }, trueClass } = result;
      return {
        image: label,
        class: classNames[predictedClass],
        share: probabilities[predictedClass],
        scores: [...scores],
        softmax: probabilities,
        prepared: how,
        ...(trueClass === undefined ? {} : { trueClass: classNames[trueClass] }),
      };
    }),
  };
}

if (import.meta.main) await runCommand(COMMAND, main);
