import { joinArrays, splitRows } from "../support/arrays.ts";
import type { NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { gradCam, integrateGradients, occludeCells } from "./attributions.ts";
import { runnerUp } from "./choose_examples.ts";
import { blurMap, centreMap, randomMap } from "./deletion.ts";
import { averageMaps, contrastMaps, measureEvidence } from "./evidence.ts";
import { MAP_CELLS, mapOf, type Scorer } from "./scorer.ts";

/** Maps that say where an image shows a class, and orders that know nothing of the image. */
export const METHODS = [
  "evidence",
  "evidence, blurred",
  "evidence for the runner-up",
  "map, bright first",
  "map, dark first",
  "map minus the other classes' mean",
  "mean map of all classes",
  "occlusion",
  "Grad-CAM",
  "integrated gradients",
  "fixed order",
  "centre",
  "random",
  "random, blurred",
] as const;

/** Name of a map in {@linkcode METHODS}. */
export type Method = typeof METHODS[number];

export interface ExplainOptions {
  tensors: StateDict;
  /** A network whose classes have maps of their own. */
  spec: NetworkSpec;
  scorer: Scorer;
  /** Normalised images `[N,32,32,3]`. */
  images: Float32Array;
  /** Classes to explain, per image. */
  classes: readonly (readonly number[])[];
  /** The same map for all images: the mean evidence of training images. */
  fixed: Float32Array;
  /** Random seed of the random maps. */
  seed: number;
}

/**
 * Computes every map of {@linkcode METHODS} for some classes of each image.
 *
 * Evidence, occlusion and integrated gradients are of the class's lead, its score minus the mean of the
 * others, so that none has an advantage.
 *
 * @returns Maps `[64]` in the order of the images and their classes.
 */
export async function explainImages(options: ExplainOptions): Promise<Record<Method, Float32Array[]>> {
  const { tensors, spec, scorer, images, classes, fixed, seed } = options;
  const { scores, maps } = await scorer.ask(images);
  const rows = splitRows(images, classes.length);
  const forEach = <T>(find: (image: number, label: number) => T) =>
    classes.flatMap((labels, image) => labels.map((label) => find(image, label)));
  const filters = maps.length / classes.length / MAP_CELLS;
  const pick = (all: Float32Array) => forEach((image, label) => mapOf(all, image, label, filters));
  const own = pick(maps);
  const evidence = await measureEvidence(tensors, spec, maps);
  const occlusion = await occludeCells(images, async (images) => (await scorer.ask(images)).scores);
  const integrated = await integrateGradients(tensors, spec, {
    images: joinArrays(forEach((image) => rows[image])),
    classes: classes.flat(),
  });
  const random = own.map((_, at) => randomMap(seed, at));
  const second = splitRows(scores, classes.length).map(runnerUp);
  const means = splitRows(maps, classes.length).map(averageMaps);
  return {
    evidence: pick(evidence),
    "evidence, blurred": pick(evidence).map(blurMap),
    "evidence for the runner-up": forEach((image) => mapOf(evidence, image, second[image], filters)),
    "map, bright first": own,
    "map, dark first": own.map((map) => map.map((value) => -value)),
    "map minus the other classes' mean": pick(contrastMaps(maps, filters)),
    "mean map of all classes": forEach((image) => means[image]),
    occlusion: pick(contrastMaps(occlusion, filters)),
    "Grad-CAM": splitRows(await gradCam(tensors, spec, joinArrays(own)), own.length),
    "integrated gradients": splitRows(integrated, own.length),
    "fixed order": own.map(() => fixed),
    centre: own.map(centreMap),
    random,
    "random, blurred": random.map(blurMap),
  };
}
