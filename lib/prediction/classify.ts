import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { normaliseImages } from "../data/normalise.ts";
import { forward } from "../model/network.ts";
import { CLASSES, type Execution, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { argMax, softmax } from "../support/statistics.ts";

/** What the network says of one picture. */
export interface Prediction {
  /** Scores of the classes before the softmax `[10]`. */
  scores: Float32Array;
  /** The softmax of the scores `[10]`: shares that sum up to 1. */
  shares: number[];
  /** The class with the highest score, 0–9. */
  winner: number;
  /** Response maps `[K,8,8]`: K is 10, or 1 where all classes share a filter. */
  maps: Float32Array;
}

/**
 * Classifies pictures.
 *
 * @param tensors The network's parameters and running statistics, such as a checkpoint holds.
 * @param pictures Bytes `[32,32,3]` each.
 * @param network Which network the tensors are of; a checkpoint's `config` will do.
 *
 * @example
 * ```ts
 * import { classify } from "./classify.ts";
 * import { createNetwork } from "../model/create_network.ts";
 * import { useNativeTensorFlow } from "../tensorflow/runtime/native.ts";
 *
 * await useNativeTensorFlow();
 * const network = { variant: "dynamic", backbone: "trainable", adapter: "none" } as const;
 * const [{ winner, shares }] = await classify(createNetwork(network), [new Uint8Array(32 * 32 * 3)], network);
 * console.log(winner, shares[winner]);
 * ```
 */
export async function classify(
  tensors: StateDict,
  pictures: readonly Uint8Array[],
  network: NetworkSpec & Partial<Execution>,
): Promise<Prediction[]> {
  if (pictures.length === 0) return [];
  const bytes = new Uint8Array(pictures.length * IMAGE_BYTES);
  pictures.forEach((picture, index) => bytes.set(picture, index * IMAGE_BYTES));
  const { variant, backbone, adapter, classLoop, winograd } = network;
  const [scores, maps] = tf.tidy(() => {
    const images = tf.tensor4d(normaliseImages(bytes), [pictures.length, IMAGE_SIZE, IMAGE_SIZE, 3]);
    const spec = { variant, backbone, adapter, classLoop, winograd };
    const outputs = forward(tensors, images, { ...spec, mode: "evaluate" });
    return [outputs.scores, outputs.maps]; // [B,10], [B,K,8,8]
  });
  try {
    const [allScores, allMaps] = await Promise.all([scores.data(), maps.data()]) as [
      Float32Array,
      Float32Array,
    ];
    const mapLength = maps.shape[1]! * MAP_SIZE * MAP_SIZE;
    return pictures.map((_, index) => {
      const own = allScores.slice(index * CLASSES, (index + 1) * CLASSES);
      return {
        scores: own,
        shares: softmax(own),
        winner: argMax(own),
        maps: allMaps.slice(index * mapLength, (index + 1) * mapLength),
      };
    });
  } finally {
    tf.dispose([scores, maps]);
  }
}
