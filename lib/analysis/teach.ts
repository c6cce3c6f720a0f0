import { classNamesOf, type Dataset, type Datasets, MAXIMUM_CLASSES, selectImages } from "../data/dataset.ts";
import { SYNTHETIC_NAME } from "../data/synthetic.ts";
import type { NetworkSpec } from "../model/spec.ts";
import { countFilters, disposeAll, type StateDict } from "../model/state_dict.ts";
import { joinBytes } from "../support/arrays.ts";
import { InputError } from "../support/errors.ts";
import { createRandom } from "../support/random.ts";
import { argMax } from "../support/statistics.ts";
import { type Checkpoint, makeTensors, type StoredTensors } from "../training/checkpoint_format.ts";
import {
  addClass,
  type ExtractedFeatures,
  extractFeatures,
  type FitSettings,
  learnVector,
  poolByClass,
  scoreVector,
  type VectorKind,
} from "./new_class.ts";

/** A network that was taught a class, and how well it knows it. */
export interface TaughtNetwork {
  /** All tensors as they were but for one row more. */
  network: StoredTensors;
  /** Kind of vector that was learned: an embedding, or a filter where the network stores them. */
  kind: VectorKind;
  /** Numbers learned: 128, or 64. */
  numbers: number;
  /** Pictures that it was learned from. */
  pictures: number;
  /** Pictures held out, and those of them that are recognised; none where there are too few. */
  heldOut: { images: number; recognised: number };
  /** Test images of the known classes: right before and after, and those taken for the new class. */
  known: { images: number; before: number; after: number; taken: number };
  /** Known classes without images here: nothing was learned that tells the new one from them. */
  missing: string[];
}

/** Fewest pictures of a class to learn. */
export const FEWEST_PICTURES = 5;
/** With so many pictures, a fifth is held out. */
const ENOUGH_TO_HOLD_OUT = 10;
/** Images of each known class to learn and to test with. */
const [KNOWN_IMAGES, TEST_IMAGES] = [500, 200];

/** Tells whether each class of a network has an embedding or a filter that is learned. */
export function isTeachable({ variant }: Pick<NetworkSpec, "variant">): boolean {
  return variant === "dynamic" || variant === "static-per-class";
}

/**
 * Checks that a network can be taught a class.
 *
 * @throws {InputError} If it has no vectors of single classes, or knows the class already.
 */
export function requireTeachable(
  { config, classNames }: Pick<Checkpoint, "config" | "classNames">,
  name: string,
): void {
  const refuse = (why: string, advice: string) =>
    new InputError({ what: `teach ${config.run} the class ${name}`, why, next: [{ advice }] });
  if (!isTeachable(config)) {
    throw refuse(
      `a network ${config.variant} has no embedding or filter of a class that could be learned alone`,
      "choose a network dynamic or static-per-class",
    );
  }
  if (classNames.includes(name)) throw refuse("it knows that class already", "choose another name");
  if (classNames.length >= MAXIMUM_CLASSES) {
    throw refuse("it has as many classes as labels allow", "train a new one");
  }
}

/**
 * Teaches a network a class: learns its embedding alone, or its filter, with images of the known classes to
 * tell it from.
 *
 * @param pictures Pictures of the new class, bytes `[32,32,3]` each; at least {@linkcode FEWEST_PICTURES}.
 * @param datasets Images of the known classes; of others none are used.
 * @throws {InputError} If there are too few pictures, or the images are not those that the network knows.
 */
export async function teachClass(
  checkpoint: Pick<Checkpoint, "config" | "classNames" | "recorded" | "readTensors">,
  pictures: readonly Uint8Array[],
  datasets: Datasets,
): Promise<TaughtNetwork> {
  const { config, classNames } = checkpoint;
  requirePictures(checkpoint, pictures);
  requireSameData(checkpoint, datasets.train);
  const { learned, held } = splitPictures(pictures);
  const join = (dataset: Dataset, perClass: number, own: readonly Uint8Array[]) =>
    appendPictures(chooseKnown(dataset, classNames, perClass), own, classNames.length);
  const { network } = checkpoint.readTensors();
  const tensors = makeTensors(network);
  const seen = await extractFeatures(tensors, config, join(datasets.train, KNOWN_IMAGES, learned));
  const tested = await extractFeatures(tensors, config, join(datasets.test, TEST_IMAGES, held));
  const { vector, ...facts } = await learnClass(tensors, config, seen, tested);
  disposeAll(tensors);
  return {
    network: addClass(network, vector),
    ...facts,
    numbers: vector.length,
    pictures: learned.length,
    missing: classNames.filter((_, label) => !seen.labels.includes(label)),
  };
}

