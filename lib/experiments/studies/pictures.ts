/**
 * Predictions for pictures that are not CIFAR-10's: ways to prepare them, and whether the network is unsure
 * of what belongs to no class.
 */
import { dirname, join } from "@std/path";
import { countSureness } from "../../analysis/calibration.ts";
import { CLASS_NAMES, type Dataset, IMAGE_BYTES } from "../../data/dataset.ts";
import { MEAN_COLOUR } from "../../data/normalise.ts";
import { takeSubset } from "../../data/splits.ts";
import type { Fit } from "../../prediction/classify.ts";
import { findPictures } from "../../prediction/find_pictures.ts";
import { preparePicture, type View, VIEWS } from "../../prediction/prepare_picture.ts";
import { joinBytes, splitRows } from "../../support/arrays.ts";
import { InputError } from "../../support/errors.ts";
import { exists } from "../../support/files.ts";
import { projectFolder } from "../../support/project.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { disposeAll } from "../../model/state_dict.ts";
import { predictClasses } from "../../analysis/choose_examples.ts";
import { throwIfInterrupted } from "../../support/interrupt.ts";
import { argMax, mean, softmax } from "../../support/statistics.ts";
import { confidences } from "../../training/calibration.ts";
import { type Checkpoint, openCheckpoint } from "../../training/checkpoint.ts";
import { evaluate, type Scored } from "../../training/evaluate.ts";
import { calibrationOf } from "../../training/progress.ts";
import { PUBLISHED_OPTIONS } from "../publish.ts";
import { type Study, type StudyContext, type StudyUnit, trainRun } from "../study.ts";
import { formatPictures, PICTURES_ROW, type PicturesRow } from "./pictures_summary.ts";

/** Unit of the study: a network of its own. */
export interface PicturesUnit extends StudyUnit {
  /** Of the network's training. */
  seed: number;
}

/** Study of predictions for pictures that are not CIFAR-10's. */
export const PICTURES_STUDY: Study<PicturesUnit, PicturesRow> = {
  name: "pictures",
  about: "Is the network right on pictures that are not CIFAR-10's, and unsure of what belongs to no class?",
  seeds: 5,
  units: (seeds) => seeds.map((seed) => ({ name: `seed${seed}`, seed })),
  row: PICTURES_ROW,
  async measure({ name, seed }, context) {
    const pictures = join(projectFolder(), "data", "pictures");
    if (!exists(pictures)) {
      throw new InputError({
        what: "measure pictures",
        why: `there is no ${pictures}`,
        next: [{ advice: "collect them with python tests/pictures/fetch.py data/pictures" }],
      });
    }
    const images = context.recipe.subset ?? context.datasets.train.labels.length;
    const validation = Math.min(PUBLISHED_OPTIONS.validation, Math.floor(images / 10)); // or fewer of a subset
    const last = await trainRun(context, { run: name, seed, validation });
    const best = await openCheckpoint(join(dirname(last.path), "best.safetensors"));
    return await measurePictures({ seed, pictures, checkpoint: best, test: context.datasets.test, context });
  },
  format: formatPictures,
};

/** Label of pictures of no class: every prediction is wrong. */
const NO_CLASS = 255;

export interface MeasurePicturesOptions {
  seed: number;
  /** Folder of `<group>/<class>/<picture>`, the class being `none` for pictures of no class. */
  pictures: string;
  /** A calibrated network. */
  checkpoint: Checkpoint;
  test: Dataset;
  context?: Pick<StudyContext, "signal">;
}

