/**
 * Teaches a trained network a class that it has not seen: one row more of its class embeddings, or of its
 * stored filters, is learned from cached feature maps. Everything else stays as it is, so the scores of the
 * other classes do too, bit for bit.
 */
import type { Dataset } from "../data/dataset.ts";
import { dynamicConvolution } from "../model/dynamic_convolution.ts";
import { classEmbeddings, generateFilters, makeFilters, normaliseRows } from "../model/filters.ts";
import { createForwardContext, featureMap } from "../model/network.ts";
import { predictScores } from "../model/score_predictor.ts";
import { CHANNELS, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import { disposeAll, type StateDict } from "../model/state_dict.ts";
import { joinArrays, splitRows } from "../support/arrays.ts";
import { createRandom } from "../support/random.ts";
import { yieldToEventLoop } from "../support/interrupt.ts";
import { argMax, mean, softmax } from "../support/statistics.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { crossEntropy } from "../tensorflow/operations/cross_entropy.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import {
  collectOutputs,
  createFeatureSource,
  createImageSource,
  EVALUATION_BATCH_SIZE,
} from "../training/batch_source.ts";
import type { StoredTensors } from "../training/checkpoint.ts";
import {
  createOptimizer,
  createSlots,
  type Optimized,
  type Rates,
  toRates,
  updateParameters,
} from "../training/optimizer.ts";
import { learningRateAt } from "../training/schedule.ts";

/** Values of a feature map. */
const VALUES = MAP_SIZE * MAP_SIZE * CHANNELS;

/** Outputs of a network for images: feature maps v `[N,8,8,64]` and scores `[N,K]`. */
export interface ExtractedFeatures {
  features: Float32Array;
  scores: Float32Array;
  /** Labels `[N]`; those of the new class's images are K. */
  labels: Uint8Array;
}

/** Computes the feature maps and the scores of images. */
export async function extractFeatures(
  tensors: StateDict,
  spec: NetworkSpec,
  dataset: Dataset,
): Promise<ExtractedFeatures> {
  const run = compile(
    (tensors: StateDict, images: tf.Tensor4D) => featureMap(tensors, images, { ...spec, mode: "evaluate" }),
    { name: "featureMap" },
  );
  try {
    const batches = createImageSource(dataset).batches({ batchSize: EVALUATION_BATCH_SIZE });
    const features = await collectOutputs(batches, (images) => run(tensors, images), dataset.labels.length);
    const scores = await scoreFeatures(tensors, spec, features);
    return { features, scores, labels: dataset.labels };
  } finally {
    run.dispose();
  }
}

/** Scores feature maps `[N,8,8,64]` by a network's own filters: `[N,K]`. */
export async function scoreFeatures(
  tensors: StateDict,
  spec: NetworkSpec,
  features: Float32Array,
): Promise<Float32Array> {
  const context = createForwardContext(tensors, { ...spec, mode: "evaluate" });
  const filters = tf.tidy(() => makeFilters(context, spec.variant));
  try {
    return await scoreFilters(tensors, spec, features, filters);
  } finally {
    filters.dispose();
  }
}

/**
 * Scores feature maps by filters, each as that of a class.
 *
 * @param features `[N,8,8,64]`
 * @param filters Normalised filters `[F,64]`.
 * @returns `[N,F]`
 */
export async function scoreFilters(
  tensors: StateDict,
  spec: NetworkSpec,
  features: Float32Array,
  filters: tf.Tensor2D,
): Promise<Float32Array> {
  const run = compile(
    (tensors: StateDict, v: tf.Tensor4D, filters: tf.Tensor2D) => scoreMaps(tensors, spec, v, filters),
    { name: "scoreFilters" },
  );
  const count = features.length / VALUES;
  const { batches } = createFeatureSource(features, new Uint8Array(count));
  try {
    return await collectOutputs(batches({ batchSize: 500 }), (v) => run(tensors, v, filters), count);
  } finally {
    run.dispose();
  }
}

/** Scores feature maps `[N,8,8,64]` by a vector that was learned: `[N]`. */
export async function scoreVector(
  tensors: StateDict,
  spec: NetworkSpec,
  kind: VectorKind,
  { features, vector }: { features: Float32Array; vector: Float32Array },
): Promise<Float32Array> {
  const filter = tf.tidy(() => toFilters(tensors, spec, kind, tf.tensor2d(vector, [1, vector.length])));
  try {
    return await scoreFilters(tensors, spec, features, filter);
  } finally {
    filter.dispose();
  }
}

/** Lists the images of each class, by label. */
export function poolByClass(labels: Uint8Array, classes: number): number[][] {
  const pools = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, image) => pools[label].push(image));
  return pools;
}