/** Splits pictures into those to learn from and, where there are enough, those to test with. */
export function splitPictures<Picture>(
  pictures: readonly Picture[],
): { learned: Picture[]; held: Picture[] } {
  const order = Uint32Array.from(pictures.keys());
  createRandom(HOLD_OUT).shuffle(order); // pictures whose names follow each other are often alike
  const count = pictures.length < ENOUGH_TO_HOLD_OUT ? 0 : Math.floor(pictures.length / 5);
  const pick = (own: Uint32Array) => Array.from(own, (at) => pictures[at]);
  return { learned: pick(order.subarray(count)), held: pick(order.subarray(0, count)) };
}

/** A vector that was learned for a class, and how well it does. */
export type LearnedClass = Pick<TaughtNetwork, "kind" | "heldOut" | "known"> & { vector: Float32Array };

/**
 * Learns a class from feature maps, and tests it on others.
 *
 * @param seen Feature maps to learn from. The label of the new class is the number of known ones.
 */
export async function learnClass(
  tensors: StateDict,
  config: NetworkSpec,
  seen: ExtractedFeatures,
  tested: ExtractedFeatures,
  settings?: FitSettings,
): Promise<LearnedClass> {
  const classes = countFilters(tensors);
  const pools = poolByClass(seen.labels, classes + 1).filter((pool) => pool.length > 0);
  const kind = config.variant === "dynamic" ? "embedding" : "filter";
  const vector = await learnVector(tensors, config, kind, { seen, pools, seed: 0 }, settings);
  const added = await scoreVector(tensors, config, kind, { features: tested.features, vector });
  const heldOut = { images: 0, recognised: 0 };
  const known = { images: 0, before: 0, after: 0, taken: 0 };
  tested.labels.forEach((label, image) => {
    const row = tested.scores.subarray(image * classes, (image + 1) * classes);
    const predicted = argMax(row);
    const isTaken = added[image] > row[predicted];
    if (label === classes) {
      heldOut.images++;
      heldOut.recognised += Number(isTaken);
      return;
    }
    known.images++;
    known.before += Number(predicted === label);
    known.after += Number(predicted === label && !isTaken);
    known.taken += Number(isTaken);
  });
  return { vector, kind, heldOut, known };
}

const HOLD_OUT = 0x74656163; // domain constant of the random stream

/** Checks that there are pictures enough. @throws {InputError} If not. */
export function requirePictures({ config }: Pick<Checkpoint, "config">, pictures: readonly unknown[]): void {
  if (pictures.length >= FEWEST_PICTURES) return;
  const count = pictures.length === 1 ? "1 picture" : `${pictures.length} pictures`;
  throw new InputError({
    what: `teach ${config.run} a class from ${count}`,
    why: `at least ${FEWEST_PICTURES} are needed`,
    next: [{ advice: "add more" }],
  });
}

function requireSameData(
  { config, recorded }: Pick<Checkpoint, "config" | "recorded">,
  train: Dataset,
): void {
  if (isTrainedOn({ recorded }, train)) return;
  throw new InputError({
    what: `teach ${config.run} a class`,
    why:
      `it was trained on ${recorded.data}, and the images found to tell the new class from are ${train.name}`,
    setting: "data",
    next: [{ advice: "give the images that it was trained on" }],
  });
}

/** Tells whether a network was trained on photographs, or on synthetic images, as a data set has them. */
export function isTrainedOn({ recorded }: Pick<Checkpoint, "recorded">, { name }: Dataset): boolean {
  return recorded.data.startsWith(SYNTHETIC_NAME) === (name === SYNTHETIC_NAME);
}

/** Chooses the first images of each class that a network knows, with its labels. */
export function chooseKnown(dataset: Dataset, classNames: readonly string[], perClass: number): Dataset {
  const labels = classNamesOf(dataset).map((name) => classNames.indexOf(name));
  const left = labels.map((label) => label < 0 ? 0 : perClass);
  const kept = [...dataset.labels.keys()].filter((image) => left[dataset.labels[image]]-- > 0);
  const chosen = selectImages(dataset, kept);
  return { ...chosen, labels: chosen.labels.map((label) => labels[label]), classNames };
}

/** Appends pictures of one class to a data set. */
function appendPictures(dataset: Dataset, pictures: readonly Uint8Array[], label: number): Dataset {
  const labels = Uint8Array.from([...dataset.labels, ...pictures.map(() => label)]);
  return { ...dataset, images: joinBytes([dataset.images, ...pictures]), labels };
}
