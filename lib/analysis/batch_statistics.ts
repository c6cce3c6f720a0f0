/** Batch statistics of the backbone: those stored in ImageNet's training, and those of other images. */
import { backbone } from "../model/backbone.ts";
import { createForwardContext } from "../model/network.ts";
import type { StateDict } from "../model/state_dict.ts";
import type { Convolution } from "../tensorflow/operations/convolution.ts";
import { chooseStrided } from "../tensorflow/operations/strided.ts";
import * as tf from "../tensorflow/runtime/tf.ts";

/** The backbone's batch normalisations, in forward order. */
export const NORM_LAYERS: readonly string[] = [
  "backbone.bn1",
  ...[0, 1].flatMap((block) => [1, 2].map((norm) => `backbone.layer1.${block}.bn${norm}`)),
];

/** Means and variances of the channels `[C]`, by the name of the batch normalisation. */
export type LayerMoments = Map<string, { mean: Float32Array; variance: Float32Array }>;

/**
 * Measures the input of each of the backbone's batch normalisations on images.
 *
 * @param images Normalised images `[B,32,32,3]`, as many as memory holds.
 * @param before Statistics of the layers before it: `stored`, as in a frozen backbone, or `adapted` to these
 * images.
 * @returns Unbiased variances, as PyTorch's running ones.
 */
export async function measureMoments(
  tensors: StateDict,
  images: tf.Tensor4D,
  before: "stored" | "adapted",
): Promise<LayerMoments> {
  // a layer's input is visible where its batch normalisation is not folded into the convolution
  const passes = before === "adapted" ? [NORM_LAYERS] : NORM_LAYERS.map((layer) => [layer]);
  const result: LayerMoments = new Map();
  for (const layers of passes) {
    const moments = tf.tidy(() => readInputs(tensors, images, layers));
    for (const [at, { mean, variance }] of moments.entries()) {
      result.set(layers[at], {
        mean: await mean.data() as Float32Array,
        variance: await variance.data() as Float32Array,
      });
    }
    tf.dispose(moments.map(({ mean, variance }) => [mean, variance]));
  }
  return result;
}

/** Reads the backbone's running statistics. */
export async function storedMoments(tensors: StateDict): Promise<LayerMoments> {
  const result: LayerMoments = new Map();
  for (const layer of NORM_LAYERS) {
    result.set(layer, {
      mean: await tensors[`${layer}.running_mean`].data() as Float32Array,
      variance: await tensors[`${layer}.running_var`].data() as Float32Array,
    });
  }
  return result;
}

/** Replaces running statistics: the tensors that change are new, the others shared. */
export function withMoments(tensors: StateDict, moments: LayerMoments): StateDict {
  const result = { ...tensors };
  for (const [layer, { mean, variance }] of moments) {
    result[`${layer}.running_mean`] = tf.tensor1d(mean);
    result[`${layer}.running_var`] = tf.tensor1d(variance);
  }
  return result;
}

/** Runs the backbone with batch statistics in some layers, and computes their inputs' moments. */
function readInputs(tensors: StateDict, images: tf.Tensor4D, layers: readonly string[]) {
  const moments: { mean: tf.Tensor; variance: tf.Tensor }[] = [];
  const observe = (convolve: Convolution): Convolution => (x, kernel, epilogue) => {
    const y = convolve(x, kernel, epilogue);
    if (epilogue?.bias !== undefined) return y; // folded
    const { mean, variance } = tf.moments(y, [0, 1, 2]);
    const count = y.size / y.shape[3];
    moments.push({ mean, variance: tf.mul(variance, count / (count - 1)) });
    return y;
  };
  const spec = { variant: "dynamic", backbone: "frozen", adapter: "none", mode: "evaluate" } as const;
  const context = createForwardContext(tensors, spec);
  const statistics: StateDict = {};
  const strided = chooseStrided({ learns: false });
  backbone({
    ...context,
    statistics,
    learnsStatistics: (name) => layers.includes(name),
    strided: { ...strided, convolve: observe(strided.convolve) },
    convolve3x3: observe(context.convolve3x3),
  }, images);
  tf.dispose(Object.values(statistics)); // they outlive a tidy
  return moments;
}
