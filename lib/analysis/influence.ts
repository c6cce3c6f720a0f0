import { IMAGE_BYTES, IMAGE_SIZE } from "../data/dataset.ts";
import { adapter as adapt } from "../model/backbone.ts";
import { backbone } from "../model/backbone.ts";
import { makeFilters } from "../model/filters.ts";
import { createForwardContext } from "../model/network.ts";
import { CHANNELS, MAP_SIZE, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { convolve3x3Direct } from "../tensorflow/operations/convolution.ts";
import { flipped } from "../tensorflow/operations/strided.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

/** Which cell of the response maps is asked about. */
export interface InfluenceOptions {
  /** Normalised values `[N,32,32,3]`. */
  images: Float32Array;
  /** The class whose map it is, for each image `[N]`. */
  classes: ArrayLike<number>;
  row: number;
  column: number;
}

/**
 * How strongly each pixel moves one cell of a response map: |∂ response / ∂ pixel|, summed over colours, mean over images. The receptive
 * field says what a cell *can* see; this is what it looks at (Luo et al. 2016, Understanding the Effective Receptive Field,
 * arXiv:1701.04128).
 *
 * @returns Shares `[32,32]` that add up to 1.
 */
export async function measureInfluence(
  tensors: StateDict,
  { variant, backbone: mode, adapter }: NetworkSpec,
  { images, classes, row, column }: InfluenceOptions,
): Promise<Float32Array> {
  const count = images.length / IMAGE_BYTES;
  const gradient = tf.tidy(() => {
    const evaluated = createForwardContext(tensors, { variant, backbone: mode, adapter, mode: "evaluate" });
    // the other strided way has no gradient; Winograd's algorithm leaves traces of rounding where there is no influence
    const context = { ...evaluated, strided: flipped, convolve3x3: convolve3x3Direct };
    const filters = makeFilters(context, variant); // [10,64]
    const own = tf.gather(filters, Array.from(classes, (label) => label % filters.shape[0])); // [N,64]
    return tf.grad((pixels) => {
      const features = backbone(context, pixels as tf.Tensor4D);
      const v = adapt(context, features, adapter); // [N,8,8,64]
      const cell = tf.reshape(tf.slice(v, [0, row, column, 0], [-1, 1, 1, -1]), [count, CHANNELS]);
      return tf.sum(tf.mul(cell, own));
    })(tf.tensor4d(images, [count, IMAGE_SIZE, IMAGE_SIZE, 3]));
  });
  const values = await gradient.data();
  gradient.dispose();
  const influence = new Float32Array(IMAGE_SIZE * IMAGE_SIZE);
  let total = 0;
  for (let at = 0; at < values.length; at++) {
    influence[Math.floor(at % IMAGE_BYTES / 3)] += Math.abs(values[at]);
    total += Math.abs(values[at]);
  }
  return influence.map((value) => value / total);
}

/**
 * The side, in pixels, of the smallest square about a cell's own block of 4×4 pixels that holds a share of all influence; it is cut off
 * at the image's edges.
 */
export function findWindow(
  influence: ArrayLike<number>,
  { row, column }: Pick<InfluenceOptions, "row" | "column">,
  share: number,
): number {
  const block = IMAGE_SIZE / MAP_SIZE;
  for (let margin = 0; margin < IMAGE_SIZE; margin++) {
    let sum = 0;
    for (let y = row * block - margin; y < (row + 1) * block + margin; y++) {
      for (let x = column * block - margin; x < (column + 1) * block + margin; x++) {
        if (y >= 0 && y < IMAGE_SIZE && x >= 0 && x < IMAGE_SIZE) sum += influence[y * IMAGE_SIZE + x];
      }
    }
    if (sum >= share - 1e-6) return block + 2 * margin;
  }
  return 2 * IMAGE_SIZE;
}