function scoreMaps(tensors: StateDict, spec: NetworkSpec, v: tf.Tensor4D, filters: tf.Tensor2D): tf.Tensor2D {
  const context = createForwardContext(tensors, { ...spec, classes: 1, mode: "evaluate" });
  return predictScores(context, dynamicConvolution(v, filters));
}

/** Vector that the new class is learned as: an embedding `[128]`, or a filter `[64]` that is normalised. */
export type VectorKind = "embedding" | "filter";

/** Makes the normalised filters `[F,64]` of embeddings `[F,128]` or of filters. */
function toFilters(
  tensors: StateDict,
  spec: NetworkSpec,
  kind: VectorKind,
  vectors: tf.Tensor2D,
): tf.Tensor2D {
  const context = createForwardContext(tensors, { ...spec, mode: "evaluate" });
  return normaliseRows(kind === "embedding" ? generateFilters(context, vectors) : vectors);
}

/** Images to learn from, by their positions in what was seen. */
export interface LearningImages {
  seen: ExtractedFeatures;
  /** Positions of the images of each class; those of the new class come last. */
  pools: readonly (readonly number[])[];
  /** Seed of the batches. */
  seed: number;
}

/** Length of a training. */
export interface FitSettings {
  /** Steps of Adam, whose learning rate falls to zero along a cosine. @default 300 */
  steps?: number;
  /** Images of each class per batch: equally many calibrate the new class. @default 25 */
  perClass?: number;
  /** Called after each step with the share of the steps done. @default {yieldToEventLoop} */
  onStep?: (done: number) => Promise<void>;
}

/** Learning rates at the start. */
export const LEARNING_RATES = { embedding: 0.05, filter: 0.01, head: 0.002 };

/**
 * Learns the vector of a new class by the cross-entropy over all K + 1 scores, starting from that of the
 * known class that the network finds its images most similar to.
 *
 * @returns The embedding `[128]` or the filter `[64]`.
 */
export async function learnVector(
  tensors: StateDict,
  spec: NetworkSpec,
  kind: VectorKind,
  images: LearningImages,
  settings: FitSettings = {},
): Promise<Float32Array> {
  const { vector } = await fit({
    start: { vector: vectorOf(tensors, spec, kind, nearestClass(images)) },
    fixed: tensors,
    learningRate: LEARNING_RATES[kind],
    images,
    ...settings,
    score: ({ vector }, fixed, { v, scores }) =>
      tf.concat([scores, scoreMaps(fixed, spec, v, toFilters(fixed, spec, kind, vector as tf.Tensor2D))], 1),
  });
  try {
    return await vector.data() as Float32Array;
  } finally {
    vector.dispose();
  }
}

/** Finds the known class that the network finds the new one's images most similar to. */
export function nearestClass({ seen: { scores, labels }, pools }: LearningImages): number {
  const all = splitRows(scores, labels.length);
  const rows = pools.at(-1)!.map((image) => softmax(all[image]));
  return argMax(rows[0].map((_, label) => mean(rows.map((row) => row[label]))));
}

/** Returns a known class's embedding `[1,128]`, or its filter `[1,64]`. */
export function vectorOf(
  tensors: StateDict,
  spec: NetworkSpec,
  kind: VectorKind,
  label: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const context = createForwardContext(tensors, { ...spec, mode: "evaluate" });
    const rows = kind === "embedding" ? classEmbeddings(context) : makeFilters(context, spec.variant);
    return tf.slice(rows, [label, 0], [1, -1]);
  });
}

/** Feature maps `[B,8,8,64]` of a batch, the known classes' scores of them `[B,K]`, and labels `[B]`. */
export interface SeenBatch {
  v: tf.Tensor4D;
  scores: tf.Tensor2D;
  labels: tf.Tensor1D;
}

