import { join } from "@std/path";
import { IMAGE_SIZE } from "../data/dataset.ts";
import { normaliseImages } from "../data/normalise.ts";
import { forward } from "../model/network.ts";
import { type Execution, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { joinBytes } from "../support/arrays.ts";
import { InputError } from "../support/errors.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { defaultRunsFolder, findCheckpoint } from "../training/run_folder.ts";
import { argMax, mean, requireFiniteScores, softmax } from "../support/statistics.ts";
import type { PictureView, View } from "./prepare_picture.ts";

/** Prediction for one picture. */
export interface Prediction {
  /** Scores (logits) of the classes `[K]`. */
  scores: Float32Array;
  /** Softmax of the scores, divided by the temperature `[K]`. */
  probabilities: number[];
  /** Class with the highest score. */
  predictedClass: number;
  /** Response maps `[K,8,8]`, or `[1,8,8]` where all classes share a filter. */
  maps: Float32Array;
}

/**
 * Classifies pictures.
 *
 * @param tensors Parameters and running statistics of the network.
 * @param pictures Bytes `[32,32,3]` each.
 * @param network Architecture of the network; a checkpoint's `config` will do.
 * @param temperature Divisor of the scores for the probabilities: 1, or that of a checkpoint's calibration.
 * @throws {InputError} If a score is NaN or infinite.
 *
 * @example
 * ```ts
 * import { classify } from "./classify.ts";
 * import { createNetwork } from "../model/create_network.ts";
 * import { useNativeTensorFlow } from "../tensorflow/runtime/native.ts";
 *
 * await useNativeTensorFlow();
 * const network = { variant: "dynamic", backbone: "trainable", adapter: "none" } as const;
 * const pictures = [new Uint8Array(32 * 32 * 3)];
 * const [{ predictedClass, probabilities }] = await classify(createNetwork(network), pictures, network);
 * console.log(predictedClass, probabilities[predictedClass]);
 * ```
 */
export async function classify(
  tensors: StateDict,
  pictures: readonly Uint8Array[],
  network: NetworkSpec & Partial<Execution>,
  temperature = 1,
): Promise<Prediction[]> {
  if (pictures.length === 0) return [];
  const bytes = joinBytes(pictures);
  const { variant, backbone, adapter, classes, classLoop, winograd } = network;
  const [scores, maps] = tf.tidy(() => {
    const images = tf.tensor4d(normaliseImages(bytes), [pictures.length, IMAGE_SIZE, IMAGE_SIZE, 3]);
    const spec = { variant, backbone, adapter, classes, classLoop, winograd };
    const outputs = forward(tensors, images, { ...spec, mode: "evaluate" });
    return [outputs.scores, outputs.maps]; // [B,K], [B,K or 1,8,8]
  });
  try {
    const [allScores, allMaps] = await Promise.all([scores.data(), maps.data()]) as [
      Float32Array,
      Float32Array,
    ];
    const count = scores.shape[1]!;
    requireFiniteScores(allScores, count);
    const mapLength = maps.shape[1]! * MAP_SIZE * MAP_SIZE;
    return pictures.map((_, index) => {
      const own = allScores.slice(index * count, (index + 1) * count);
      return {
        scores: own,
        probabilities: softmax(own, temperature),
        predictedClass: argMax(own),
        maps: allMaps.slice(index * mapLength, (index + 1) * mapLength),
      };
    });
  } finally {
    tf.dispose([scores, maps]);
  }
}

/** The view that a picture is classified by, or the average of all. */
export type Fit = View | "average";

/** Prediction for one view of a picture. */
export interface ViewPrediction extends PictureView {
  /** Prediction for its pixels. */
  prediction: Prediction;
}

/**
 * Combines the predictions for a picture's views. Averaged are scores and probabilities; pixels and maps,
 * which have no average, are those of the view that gives the predicted class the highest probability.
 *
 * @param views Of a square picture one, which is every view.
 */
export function combineViews(views: readonly ViewPrediction[], fit: Fit): ViewPrediction {
  if (fit !== "average") return views.find(({ view }) => view === fit) ?? views[0];
  const average = (lists: ArrayLike<number>[]) =>
    Array.from(lists[0], (_, label) => mean(lists.map((list) => list[label])));
  const probabilities = average(views.map(({ prediction }) => prediction.probabilities));
  const predictedClass = argMax(probabilities);
  const likeliest = argMax(views.map(({ prediction }) => prediction.probabilities[predictedClass]));
  const scores = Float32Array.from(average(views.map(({ prediction }) => prediction.scores)));
  const { prediction, ...view } = views[likeliest];
  return { ...view, prediction: { ...prediction, scores, probabilities, predictedClass } };
}

/** Path of the published model, relative to the runs folder. */
export const PUBLISHED_MODEL = join("published", "dynamic.safetensors");

/**
 * Finds the checkpoint to predict with: a file, a run's best epoch, or, with `null`, the published model.
 *
 * @throws {InputError} If there is none; the message has the next step.
 */
export function findModel(runOrFile: string | null, runsFolder: string = defaultRunsFolder()): string {
  if (runOrFile !== null) return findCheckpoint(runOrFile, "best", runsFolder);
  const path = join(runsFolder, PUBLISHED_MODEL);
  try {
    return findCheckpoint(path, "best", runsFolder);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError({
      what: "predict without a model",
      why: `there is no ${path} yet`,
      next: [{ task: "train", set: { run: "NAME" } }, { set: { model: "NAME" } }],
    }, { cause: error });
  }
}