/** Measures one network. */
export async function measurePictures(
  { seed, pictures, checkpoint, test, context }: MeasurePicturesOptions,
): Promise<PicturesRow[]> {
  const { temperature, threshold } = calibrationOf(checkpoint.progress)!;
  const network = checkpoint.loadNetwork();
  const rows: PicturesRow[] = [];
  const score = async (images: readonly Uint8Array[], labels: readonly number[]): Promise<Scored> => {
    throwIfInterrupted(context?.signal);
    const dataset = { name: "pictures", images: joinBytes(images), labels: new Uint8Array(images.length) };
    return { scores: (await evaluate(network, dataset, checkpoint.config)).scores, labels };
  };
  const addSureness = (group: string, scored: Scored) => {
    const counts = countSureness(confidences(scored, temperature), threshold);
    const hasClass = Number(scored.labels[0] !== NO_CLASS);
    rows.push({ kind: "sureness", seed, group, hasClass, ...counts });
  };
  addSureness("test images", await score(splitRows(test.images, test.labels.length), [...test.labels]));
  for (const folder of listNames(pictures)) {
    const group = folder.replaceAll("-", " ");
    const sources = listNames(join(pictures, folder)).flatMap((name) => {
      const label = CLASS_NAMES.findIndex((known) => known === name);
      return findPictures(join(pictures, folder, name))
        .map(({ read }) => ({ read, label: label < 0 ? NO_CLASS : label }));
    });
    const labels = sources.map(({ label }) => label);
    const scoreViews = async (views: readonly View[], background: readonly [number, number, number]) => {
      const images = views.map((): Uint8Array[] => []);
      for (const { read } of sources) {
        const found = (await preparePicture(await read(), { views, background })).views;
        images.forEach((list, index) => list.push((found[index] ?? found[0]).pixels)); // one if it is square
      }
      const scored: Scored[] = [];
      for (const list of images) scored.push(await score(list, labels));
      return scored;
    };
    if (labels.includes(NO_CLASS)) {
      addSureness(group, (await scoreViews(["stretch"], MEAN_COLOUR))[0]);
      continue;
    }
    const backgrounds = {
      white: await scoreViews(VIEWS, [255, 255, 255]),
      mean: await scoreViews(VIEWS, MEAN_COLOUR),
    };
    addSureness(group, backgrounds.mean[0]);
    const rightBy = (views: typeof backgrounds.white, fit: Fit) =>
      predict(views, fit, temperature).map((predicted, index) => predicted === labels[index]);
    const before = rightBy(backgrounds.white, "crop");
    for (const background of ["white", "mean"] as const) {
      const views = backgrounds[background];
      const each = VIEWS.map((view) => predict(views, view, temperature));
      const agree = labels.map((_, index) => each.every((one) => one[index] === each[0][index]));
      for (const fit of [...VIEWS, "average"] as const) {
        const right = rightBy(views, fit);
        const count = (holds: (index: number) => boolean) => labels.filter((_, index) => holds(index)).length;
        rows.push({
          ...{ kind: "preparation", seed, group, fit, background, n: labels.length },
          right: count((index) => right[index]),
          agree: count((index) => agree[index]),
          rightAgree: count((index) => right[index] && agree[index]),
          gained: count((index) => right[index] && !before[index]),
          lost: count((index) => !right[index] && before[index]),
        });
      }
    }
  }
  for (const [group, images] of Object.entries(makeMeaningless(test))) {
    addSureness(group, await score(images, images.map(() => NO_CLASS)));
  }
  disposeAll(network);
  return rows;
}

function listNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Predicts classes by all views, or by one. */
function predict(views: readonly Scored[], fit: Fit, temperature: number): number[] {
  if (fit !== "average") {
    const { scores, labels } = views[VIEWS.indexOf(fit)];
    return predictClasses(scores, labels.length);
  }
  const probabilities = views.map(({ scores, labels }) =>
    splitRows(scores, labels.length).map((row) => softmax(row, temperature))
  );
  return probabilities[0].map((row, image) =>
    argMax(row.map((_, label) => mean(probabilities.map((view) => view[image][label]))))
  );
}

const MEANINGLESS = 0x6e6f6e65; // domain constant: an independent random stream

/** Makes images of no class: noise, test images with their pixels shuffled, and single colours. */
function makeMeaningless(test: Dataset): Record<string, Uint8Array[]> {
  const subset = takeSubset(test, 1000);
  const images = splitRows(subset.images, subset.labels.length);
  const make = (kind: number, byte: (image: Uint8Array, random: Random) => (at: number) => number) =>
    images.map((image, index) => {
      const next = byte(image, createRandom(MEANINGLESS, kind, index));
      return Uint8Array.from(image, (_, at) => next(at));
    });
  return {
    noise: make(0, (_, random) => () => random.integer(256)),
    "shuffled pixels": make(1, (image, random) => {
      const order = Uint32Array.from({ length: IMAGE_BYTES / 3 }, (_, at) => at);
      random.shuffle(order);
      return (at) => image[3 * order[Math.floor(at / 3)] + at % 3];
    }),
    "single colours": make(2, (_, random) => {
      const colour = [0, 1, 2].map(() => random.integer(256));
      return (at) => colour[at % 3];
    }),
  };
}
