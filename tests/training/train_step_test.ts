import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../lib/tensorflow/compile/compile.ts";
import { crossEntropy } from "../../lib/tensorflow/operations/cross_entropy.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { forward } from "../../lib/model/network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { isTrainable, type StateDict } from "../../lib/model/state_dict.ts";
import { createOptimizer, createSlots, type OptimizerConfig, toRates } from "../../lib/training/optimizer.ts";
import { joinState, splitState } from "../../lib/training/start_training.ts";
import {
  computeGradients,
  type StepSettings,
  type TensorBatch,
  type TrainState,
  trainStep,
} from "../../lib/training/train_step.ts";
import { ADAPTERS, BACKBONES, networkSpec, VARIANTS } from "../testing/networks.ts";
import { assertClose, initialState, oracleBatch } from "../testing/oracle.ts";
import { assertAllClose, type Values } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const SGD: OptimizerConfig = {
  optimizer: "sgd",
  momentum: 0.9,
  weightDecay: 5e-4,
  decoupledWeightDecay: false,
};
const ADAM: OptimizerConfig = { optimizer: "adam", momentum: 0, weightDecay: 0, decoupledWeightDecay: false };

interface Run {
  network?: StateDict;
  settings: NetworkSpec & Partial<StepSettings>;
  optimizer?: OptimizerConfig;
  batch: TensorBatch;
  steps: number;
  learningRate?: number;
  eager?: boolean;
}

/**
 * Takes steps on one batch; returns the state after the last, and the loss and correct predictions of each.
 */
async function takeSteps({ settings, batch, steps, learningRate = 0.01, eager = true, ...run }: Run) {
  const { network = createNetwork(settings), optimizer: config = SGD } = run;
  const optimizer = createOptimizer(config);
  const { trainable, fixed } = splitState(network, settings);
  let state: TrainState = { trainable, fixed, slots: createSlots(optimizer, trainable) };
  const complete = { labelSmoothing: 0, clipNorm: null, ...settings };
  const step = compile(
    (state: TrainState, batch: TensorBatch, rates: Record<string, tf.Scalar>) =>
      trainStep(complete, optimizer, state, batch, rates),
    { eager },
  );
  const losses: number[] = [], correct: number[] = [];
  for (let count = 1; count <= steps; count++) {
    const rates = toRates(optimizer.rates(learningRate * count, count));
    const result = step(state, batch, rates);
    state = {
      trainable: result.trainable,
      fixed: { ...state.fixed, ...result.statistics },
      slots: result.slots,
    };
    losses.push((await result.loss.data())[0]);
    correct.push((await result.correct.data())[0]);
  }
  const { graphs } = step.statistics();
  step.dispose();
  return { state, losses, correct, graphs: graphs.length };
}

async function valuesOf(tensors: StateDict): Promise<Values> {
  const values: Values = {};
  for (const [name, tensor] of Object.entries(tensors)) values[name] = await tensor.data() as Float32Array;
  return values;
}

const twoImages = (): TensorBatch => ({
  images: tf.slice(oracleBatch().images, [0, 0, 0, 0], [2, 32, 32, 3]),
  labels: tf.slice(oracleBatch().labels, [0], [2]),
});

const combinations = [
  ...BACKBONES.flatMap((backbone) => ADAPTERS.map((adapter) => networkSpec({ backbone, adapter }))),
  ...VARIANTS.slice(1).map((variant) => networkSpec({ variant, backbone: "bn-only" })),
];

for (const settings of combinations) {
  const { variant, backbone, adapter } = settings;
  Deno.test(`a step updates exactly the trainable tensors of ${variant}, backbone ${backbone}, adapter ${adapter}`, async () => {
    const network = createNetwork(settings);
    const before = await valuesOf(network);
    const { state } = await takeSteps({ network, settings, batch: twoImages(), steps: 3 });
    const after = await valuesOf(joinState(state));
    assert.deepEqual(Object.keys(after).sort(), Object.keys(before).sort());
    for (const name of Object.keys(before)) {
      const isMovedStatistic = /\.running_/.test(name) &&
        (backbone !== "frozen" || !name.startsWith("backbone."));
      if (isTrainable(name, backbone) || isMovedStatistic) {
        assert.notDeepEqual(after[name], before[name], `${name} stays`);
      } else assert.deepEqual(after[name], before[name], `${name} moves`);
    }
  });
}

