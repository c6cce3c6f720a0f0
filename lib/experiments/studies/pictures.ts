/**
 * Predictions for pictures that are not CIFAR-10's: ways to prepare them, and whether the network is unsure of
 * what belongs to no class.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { auroc } from "../../analysis/auroc.ts";
import { CLASS_NAMES, type Dataset, IMAGE_BYTES } from "../../data/dataset.ts";
import { MEAN_COLOUR } from "../../data/normalise.ts";
import { takeSubset } from "../../data/splits.ts";
import { findPictures } from "../../prediction/find_pictures.ts";
import { preparePicture, type View, VIEWS } from "../../prediction/prepare_picture.ts";
import { InputError } from "../../support/errors.ts";
import { exists } from "../../support/files.ts";
import { projectFolder } from "../../support/project.ts";
import { createRandom } from "../../support/random.ts";
import { argMax, mean, softmax } from "../../support/statistics.ts";
import { type Checkpoint, openCheckpoint } from "../../training/checkpoint.ts";
import { evaluate } from "../../training/evaluate.ts";
import { calibrationOf } from "../../training/progress.ts";
import { formatPictures, PICTURES_ROW, type PicturesRow } from "./pictures_summary.ts";
import { type Study, type StudyContext, type StudyUnit, trainRun } from "../study.ts";

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
    const validation = Math.min(5000, Math.floor(images / 10)); // 5000 as in the published model
    const last = await trainRun(context, { run: name, seed, validation });
    const best = await openCheckpoint(join(dirname(last.path), "best.safetensors"));
    return await measurePictures({ seed, pictures, checkpoint: best, test: context.datasets.test, context });
  },
  format: formatPictures,
};

/** Options of {@linkcode measurePictures}. */
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
  const score = async ({ images, labels }: Pick<Dataset, "images" | "labels">): Promise<number[][]> => {
    context?.signal.throwIfAborted();
    const { scores } = await evaluate(network, { name: "pictures", images, labels }, checkpoint.config);
    const classes = scores.length / labels.length;
    return Array.from(labels, (_, image) => [...scores.subarray(image * classes, (image + 1) * classes)]);
  };
  const rows: PicturesRow[] = [];
  const probability = (scores: number[]) => Math.max(...softmax(scores, temperature));
  const tested = await score(test);
  const addSureness = (group: string, scores: number[][], labels: ArrayLike<number> | null) => {
    const isSure = scores.map((row) => probability(row) >= threshold);
    const isRight = labels && scores.map((row, index) => argMax(row) === labels[index]);
    const [inside, outside] = group === "test-images"
      ? [tested.filter((_, index) => isRight![index]), tested.filter((_, index) => !isRight![index])]
      : [tested, scores];
    const separate = (of: (scores: number[]) => number) =>
      Math.min(inside.length, outside.length) === 0 ? null : auroc(inside.map(of), outside.map(of));
    rows.push({
      ...{ kind: "sureness", seed, group, n: scores.length, sure: isSure.filter(Boolean).length },
      right: isRight && isRight.filter(Boolean).length,
      rightSure: isRight && isRight.filter((right, index) => right && isSure[index]).length,
      probability: separate(probability),
      score: separate((scores) => Math.max(...scores)),
      energy: separate((scores) => Math.log(scores.reduce((sum, one) => sum + Math.exp(one), 0))),
    });
  };
  addSureness("test-images", tested, test.labels);
  const groups = [...Deno.readDirSync(pictures)].map(({ name }) => name).sort();
  for (const group of groups) {
    const sources = [...Deno.readDirSync(join(pictures, group))].map(({ name }) => name).sort()
      .flatMap((name) =>
        findPictures(join(pictures, group, name)).map((source) => ({
          ...source,
          label: (CLASS_NAMES as readonly string[]).indexOf(name),
        }))
      );
    const labels = sources.map(({ label }) => label);
    const read = async (views: readonly View[], background: readonly [number, number, number]) => {
      const lists = views.map((): Uint8Array[] => []);
      for (const source of sources) {
        const found = (await preparePicture(await source.read(), { views, background })).views;
        lists.forEach((list, index) => list.push((found[index] ?? found[0]).pixels)); // one if it is square
      }
      const scores: number[][][] = [];
      for (const list of lists) scores.push(await score(joinImages(list)));
      return scores;
    };
    if (labels.includes(-1)) {
      addSureness(group, (await read(["stretch"], MEAN_COLOUR))[0], null);
      continue;
    }
    const onWhite = await read(VIEWS, [255, 255, 255]);
    const onMean = await read(VIEWS, MEAN_COLOUR);
    addSureness(group, onMean[0], labels);
    const before = predict(onWhite, "crop", temperature);
    for (const [background, views] of [["white", onWhite], ["mean", onMean]] as const) {
      const each = VIEWS.map((view) => predict(views, view, temperature));
      const agree = labels.map((_, index) => each.every((one) => one[index] === each[0][index]));
      for (const fit of [...VIEWS, "average"] as const) {
        const isRight = predict(views, fit, temperature).map((one, index) => one === labels[index]);
        const wasRight = before.map((one, index) => one === labels[index]);
        rows.push({
          ...{ kind: "preparation", seed, group, fit, background, n: labels.length },
          right: isRight.filter(Boolean).length,
          agree: agree.filter(Boolean).length,
          rightAgree: isRight.filter((right, index) => right && agree[index]).length,
          gained: isRight.filter((right, index) => right && !wasRight[index]).length,
          lost: isRight.filter((right, index) => !right && wasRight[index]).length,
        });
      }
    }
  }
  for (const [group, images] of Object.entries(makeMeaningless(test))) {
    addSureness(group, await score(joinImages(images)), null);
  }
  return rows;
}

