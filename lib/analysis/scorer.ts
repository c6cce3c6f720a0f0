import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { forward } from "../model/network.ts";
import { DEFAULT_CLASSES, type Execution, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { compile } from "../tensorflow/compile/compile.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { joinArrays } from "../support/arrays.ts";
import { requireFiniteScores } from "../support/statistics.ts";
import { EVALUATION_BATCH_SIZE } from "../training/batch_source.ts";

/** Cells of one response map. */
export const MAP_CELLS = MAP_SIZE * MAP_SIZE;

/** Evaluates a network on any number of images. */
export interface Scorer {
  /**
   * Computes scores `[N,K]` and maps `[N,K,8,8]`, or `[N,1,8,8]` where all classes share a filter, of
   * normalised images `[N,32,32,3]`.
   *
   * @throws {InputError} If a score is NaN or infinite.
   */
  ask(images: Float32Array): Promise<{ scores: Float32Array; maps: Float32Array }>;
  /** Frees the graphs. */
  dispose(): void;
}

export interface ScorerOptions extends NetworkSpec, Partial<Execution> {
  /** @default {EVALUATION_BATCH_SIZE} */
  batchSize?: number;
  /** Run the network as one graph. @default true */
  compile?: boolean;
}

/** Creates a {@linkcode Scorer} for tensors that stay as they are; a checkpoint's `config` will do as the options. */
export function createScorer(
  tensors: StateDict,
  {
    variant,
    backbone,
    adapter,
    classes,
    winograd,
    batchSize = EVALUATION_BATCH_SIZE,
    compile: compiled = true,
  }: ScorerOptions,
): Scorer {
  const spec = { variant, backbone, adapter, classes, winograd };
  const run = compile((images: tf.Tensor4D) => {
    const { scores, maps } = forward(tensors, images, { ...spec, mode: "evaluate" });
    return { scores, maps };
  }, { name: "askNetwork", eager: !compiled, constants: Object.values(tensors) });
  return {
    async ask(images) {
      const count = images.length / IMAGE_BYTES;
      const scores: Float32Array[] = [];
      const maps: Float32Array[] = [];
      for (let start = 0; start < count; start += batchSize) {
        const part = images.subarray(start * IMAGE_BYTES, (start + batchSize) * IMAGE_BYTES);
        const batch = tf.tensor4d(part, [part.length / IMAGE_BYTES, IMAGE_SIZE, IMAGE_SIZE, 3]);
        const answer = run(batch);
        scores.push(await answer.scores.data() as Float32Array);
        maps.push(await answer.maps.data() as Float32Array);
        tf.dispose([batch, answer.scores, answer.maps]);
      }
      const all = joinArrays(scores);
      requireFiniteScores(all, all.length / count);
      return { scores: all, maps: joinArrays(maps) };
    },
    dispose: () => run.dispose(),
  };
}

/** Returns the response map of one class for one image `[64]`: a view of all maps `[N,K,8,8]`. */
export function mapOf(
  maps: Float32Array,
  image: number,
  label: number,
  filters: number = DEFAULT_CLASSES,
): Float32Array {
  const start = (image * filters + label % filters) * MAP_CELLS;
  return maps.subarray(start, start + MAP_CELLS);
}
