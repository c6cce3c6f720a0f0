import * as tf from "../tensorflow/runtime/tf.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import { countBatches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { forward } from "../model/network.ts";
import { CLASSES, type Execution, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { type BatchSource, createImageSource } from "./batch_source.ts";
import { measure, type Metrics } from "./metrics.ts";

/** Images in one run of the network: more outgrow a CPU's cache, and 125 divides 10,000. */
export const EVALUATION_BATCH_SIZE = 125;

/** How a network is to be evaluated. */
export interface EvaluatorOptions extends NetworkSpec, Partial<Execution> {
  /** Images at a time. @default {EVALUATION_BATCH_SIZE} */
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
  /** Scores all images of `source`; `onBatch` is told how many batches are done, and of how many. */
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
  const { batchSize = EVALUATION_BATCH_SIZE, compile: compiled = true, ...network } = options;
  const score = compile(
    (tensors: StateDict, images: tf.Tensor4D, input: BatchSource["input"]): tf.Tensor2D =>
      forward(tensors, images, { ...network, input, mode: "evaluate" }).scores,
    { name: "scoreImages", eager: !compiled },
  );
  return {
    async evaluate(tensors, { batches, labels, input }, onBatch) {
      const scores = new Float32Array(labels.length * CLASSES);
      const all = countBatches({ labels }, batchSize);
      let [filled, done] = [0, 0];
      for (const { values, shape } of batches({ batchSize })) {
        const images = tf.tensor4d(values, shape);
        const output = score(tensors, images, input);
        scores.set(await output.data(), filled);
        filled += output.size;
        tf.dispose([images, output]);
        await onBatch?.(++done, all);
      }
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
