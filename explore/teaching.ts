/** Teaching in the page: few feature maps of the known classes, and few steps. */
import { type ExtractedFeatures, extractFeatures, scoreFeatures } from "../lib/analysis/new_class.ts";
import { learnClass, type LearnedClass, requirePictures, splitPictures } from "../lib/analysis/teach.ts";
import { CHANNELS, MAP_SIZE, type NetworkSpec } from "../lib/model/spec.ts";
import type { StateDict } from "../lib/model/state_dict.ts";
import { joinArrays, joinBytes } from "../lib/support/arrays.ts";
import { InputError } from "../lib/support/errors.ts";
import type { Checkpoint, StoredTensors } from "../lib/training/checkpoint_format.ts";
import { fingerprintBackbone, type KnownFeatures } from "./known_features.ts";

/** A network that learns. */
export interface Pupil {
  checkpoint: Checkpoint;
  network: StoredTensors;
  /** Its tensors on the backend. */
  tensors: StateDict;
  spec: NetworkSpec;
}

/** What it learns from. */
export interface Lesson {
  /** Name of the new class. */
  name: string;
  /** Bytes `[32,32,3]` each. */
  pictures: readonly Uint8Array[];
  known: KnownFeatures | null;
  /** Feature maps `[n,8,8,64]` of the classes that were taught before. */
  taught: ReadonlyMap<string, Float32Array>;
}

/** A fifth of the native training's work, for WebAssembly on one thread. */
const SHORT = { steps: 150, perClass: 10 };

/** Values of a feature map. */
export const VALUES = MAP_SIZE * MAP_SIZE * CHANNELS;

/**
 * Learns a class, and tests it with a fifth of ten pictures or more.
 *
 * @param onProgress Called now and then with the share that is done, 0–1.
 * @returns With the feature maps of the pictures that it learned from.
 * @throws {InputError} If there are too few pictures, or no feature maps that this network computed.
 */
export async function learnFromPictures(
  pupil: Pupil,
  lesson: Lesson,
  onProgress: (done: number) => void,
): Promise<LearnedClass & { features: Float32Array }> {
  const { checkpoint, tensors, spec } = pupil;
  requirePictures(checkpoint, lesson.pictures);
  const known = requireKnown(pupil, lesson);
  const { learned, held } = splitPictures(lesson.pictures);
  const see = async (pictures: readonly Uint8Array[]) => {
    const labels = new Uint8Array(pictures.length).fill(checkpoint.classNames.length);
    return await extractFeatures(tensors, spec, { name: lesson.name, images: joinBytes(pictures), labels });
  };
  const own = await see(learned);
  const seen = await joinKnown(pupil, known, lesson.taught, own);
  const settings = { ...SHORT, onStep: reportTo(onProgress) };
  return { ...await learnClass(tensors, spec, seen, await see(held), settings), features: own.features };
}

/** Finds the feature maps to tell a class from. @throws {InputError} If there are none of this network. */
function requireKnown({ checkpoint, network }: Pupil, { known, name }: Lesson): KnownFeatures {
  const isOfNetwork = known?.fingerprint === fingerprintBackbone(network) &&
    known.classNames.every((name) => checkpoint.classNames.includes(name));
  if (isOfNetwork) return known;
  throw new InputError({
    what: `teach ${checkpoint.config.run} the class ${name}`,
    why: "the page has nothing of the classes it knows to tell a new one from",
    next: [{ advice: "make a page of this network" }],
  });
}

/** Joins the known feature maps, those of the classes taught before, and those of the new one. */
async function joinKnown(
  { checkpoint: { classNames }, tensors, spec }: Pupil,
  known: KnownFeatures,
  taught: Lesson["taught"],
  own: ExtractedFeatures,
): Promise<ExtractedFeatures> {
  const features = joinArrays([known.features, ...taught.values()]);
  const labels = Array.from(known.labels, (label) => classNames.indexOf(known.classNames[label]));
  for (const [name, { length }] of taught) {
    labels.push(...new Array(length / VALUES).fill(classNames.indexOf(name)));
  }
  return {
    features: joinArrays([features, own.features]),
    scores: joinArrays([await scoreFeatures(tensors, spec, features), own.scores]),
    labels: Uint8Array.from([...labels, ...own.labels]),
  };
}

/** Reports progress, and lets the page draw now and then: each turn may take milliseconds. */
function reportTo(onProgress: (done: number) => void): (done: number) => Promise<void> {
  let last = performance.now();
  return async (done) => {
    if (performance.now() - last < 30) return;
    onProgress(done);
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
