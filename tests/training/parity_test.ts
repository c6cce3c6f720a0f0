// what PyTorch computes in float64, see tests/testdata/README.md
import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { forward } from "../../lib/model/network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { createOptimizer, createSlots } from "../../lib/training/optimizer.ts";
import { splitState } from "../../lib/training/start_training.ts";
import {
  computeGradients,
  type StepSettings,
  type TrainState,
  trainStep,
} from "../../lib/training/train_step.ts";
import {
  assertClose,
  assertMatches,
  assertNear,
  initialState,
  oracleBatch,
  readOracle,
  values,
} from "../testing/oracle.ts";

await useNativeTensorFlow({ device: "cpu" });

const CASES = [
  "dynamic",
  "dynamic_bn_only",
  "dynamic_frozen",
  "dynamic_frozen_1x1",
  "dynamic_frozen_3x3",
  "dynamic_names",
  "static_per_class",
  "static_per_class_frozen_3x3",
  "static_shared",
  "static_ten_way",
];

for (const name of CASES) {
  const oracle = readOracle(`case_${name}`);
  const spec = oracle.oracle as unknown as NetworkSpec;
  for (const winograd of [true, false]) {
    const how = winograd ? "with Winograd" : "directly";
    const settings: StepSettings = { ...spec, winograd, labelSmoothing: 0, clipNorm: null };

    Deno.test(`${name} has PyTorch's scores in evaluation, ${how}`, async () => {
      const { scores, maps, filters, statistics } = forward(initialState(spec), oracleBatch().images, {
        ...settings,
        mode: "evaluate",
      });
      assertClose(await scores.data(), values(oracle, "eval.scores"), 1e-5, "scores");
      assertClose(await maps.data(), values(oracle, "eval.maps"), 1e-5, "maps");
      assertClose(await filters.data(), values(oracle, "filters"), 1e-6, "filters");
      assert.deepEqual(statistics, {});
    });

    Deno.test(`${name} has PyTorch's loss, gradients and statistics in training, ${how}`, async () => {
      const { trainable, fixed } = splitState(initialState(spec), spec);
      const { gradients, statistics, loss } = computeGradients(settings, { trainable, fixed }, oracleBatch());
      assertClose(await loss.data(), values(oracle, "train.loss"), 1e-6, "loss");
      const expected = [...oracle.tensors.keys()].filter((key) => key.startsWith("gradient.")).map((key) =>
        key.slice(9)
      );
      assert.deepEqual(Object.keys(gradients).sort(), expected.sort());
      for (const key of expected) await assertMatches(gradients[key], oracle, "gradient", key, 2e-5);
      const after = { ...fixed, ...statistics };
      const moved = [...oracle.tensors.keys()].filter((key) => key.startsWith("after.")).map((key) =>
        key.slice(6)
      );
      for (const key of moved) await assertMatches(after[key], oracle, "after", key, 1e-5);
    });
  }
}

Deno.test("four training steps end where PyTorch's do", async () => {
  const { oracle, network, slots } = await trainFourSteps(false);
  for (const [name, tensor] of Object.entries(network)) {
    await assertMatches(tensor, oracle, "after", name, 1e-6);
  }
  for (const [name, tensor] of Object.entries(slots)) {
    await assertMatches(tensor, oracle, "momentum", name.replace(/\.momentum$/, ""), 4e-6);
  }
});

// Winograd's rounding turns a few ReLUs over that stand near 0: single values say little, all together they
// do
Deno.test("four training steps with Winograd end near PyTorch's", async () => {
  const { oracle, network, slots } = await trainFourSteps(true);
  for (const [name, tensor] of Object.entries(network)) await assertNear(tensor, oracle, "after", name, 3e-4);
  for (const [name, tensor] of Object.entries(slots)) {
    await assertNear(tensor, oracle, "momentum", name.replace(/\.momentum$/, ""), 1e-2);
  }
});

async function trainFourSteps(winograd: boolean) {
  const oracle = readOracle("dynamic_steps");
  const spec: NetworkSpec = { variant: "dynamic", backbone: "trainable", adapter: "none" };
  const optimizer = createOptimizer({
    optimizer: "sgd",
    momentum: 0.9,
    weightDecay: 5e-4,
    decoupledWeightDecay: false,
  });
  const { trainable, fixed } = splitState(initialState(spec), spec);
  let state: TrainState = { trainable, fixed, slots: createSlots(optimizer, trainable) };
  const rates = values(oracle, "learning_rates");
  for (let step = 0; step < rates.length; step++) {
    const result = trainStep(
      { ...spec, winograd, labelSmoothing: 0, clipNorm: null },
      optimizer,
      state,
      oracleBatch(),
      {
        learningRate: tf.scalar(rates[step]),
      },
    );
    assertClose(await result.loss.data(), [values(oracle, "losses")[step]], 1e-5, `loss of step ${step}`);
    state = {
      trainable: result.trainable,
      fixed: { ...state.fixed, ...result.statistics },
      slots: result.slots,
    };
  }
  return { oracle, network: { ...state.trainable, ...state.fixed }, slots: state.slots };
}
