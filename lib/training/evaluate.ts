import * as tf from "../tensorflow/runtime/tf.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { argMax, requireFiniteScores } from "../support/statistics.ts";
import { countBatches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { forward } from "../model/network.ts";
import type { Execution, NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import {
  type BatchSource,
  collectOutputs,
  createImageSource,
  EVALUATION_BATCH_SIZE,
} from "./batch_source.ts";

/** Options of {@linkcode createEvaluator} and {@linkcode evaluate}. */
export interface EvaluatorOptions extends NetworkSpec, Partial<Execution> {
  /** Images per batch. @default {EVALUATION_BATCH_SIZE} */
  batchSize?: number;
  /** Compile the network to one graph. @default true */
  compile?: boolean;
  /** Average the scores of each image and its mirror image. @default false */
  mirror?: boolean;
}

/** Metrics of a network on a set of images. */
export interface Metrics {
  /** Mean cross-entropy in nats. */
  loss: number;
  /** 0–1. */
  accuracy: number;
  /** Accuracy within each class, 0–1; `null` where the set has no image of that class. */
  perClass: (number | null)[];
  /** Images of class `row` that were predicted as class `column`. */
  confusion: number[][];
}

/** Scores of a network for a set of images, and their metrics. */
export interface Evaluation extends Metrics {
  /** Scores `[N,K]` in the order of the set. */
  scores: Float32Array;
}

/** Evaluates a network, any number of times. */
export interface Evaluator {
  /** Evaluates the network on all images of `source`; `onBatch` receives the completed and total batches. */
  evaluate(
    tensors: StateDict,
    source: BatchSource,
    onBatch?: (done: number, all: number) => Promise<void> | void,
  ): Promise<Evaluation>;
  /** Frees the graphs. */
  dispose(): void;
}

/** Creates an {@linkcode Evaluator}, which keeps its graph from one evaluation to the next. */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { batchSize = EVALUATION_BATCH_SIZE, compile: compiled = true, mirror = false, ...network } = options;
  const score = compile(
    (tensors: StateDict, images: tf.Tensor4D, input: BatchSource["input"]): tf.Tensor2D => {
      const scoresOf = (images: tf.Tensor4D) =>
        forward(tensors, images, { ...network, input, mode: "evaluate" }).scores;
      if (!mirror) return scoresOf(images);
      return tf.mul(tf.add(scoresOf(images), scoresOf(tf.reverse(images, 2))), 0.5);
    },
    { name: "scoreImages", eager: !compiled },
  );
  return {
    async evaluate(tensors, { batches, labels, input }, onBatch) {
      const all = countBatches({ labels }, batchSize);
      let done = 0;
      const run = (images: tf.Tensor4D) => score(tensors, images, input);
      const count = () => onBatch?.(++done, all);
      const scores = await collectOutputs(batches({ batchSize }), run, labels.length, count);
      return { ...measure({ scores, labels }), scores };
    },
    dispose: () => score.dispose(),
  };
}

/** Evaluates a network once on a set of images. */
export async function evaluate(
  tensors: StateDict,
  dataset: Dataset,
  options: EvaluatorOptions,
): Promise<Evaluation> {
  const evaluator = createEvaluator(options);
  try {
    return await evaluator.evaluate(tensors, createImageSource(dataset));
  } finally {
    evaluator.dispose();
  }
}

/** Scores and labels of a set of images. */
export interface Scored {
  /** Unnormalised scores `[N,K]`. */
  scores: Float32Array;
  /** Labels `[N]`. */
  labels: ArrayLike<number>;
}

/**
 * Computes metrics from scores `[N,K]` and labels `[N]`. Ties go to the first class.
 *
 * @throws {InputError} If a score is NaN or infinite.
 */
export function measure({ scores, labels }: Scored): Metrics {
  const images = labels.length;
  const classes = scores.length / images;
  if (!Number.isInteger(classes)) throw new RangeError(`${scores.length} scores for ${images} labels.`);
  requireFiniteScores(scores, classes);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  for (let image = 0; image < images; image++) {
    const row = scores.subarray(image * classes, (image + 1) * classes);
    confusion[labels[image]][argMax(row)]++;
    loss += crossEntropyOf(row, labels[image]);
  }
  const correct = confusion.map((row, label) => row[label]);
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  return {
    loss: loss / images,
    accuracy: correct.reduce((sum, count) => sum + count, 0) / images,
    perClass: correct.map((count, label) => totals[label] === 0 ? null : count / totals[label]),
    confusion,
  };
}

/** Computes −log softmax(scores)[label] in nats. */
function crossEntropyOf(scores: ArrayLike<number>, label: number): number {
  const largest = scores[argMax(scores)];
  let sum = 0;
  for (let index = 0; index < scores.length; index++) sum += Math.exp(scores[index] - largest);
  return Math.log(sum) - (scores[label] - largest); // in this order: scores may be large
}
