import * as tf from "../../../../lib/tensorflow/runtime/tf.ts";
import { rows } from "./table.ts";

/** Convolutions, pools and what else is done with images. */
export const images = [
  ...rows((samples) => [samples.signed<tf.Rank.R4>(2, 8, 8, 3), samples.signed<tf.Rank.R4>(3, 3, 3, 4)], {
    conv2d: (x, kernel) => tf.conv2d(x, kernel, 1, "same"),
    "conv2d, strides": (x, kernel) => tf.conv2d(x, kernel, 2, "valid"),
    "conv2d, dilations": (x, kernel) => tf.conv2d(x, kernel, 1, "same", "NHWC", 2),
    "conv2d, explicit padding": (x, kernel) => tf.conv2d(x, kernel, 1, [[0, 0], [1, 2], [1, 2], [0, 0]]),
    depthwiseConv2d: (x, kernel) => tf.depthwiseConv2d(x, kernel, 1, "same"),
    separableConv2d: (x, kernel) => tf.separableConv2d(x, kernel, tf.ones([1, 1, 12, 2]), 1, "same"),
    conv2dTranspose: (x, kernel) =>
      tf.conv2dTranspose(x, tf.transpose(kernel, [0, 1, 3, 2]), [2, 16, 16, 4], 2, "same"),
    "fused.conv2d": (x, filter) =>
      tf.fused.conv2d({ x, filter, strides: 1, pad: "same", bias: tf.ones([4]), activation: "relu" }),
    "fused.depthwiseConv2d": (x, filter) =>
      tf.fused.depthwiseConv2d({ x, filter, strides: 1, pad: "same", activation: "relu6" }),
    "a block": (x, kernel) =>
      tf.relu(
        tf.batchNorm(
          tf.conv2d(x, kernel, 1, "same"),
          tf.zeros([4]),
          tf.ones([4]),
          tf.ones([4]),
          tf.ones([4]),
        ),
      ),
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R4>(2, 8, 8, 3)], {
    maxPool: (x) => tf.maxPool(x, 3, 2, "same"),
    avgPool: (x) => tf.avgPool(x, 3, 2, "same"),
    pool: (x) => tf.pool(x, [2, 2], "avg", "valid"),
    localResponseNormalization: (x) => tf.localResponseNormalization(x),
    batchNorm: (x) => tf.batchNorm(x, tf.zeros([3]), tf.ones([3]), tf.ones([3]), tf.fill([3], 2)),
    dilation2d: (x) => tf.dilation2d(x, tf.ones([2, 2, 3]), 1, "same"),
    resizeBilinear: (x) => tf.image.resizeBilinear(x, [4, 5]),
    resizeNearestNeighbor: (x) => tf.image.resizeNearestNeighbor(x, [4, 5]),
    flipLeftRight: (x) => tf.image.flipLeftRight(x),
    rgbToGrayscale: (x) => tf.image.rgbToGrayscale(x),
    grayscaleToRGB: (x) => tf.image.grayscaleToRGB(tf.slice(x, [0, 0, 0, 0], [2, 8, 8, 1])),
    cropAndResize: (x) =>
      tf.image.cropAndResize(x, tf.tensor2d([[0, 0, 0.5, 0.5]]), tf.tensor1d([0], "int32"), [3, 3]),
  }),
  ...rows((samples) => [samples.signed<tf.Rank.R3>(2, 8, 3), samples.signed<tf.Rank.R3>(3, 3, 2)], {
    conv1d: (x, kernel) => tf.conv1d(x, kernel, 1, "same"),
  }),
  ...rows(
    (samples) => [samples.signed<tf.Rank.R5>(1, 4, 4, 4, 3), samples.signed<tf.Rank.R5>(2, 2, 2, 3, 2)],
    {
      conv3d: (x, kernel) => tf.conv3d(x, kernel, 1, "same"),
      maxPool3d: (x) => tf.maxPool3d(x, 2, 2, "same"),
      avgPool3d: (x) => tf.avgPool3d(x, 2, 2, "same"),
    },
  ),
  ...rows((samples) => [samples.unit<tf.Rank.R1>(3)], {
    nonMaxSuppressionPadded: (scores) =>
      tf.image.nonMaxSuppressionPadded(
        tf.tensor2d([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]]),
        scores,
        2,
        0.5,
        0,
        true,
      ).selectedIndices,
  }),
];