const COMPILED: Record<string, Pick<Run, "settings" | "optimizer">> = {
  "SGD, clipped and smoothed": { settings: { ...networkSpec(), clipNorm: 0.5, labelSmoothing: 0.1 } },
  // with ten outputs: where the classes share one its bias has no gradient but rounding, by which Adam would
  // divide
  "Adam behind a frozen backbone": {
    settings: networkSpec({ variant: "static-ten-way", backbone: "frozen", adapter: "3x3" }),
    optimizer: ADAM,
  },
  "the loop over classes": {
    settings: { ...networkSpec({ variant: "static-per-class", backbone: "bn-only" }), classLoop: true },
  },
  "direct convolutions": {
    settings: { ...networkSpec({ adapter: "1x1" }), winograd: false },
  },
};

for (const [name, run] of Object.entries(COMPILED)) {
  Deno.test(`compiled and eager steps agree to rounding: ${name}`, async () => {
    const take = async (eager: boolean) => {
      const network = initialState(run.settings);
      const { state, losses, correct, graphs } = await takeSteps({
        ...run,
        network,
        batch: oracleBatch(),
        steps: 3,
        learningRate: 1e-3,
        eager,
      });
      assert.equal(graphs, eager ? 0 : 1); // a graph for all steps: learning rates are no constants of it
      const { trainable, fixed, slots } = state;
      return {
        ...await valuesOf({ ...trainable, ...fixed, ...slots }),
        losses: Float32Array.from(losses),
        correct: Float32Array.from(correct),
      };
    };
    assertAllClose(await take(false), await take(true), 5e-5);
  });
}

const eightImages = (): TensorBatch => {
  const { train } = createSynthetic({ trainSize: 8, testSize: 0 });
  return {
    images: tf.tensor4d(normaliseImages(train.images), [8, 32, 32, 3]),
    labels: tf.tensor1d(Int32Array.from(train.labels), "int32"),
  };
};

for (const variant of ["dynamic", "static-per-class", "static-ten-way"] as const) {
  Deno.test(`${variant} overfits eight images`, async () => {
    const { correct, losses } = await takeSteps({
      settings: networkSpec({ variant }),
      optimizer: ADAM,
      batch: eightImages(),
      steps: 40,
      learningRate: 1e-4, // × the step's number
      eager: false,
    });
    assert.ok(correct[0] < 8);
    assert.equal(correct.at(-1), 8);
    assert.ok(losses.at(-1)! < 0.1, `${losses}`);
  });
}

Deno.test("static-shared cannot overfit them: its loss stays ln 10", async () => {
  const settings = networkSpec({ variant: "static-shared" });
  const { losses } = await takeSteps({
    settings,
    optimizer: ADAM,
    batch: eightImages(),
    steps: 10,
    learningRate: 1e-3,
  });
  assertClose(losses, new Array(10).fill(Math.log(10)), 1e-6, "loss");
});

Deno.test("clipping limits the norm of a step", async () => {
  const settings = { ...networkSpec(), clipNorm: 0.01 };
  const network = initialState(settings);
  const before = await valuesOf(network);
  const plain = { ...SGD, momentum: 0, weightDecay: 0 };
  const { state } = await takeSteps({
    network,
    settings,
    optimizer: plain,
    batch: oracleBatch(),
    steps: 1,
    learningRate: 1,
  });
  const after = await valuesOf(state.trainable);
  const squares = Object.entries(after).flatMap(([name, values]) =>
    Array.from(values, (value, at) => (value - before[name][at]) ** 2)
  );
  assertClose([Math.sqrt(squares.reduce((sum, square) => sum + square, 0))], [0.01], 1e-3, "way");
});

Deno.test("loss and correct predictions are those before the step, with label smoothing in the loss", async () => {
  const settings = { ...networkSpec(), labelSmoothing: 0.3, clipNorm: null };
  const network = initialState(settings);
  const { images, labels } = oracleBatch();
  const { scores } = forward(network, images, { ...settings, mode: "train" });
  const { loss, correct } = computeGradients(settings, splitState(network, settings), { images, labels });
  assertClose(await loss.data(), await crossEntropy(scores, labels, 0.3).data(), 1e-6, "loss");
  const answers = await tf.argMax(scores, 1).data();
  assert.equal(
    (await correct.data())[0],
    (await labels.data()).filter((label, at) => label === answers[at]).length,
  );
});
