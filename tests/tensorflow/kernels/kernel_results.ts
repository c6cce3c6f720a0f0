// What this project's own operations compute of random numbers. As a program it prints it as JSON.
import { normaliseBatch, type NormTensors } from "../../../lib/tensorflow/operations/batch_norm.ts";
import { convolve3x3Winograd } from "../../../lib/tensorflow/operations/convolution.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { type Perceptron, scoreMaps } from "../../../lib/tensorflow/operations/map_scores.ts";
import { normaliseStem, runStem } from "../../../lib/tensorflow/operations/stem.ts";
import { muonStep } from "../../../lib/training/muon.ts";
import { nesterovStep } from "../../../lib/tensorflow/operations/nesterov.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { randomTensor, readAll, type Values } from "../../testing/tensors.ts";

/** Results of each operation, on sizes that leave remainders everywhere. */
export async function computeWithKernels(): Promise<Values> {
  const [C, K] = [32, 48];
  const [x, shortcut, dy] = [[37, 7, 6, C], [37, 7, 6, K], [37, 7, 6, K]].map((shape, key) =>
    randomTensor(shape, key)
  );
  const [kernel, weight, bias] = [[3, 3, C, K], [K], [K]].map((shape, key) => randomTensor(shape, 10 + key));
  let statistics: Record<string, tf.Tensor> = {};
  const gradients = tf.grads((x, kernel, weight, bias, shortcut) => {
    const z = convolve3x3Winograd(x as tf.Tensor4D, kernel as tf.Tensor4D);
    const norm = {
      weight,
      bias,
      runningMean: bias,
      runningVariance: tf.square(weight),
    } as unknown as Parameters<
      typeof normaliseBatch
    >[1];
    const { y, ...moved } = normaliseBatch(z, norm, { shortcut: shortcut as tf.Tensor4D, relu: true });
    statistics = { z: tf.keep(tf.clone(z)), y: tf.keep(tf.clone(y)), ...moved };
    return y;
  })([x, kernel, weight, bias, shortcut], dy);
  const finished = convolve3x3Winograd(x, kernel, {
    bias: bias as unknown as tf.Tensor1D,
    shortcut,
    relu: true,
  });
  const images = randomTensor([37, 7, 6, 3], 20), large = randomTensor([7, 7, 3, K], 21);
  const stem = runStem(images, large, bias as unknown as tf.Tensor1D);
  const [dLarge, dWeight] = tf.grads((kernel, weight) => {
    const norm = { weight, bias, runningMean: bias, runningVariance: tf.square(weight) };
    const { y, ...moved } = normaliseStem(images, kernel as tf.Tensor4D, norm as unknown as NormTensors);
    statistics = { ...statistics, stemMean: moved.runningMean, stemVariance: moved.runningVariance };
    return y;
  })([large, weight]);
  const perceptron = [[K, 16], [K], [1, K], [1]].map((shape, key) => randomTensor(shape, 30 + key));
  const head = tf.grads((maps, filters, ...[hiddenWeight, hiddenBias, outputWeight, outputBias]) => {
    const predictor = { hiddenWeight, hiddenBias, outputWeight, outputBias } as unknown as Perceptron;
    return scoreMaps(maps as tf.Tensor4D, filters as unknown as tf.Tensor2D, predictor);
  })([randomTensor([19, 2, 8, C], 40), randomTensor([11, C], 41), ...perceptron]);
  const rates = { learningRate: tf.scalar(0.1), momentum: 0.9, weightDecay: 0.01 };
  const { parameter, momentumBuffer } = nesterovStep({ parameter: x, momentumBuffer: x }, x, rates);
  const named = Object.fromEntries(gradients.map((gradient, at) => [`gradient ${at}`, gradient]));
  head.forEach((gradient, at) => named[`head ${at}`] = gradient);
  const muon = muonStep({ parameter: kernel, momentumBuffer: kernel }, kernel, rates);
  return await readAll({
    ...statistics,
    ...named,
    finished,
    stem,
    dLarge,
    dWeight,
    parameter,
    momentumBuffer,
    muon: muon.parameter,
  });
}

if (import.meta.main) {
  await useNativeTensorFlow({ device: "cpu" });
  const values = Object.entries(await computeWithKernels()).map(([name, list]) => [name, Array.from(list)]);
  console.log(JSON.stringify(Object.fromEntries(values)));
}
