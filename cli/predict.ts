import { basename } from "@std/path";
import { IMAGE_BYTES, relabel } from "../lib/data/dataset.ts";
import { MAP_SIZE } from "../lib/model/spec.ts";
import type { StateDict } from "../lib/model/state_dict.ts";
import { measureEvidence } from "../lib/analysis/evidence.ts";
import { adaptToDark } from "../lib/figures/dark.ts";
import { missingCharacters } from "../lib/figures/fonts.ts";
import { svgToPng } from "../lib/figures/svg_to_png.ts";
import { InputError } from "../lib/support/errors.ts";
import { choice, integer, textOption } from "../lib/support/schema.ts";
import { classify, combineViews, findModel, type Fit } from "../lib/prediction/classify.ts";
import { findPictures } from "../lib/prediction/find_pictures.ts";
import { drawMapsFigure, MAXIMUM_PICTURES_ON_PAGE } from "../lib/prediction/maps_figure.ts";
import { type PictureView, preparePicture, VIEWS } from "../lib/prediction/prepare_picture.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { type Checkpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { calibrationOf } from "../lib/training/progress.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import {
  describeModel,
  describeOrigin,
  describePreparation,
  type Failure,
  type PredictedView,
  printResult,
  type Result,
  toJson,
} from "./predict/result.ts";
import { runCommand, wordInputError } from "./shared/command.ts";
import { FORCE_OPTION, type OutputOptions, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { loadDatasetsWithBar, setUpTensorFlow, warnOfMapSign } from "./shared/load.ts";
import { type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { wrapText } from "./shared/table.ts";
import { print, printMessage } from "./shared/terminal.ts";

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
    model: textOption("a run, whose best epoch is used, or a checkpoint file", "RUN|FILE", {
      group: "Network",
      defaultText: "the published model",
    }),
    fit: {
      schema: choice([...VIEWS, "average"]),
      default: "stretch",
      group: "Pictures",
      help: "make a picture square: stretch it, crop its middle, pad it with bars, or average all three",
    },
    cifar: {
      schema: integer({ from: 0 }).nullable(),
      nullWord: "none",
      group: "Pictures",
      help: "also classify this image of the test set, counted from 0",
    },
    data: TRAINING_OPTIONS.data,
    device: TRAINING_OPTIONS.device,
    maps: textOption(
      `draw the pictures (at most ${MAXIMUM_PICTURES_ON_PAGE}) with their response maps and evidence into an SVG or PNG file`,
      "FILE",
      { group: "Output" },
    ),
    force: FORCE_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    ["deno task predict cat.jpg", "its scores"],
    ["deno task predict holiday/ --fit pad --maps maps.svg", "a folder; response maps in maps.svg"],
    ["deno task predict --cifar 3 --model dynamic", "test image 3, by the run dynamic"],
  ],
} satisfies Command;

/** A picture's views, and how they were prepared. */
interface Ready {
  label: string;
  how: string;
  views: PictureView[];
  trueClass?: number;
}

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
  const calibration = calibrationOf(checkpoint.progress);
  const results: Result[] = [];
  const waiting: Ready[] = [];
  const finish = async () => {
    const views = waiting.flatMap((ready) => ready.views);
    const predictions = await classify(
      network,
      views.map(({ pixels }) => pixels),
      { ...checkpoint.config, classes: checkpoint.classNames.length },
      calibration?.temperature,
    );
    for (const { views, ...ready } of waiting.splice(0)) {
      const predicted = views.map((view) => ({ ...view, prediction: predictions.shift()! }));
      const result = { ...ready, ...combineViews(predicted, fit), views: predicted };
      results.push(result);
      if (!json) printResult(result, checkpoint.classNames, calibration);
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
  if (json) print(JSON.stringify(toJson(results, checkpoint, { device, fit, calibration })));
  else if (predicted.length > 0) print(wrapText(describeModel(checkpoint, calibration)));
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
          const picture = await preparePicture(await read(), { label });
          return { label, views: picture.views, how: describePreparation(picture, fit) };
        });
      }}
  }
  if (cifar !== null) {
    yield await attempt(`test image ${cifar}`, () => readTestImage(cifar, data, classNames));
  }
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
  const pixels = test.images.slice(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
  return {
    label: `test image ${index}`,
    views: [{ view: "stretch", pixels }],
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

async function writeMaps(
  path: string,
  predicted: PredictedView[],
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

if (import.meta.main) await runCommand(COMMAND, main);
