import * as tf from "../../../../lib/tensorflow/runtime/tf.ts";
import { elementwise } from "./elementwise.ts";
import { images } from "./images.ts";
import { matrices } from "./matrices.ts";
import { reductions } from "./reductions.ts";
import { shapes } from "./shapes.ts";
import type { Operation, Output } from "./table.ts";

/** Operations whose gradient is tried for the first input. */
const FOR_THE_FIRST = `
  abs; acos; acosh; asin; asinh; atan; atanh; cos; cosh; elu; erf; exp; expm1; leakyRelu; log; log1p;
  logSigmoid; neg; prelu; reciprocal; relu; relu6; rsqrt; selu; sigmoid; sin; sinh; softplus; sqrt;
  square; tan; tanh; clipByValue; sum; sum of rows, kept; mean; mean of columns; prod; max; min;
  logSumExp; cumsum; moments; norm; softmax; logSoftmax; unsortedSegmentSum; reshape; transpose;
  expandDims; slice; split; unstack; stack; concat; tile; pad; mirrorPad; reverse; broadcastTo;
  gather, constant indices; gather; gather columns; maxPool; avgPool; localResponseNormalization;
  batchNorm; resizeBilinear; resizeNearestNeighbor; maxPool3d; avgPool3d; cast there and back;
  spaceToBatchND; batchToSpaceND; fused.matMul; gramSchmidt; basicLSTMCell; dilation2d; hingeLoss
`;
/** Operations whose gradient is tried for all inputs. */
const FOR_ALL = `
  add; addN; sub; mul; div; maximum; minimum; mod; pow; squaredDifference; atan2; with a row; matMul;
  matMul, transposed; dot; batched matMul; outerProduct; conv2d; conv2d, strides; depthwiseConv2d;
  separableConv2d; conv2dTranspose; fused.conv2d; a block; conv1d; conv3d; absoluteDifference;
  huberLoss; logLoss; meanSquaredError; sigmoidCrossEntropy; softmaxCrossEntropy; cosineDistance
`;

const operations = new Map(
  [elementwise, reductions, shapes, matrices, images].flat().map((one) => [one.name, one]),
);

/** Operations whose second derivative is tried. */
const TWICE = "exp; log; sigmoid; tanh; square; reciprocal; sqrt; softplus; mean; softmax; reshape; sum";

/** The gradients of the sum of an operation's squared outputs. */
export const gradients: Operation[] = [
  ...listNames(FOR_THE_FIRST).map((name) => gradientOf(name, 1)),
  ...listNames(FOR_ALL).map((name) => gradientOf(name, Infinity)),
  ...listNames(TWICE).map((name) => gradientOf(`gradient of ${name}`, 1, gradientOf(name, 1))),
];

function listNames(text: string): string[] {
  return text.trim().split(/;\s+/);
}

function gradientOf(name: string, count: number, operation = operations.get(name)!): Operation {
  const { run, inputs } = operation;
  return {
    name: `gradient of ${name}`,
    inputs,
    run: (...all) =>
      tf.grads((...some) => sumOfSquares(run(...some, ...all.slice(some.length))))(all.slice(0, count)),
  };
}

function sumOfSquares(output: Output): tf.Scalar {
  return tf.addN(listTensors(output).map((tensor) => tf.sum(tf.square(tensor))));
}

/** The tensors in an output, in their order. */
export function listTensors(output: Output): tf.Tensor[] {
  return output instanceof tf.Tensor ? [output] : Object.values(output).flatMap(listTensors);
}