/** Predicts classes from the scores of all views, or of one. */
function predict(views: number[][][], fit: View | "average", temperature: number): number[] {
  if (fit !== "average") return views[VIEWS.indexOf(fit)].map((row) => argMax(row));
  return views[0].map((_, image) => {
    const each = views.map((view) => softmax(view[image], temperature));
    return argMax(each[0].map((_, label) => mean(each.map((row) => row[label]))));
  });
}

function joinImages(images: readonly Uint8Array[]): Pick<Dataset, "images" | "labels"> {
  const joined = new Uint8Array(images.length * IMAGE_BYTES);
  images.forEach((image, index) => joined.set(image, index * IMAGE_BYTES));
  return { images: joined, labels: new Uint8Array(images.length) };
}

const MEANINGLESS = 0x6e6f6e65; // domain constant: an independent random stream

/** Makes images of no class: noise, test images with their pixels shuffled, and single colours. */
function makeMeaningless(test: Dataset): Record<string, Uint8Array[]> {
  const { images } = takeSubset(test, 1000);
  const count = images.length / IMAGE_BYTES;
  const make = (kind: number, make: (random: ReturnType<typeof createRandom>, index: number) => Uint8Array) =>
    Array.from({ length: count }, (_, index) => make(createRandom(MEANINGLESS, kind, index), index));
  return {
    noise: make(0, (random) => Uint8Array.from({ length: IMAGE_BYTES }, () => random.integer(256))),
    "shuffled-pixels": make(1, (random, index) => {
      const order = Uint32Array.from({ length: IMAGE_BYTES / 3 }, (_, at) => at);
      random.shuffle(order);
      const image = images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
      return Uint8Array.from(
        { length: IMAGE_BYTES },
        (_, at) => image[3 * order[Math.floor(at / 3)] + at % 3],
      );
    }),
    "single-colours": make(2, (random) => {
      const colour = [0, 1, 2].map(() => random.integer(256));
      return Uint8Array.from({ length: IMAGE_BYTES }, (_, at) => colour[at % 3]);
    }),
  };
}
