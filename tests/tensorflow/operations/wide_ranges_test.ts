// the CPU's own operations against PyTorch in float64, where channels lie 24 decades apart
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { normaliseBatch } from "../../../lib/tensorflow/operations/batch_norm.ts";
import { convolve3x3Winograd } from "../../../lib/tensorflow/operations/convolution.ts";
import { type Perceptron, scoreMaps } from "../../../lib/tensorflow/operations/map_scores.ts";
import { nesterovStep, type ParameterState } from "../../../lib/tensorflow/operations/nesterov.ts";
import { normaliseStem } from "../../../lib/tensorflow/operations/stem.ts";
import { MUON_MOMENTUM, muonStep } from "../../../lib/training/muon.ts";
import { assertClose, readOracle } from "../../testing/oracle.ts";
import { readAll, type Values } from "../../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const { tensors: stored } = readOracle("wide_ranges");

function input<T extends tf.Tensor>(name: string): T {
  const { data, shape } = stored.get(name)!;
  return tf.tensor(data as Float32Array, shape) as T;
}

/** Asserts that values equal the oracle's `<operation>.<name>`: each channel to `tolerance` times its largest. */
function assertChannels(operation: string, actual: Values, tolerance: number): void {
  for (const [name, values] of Object.entries(actual)) {
    const { data, shape } = stored.get(`${operation}.${name}`)!;
    const channels = shape.at(-1)!;
    for (let channel = 0; channel < channels; channel++) {
      const isOwn = (_: number, at: number) => at % channels === channel;
      const expected = Float64Array.from(data as Float32Array).filter(isOwn);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const [own, theirs] = [Float64Array.from(values).filter(isOwn), expected].map((list) =>
        list.map((value) => value / (largest || 1))
      );
      assertClose(own, theirs, tolerance, `${name} of ${operation}, channel ${channel}`);
    }
  }
}

/** Computes a function of the oracle's inputs, and its gradients for the oracle's `dy`. */
async function assertWithGradients(
  operation: string,
  names: readonly string[],
  compute: (...inputs: tf.Tensor[]) => tf.Tensor,
  tolerance: number,
): Promise<void> {
  const inputs = names.map((name) => input(`${operation}.${name}`));
  const gradients = tf.grads(compute)(inputs, input(`${operation}.dy`));
  const named = names.map((name, at) => [`d_${name}`, gradients[at]] as const);
  assertChannels(
    operation,
    await readAll({ y: compute(...inputs), ...Object.fromEntries(named) }),
    tolerance,
  );
}

/** Running statistics that nobody reads. */
function noStatistics(weight: tf.Tensor) {
  return {
    runningMean: tf.zerosLike(weight) as tf.Tensor1D,
    runningVariance: tf.onesLike(weight) as tf.Tensor1D,
  };
}

Deno.test("Winograd's convolution is right over wide ranges", () =>
  assertWithGradients(
    "convolution",
    ["x", "kernel"],
    (x, kernel) => convolve3x3Winograd(x as tf.Tensor4D, kernel as tf.Tensor4D),
    4e-6,
  ));

Deno.test("batch normalisation is right over wide ranges", () =>
  assertWithGradients("norm", ["x", "weight", "bias"], (x, weight, bias) =>
    normaliseBatch(x as tf.Tensor4D, {
      weight: weight as tf.Tensor1D,
      bias: bias as tf.Tensor1D,
      ...noStatistics(weight),
    }).y, 4e-6));

Deno.test("the stem is right over wide ranges", async () => {
  const images = input<tf.Tensor4D>("stem.images");
  await assertWithGradients(
    "stem",
    ["kernel", "weight", "bias"],
    (kernel, weight, bias) =>
      normaliseStem(images, kernel as tf.Tensor4D, {
        weight: weight as tf.Tensor1D,
        bias: bias as tf.Tensor1D,
        ...noStatistics(weight),
      }).y,
    2e-5,
  );
});

Deno.test("scores of maps are right over wide ranges", () =>
  assertWithGradients(
    "scores",
    ["maps", "filters", "hidden_weight", "hidden_bias", "output_weight"],
    (maps, filters, hiddenWeight, hiddenBias, outputWeight) =>
      scoreMaps(maps as tf.Tensor4D, tf.transpose(filters) as tf.Tensor2D, {
        ...{ hiddenWeight, hiddenBias, outputWeight } as Perceptron,
        outputBias: tf.zeros([1]),
      }),
    4e-6,
  ));

type Step = (state: ParameterState, gradient: tf.Tensor) => ParameterState;

const nesterov: Step = (state, gradient) =>
  nesterovStep(state, gradient, { learningRate: tf.scalar(0.5), momentum: 0.75, weightDecay: 0.125 });
const muon: Step = (state, gradient) =>
  muonStep(state, gradient, { learningRate: tf.scalar(0.5), momentum: MUON_MOMENTUM });

for (const [operation, step] of Object.entries({ nesterov, muon_small: muon, muon_large: muon })) {
  Deno.test(`a step is right over wide ranges: ${operation}`, async () => {
    const [parameter, gradient, momentumBuffer] = ["parameter", "gradient", "buffer"].map((name) =>
      input(`${operation}.${name}`)
    );
    const { parameter: moved, momentumBuffer: following } = step({ parameter, momentumBuffer }, gradient);
    assertChannels(operation, await readAll({ moved, following }), 2e-5);
  });
}
