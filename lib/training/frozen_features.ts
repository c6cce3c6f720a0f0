import * as tf from "../tensorflow/runtime/tf.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import type { Dataset } from "../data/dataset.ts";
import { yieldToEventLoop } from "../support/interrupt.ts";
import { backboneFeatures } from "../model/network.ts";
import { CHANNELS, type Execution, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { type BatchSource, createFeatureSource, createImageSource } from "./batch_source.ts";
import { EVALUATION_BATCH_SIZE } from "./evaluate.ts";

const BYTES_PER_IMAGE = 4 * MAP_SIZE * MAP_SIZE * CHANNELS;

/** Feature maps are kept as long as they take no more memory than this: all of CIFAR-10's training images take 0.8 GB. */
export const MOST_FEATURE_BYTES = 1e9;

/** Options of {@linkcode createFrozenSource}. */
export interface FrozenSourceOptions extends NetworkSpec, Partial<Execution> {
  /** Whether images are cropped and mirrored at random, so that there is nothing to keep. */
  augment: boolean;
  /** @default true */
  compile?: boolean;
}

/**
 * The batches of a set, taken from behind the backbone where that never changes: it is frozen and images come as they are. Its feature maps
 * are then computed once, here.
 *
 * @param tensors The network's; its backbone counts.
 */
export async function createFrozenSource(
  tensors: StateDict,
  dataset: Dataset,
  options: FrozenSourceOptions,
): Promise<BatchSource> {
  const { backbone, augment, compile: compiled = true } = options;
  const images = dataset.labels.length;
  const source = createImageSource(dataset);
  if (backbone !== "frozen" || augment || images * BYTES_PER_IMAGE > MOST_FEATURE_BYTES) return source;
  const features = new Float32Array(images * BYTES_PER_IMAGE / 4);
  const run = compile(
    (tensors: StateDict, images: tf.Tensor4D) =>
      backboneFeatures(tensors, images, { ...options, mode: "evaluate" }),
    { name: "backboneFeatures", eager: !compiled },
  );
  try {
    let filled = 0;
    for (const { values, shape } of source.batches({ batchSize: EVALUATION_BATCH_SIZE })) {
      const batch = tf.tensor4d(values, shape);
      const output = run(tensors, batch);
      features.set(await output.data(), filled);
      filled += output.size;
      tf.dispose([batch, output]);
      await yieldToEventLoop();
    }
  } finally {
    run.dispose();
  }
  return createFeatureSource(features, dataset.labels);
}