export interface FitOptions extends FitSettings {
  /** Parameters at the start; they are disposed. */
  start: StateDict;
  /** Tensors that stay as they are. */
  fixed: StateDict;
  learningRate: number;
  images: LearningImages;
  /** Computes all K + 1 scores `[B,K+1]`. */
  score(parameters: StateDict, fixed: StateDict, batch: SeenBatch): tf.Tensor2D;
}

/** Fits parameters by the cross-entropy, on balanced batches, and returns them. */
export async function fit(
  { start, fixed, learningRate, images, score, steps = 300, perClass = 25, onStep = yieldToEventLoop }:
    FitOptions,
): Promise<StateDict> {
  const config = { optimizer: "adam", momentum: 0, weightDecay: 0, decoupledWeightDecay: false } as const;
  const optimizer = createOptimizer(config);
  const names = Object.keys(start);
  const step = compile((fixed: StateDict, state: Optimized, batch: SeenBatch, rates: Rates): Optimized => {
    const loss = (...values: tf.Tensor[]) => {
      const parameters = Object.fromEntries(names.map((name, at) => [name, values[at]]));
      return crossEntropy(score(parameters, fixed, batch), batch.labels);
    };
    const gradients = tf.grads(loss)(Object.values(state.parameters));
    return updateParameters(optimizer, state, gradients, rates);
  }, { name: "fitStep" });
  let state: Optimized = { parameters: start, slots: createSlots(optimizer, start) };
  try {
    for (let at = 0; at < steps; at++) {
      const decayed = learningRateAt(at, { schedule: "cosine", learningRate, totalSteps: steps });
      const rates = toRates(optimizer.rates(decayed, at + 1));
      const batch = drawBatch(images, at, perClass);
      const next = step(fixed, state, batch, rates);
      disposeAll(state.parameters, state.slots, rates, { ...batch });
      state = next;
      await onStep((at + 1) / steps);
    }
    return state.parameters;
  } finally {
    step.dispose();
    disposeAll(state.slots);
  }
}

const BATCHES = 0x6e657763; // domain constant: an independent random stream for the same seed

function drawBatch({ seen, pools, seed }: LearningImages, step: number, perClass: number): SeenBatch {
  const random = createRandom(BATCHES, seed, step);
  const chosen = pools.flatMap((pool) =>
    Array.from({ length: perClass }, () => pool[random.integer(pool.length)])
  );
  const known = seen.scores.length / seen.labels.length;
  const pick = (values: Float32Array, size: number) => {
    const picked = new Float32Array(chosen.length * size);
    chosen.forEach((image, at) => picked.set(values.subarray(image * size, (image + 1) * size), at * size));
    return picked;
  };
  return {
    v: tf.tensor4d(pick(seen.features, VALUES), [chosen.length, MAP_SIZE, MAP_SIZE, CHANNELS]),
    scores: tf.tensor2d(pick(seen.scores, known), [chosen.length, known]),
    labels: tf.tensor1d(chosen.map((image) => seen.labels[image]), "int32"),
  };
}

/**
 * Adds a class to a network: one row of its embeddings or stored filters more, all else is the same.
 *
 * @param vector The embedding `[128]`, or the filter `[64]`, that {@linkcode learnVector} learned.
 */
export function addClass(network: StoredTensors, vector: Float32Array): StoredTensors {
  const { name, shape: [classes, ...rest], data } = rowsOf(network);
  return new Map(network).set(name, { shape: [classes + 1, ...rest], data: joinArrays([data, vector]) });
}

/** Takes a class out of a network. */
export function removeClass(network: StoredTensors, label: number): StoredTensors {
  const { name, shape: [classes, ...rest], data } = rowsOf(network);
  const length = data.length / classes;
  const others = [data.subarray(0, label * length), data.subarray((label + 1) * length)];
  return new Map(network).set(name, { shape: [classes - 1, ...rest], data: joinArrays(others) });
}

/** Finds the tensor that has a row for each class. */
function rowsOf(network: StoredTensors): { name: string; shape: number[]; data: Float32Array } {
  const name = network.has("filters.weight") ? "filters.weight" : "class_embeddings.weight";
  const { shape, data } = network.get(name)!;
  return { name, shape, data: data as Float32Array };
}
