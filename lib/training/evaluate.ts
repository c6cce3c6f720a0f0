import * as tf from "../tensorflow/tf.ts";
import { compile } from "../tensorflow/compile.ts";
import { batches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { forward } from "../model/network.ts";
import { CLASSES, type Execution, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { measure, type Metrics } from "./metrics.ts";

/** Images in one run of the network: more outgrow a CPU's cache, and 125 divides 10,000. */
export const EVALUATION_BATCH_SIZE = 125;

/** How a network is to be evaluated. */
export interface EvaluatorOptions extends NetworkSpec, Partial<Execution> {
  /** @default {EVALUATION_BATCH_SIZE} */
  batchSize?: number;
  /** Run the network as one graph. @default true */
  compile?: boolean;
}

/** What a network answers to a set of images, and what that is worth. */
export interface Evaluation extends Metrics {
  /** Scores `[N,10]` in the order of the set. */
  scores: Float32Array;
}

/** Evaluates one network, any number of times. */
export interface Evaluator {
  /** Scores all images of `dataset`; `onBatch` is told how many batches are done, and of how many. */
  evaluate(
    tensors: StateDict,
    dataset: Dataset,
    onBatch?: (done: number, all: number) => Promise<void> | void,
  ): Promise<Evaluation>;
  /** Frees the graphs. */
  dispose(): void;
}

/** Creates an {@linkcode Evaluator}, which keeps its graph from one evaluation to the next. */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { batchSize = EVALUATION_BATCH_SIZE, compile: compiled = true, ...network } = options;
  const score = compile(
    function scoreImages(tensors: StateDict, images: tf.Tensor4D): tf.Tensor2D {
      return forward(tensors, images, { ...network, mode: "evaluate" }).scores;
    },
    { eager: !compiled },
  );
  return {
    async evaluate(tensors, dataset, onBatch) {
      const { labels } = dataset;
      const scores = new Float32Array(labels.length * CLASSES);
      const all = Math.ceil(labels.length / batchSize);
      let [filled, done] = [0, 0];
      for (const batch of batches(dataset, { batchSize })) {
        const images = tf.tensor4d(batch.images, [batch.size, 32, 32, 3]);
        const output = score(tensors, images);
        scores.set(await output.data(), filled);
        tf.dispose([images, output]);
        filled += batch.size * CLASSES;
        await onBatch?.(++done, all);
      }
      return { ...measure({ scores, labels }), scores };
    },
    dispose: () => score.dispose(),
  };
}

/** Evaluates a network once. */
export async function evaluate(
  tensors: StateDict,
  dataset: Dataset,
  options: EvaluatorOptions,
): Promise<Evaluation> {
  const evaluator = createEvaluator(options);
  try {
    return await evaluator.evaluate(tensors, dataset);
  } finally {
    evaluator.dispose();
  }
}
