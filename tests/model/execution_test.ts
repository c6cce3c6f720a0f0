// which of TensorFlow's operations a network runs: the package's own on a CPU, none of them on a GPU
import assert from "node:assert/strict";
import type * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { forward } from "../../lib/model/network.ts";
import { createOptimizer, createSlots } from "../../lib/training/optimizer.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { computeGradients, trainStep } from "../../lib/training/train_step.ts";
import { scalar } from "../../lib/tensorflow/runtime/tf.ts";
import { ADAPTERS, BACKBONES, networkSpec } from "../testing/networks.ts";
import { initialState, oracleBatch } from "../testing/oracle.ts";
import { assertAllClose, gpuRules, listOperations, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const OWN = /^(Stem|MapScores|Winograd|Normalise|Nesterov)/;

/** Counts the package's own operations. */
function countOwn(compute: () => unknown): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const operation of listOperations(compute)) {
    if (OWN.test(operation)) counts[operation] = (counts[operation] ?? 0) + 1;
  }
  return counts;
}

const sgd = createOptimizer({ optimizer: "sgd", momentum: 0.9, weightDecay: 0, decoupledWeightDecay: false });

/** Evaluates a network, and takes a training step. */
function run(spec = networkSpec()) {
  const tensors = initialState(spec), batch = oracleBatch();
  const settings = { ...spec, labelSmoothing: 0, clipNorm: null };
  const parts = splitState(tensors, spec);
  const state = { ...parts, slots: createSlots(sgd, parts.trainable) };
  const rates = { learningRate: scalar(0.1) };
  return {
    evaluate: () => forward(tensors, batch.images, { ...spec, mode: "evaluate" }),
    train: () => trainStep(settings, sgd, state, batch, rates),
    differentiate: () => computeGradients(settings, parts, batch),
    state,
  };
}

Deno.test("on a CPU a network runs Winograd's convolutions and the other own operations", () => {
  const { evaluate, train, state } = run();
  assert.deepEqual(countOwn(evaluate), { StemFused: 1, Winograd3x3Fused: 4, MapScores: 1 });
  assert.deepEqual(countOwn(train), {
    Winograd3x3: 4,
    Winograd3x3InputGradient: 4,
    Winograd3x3KernelGradient: 4,
    MapScores: 1,
    MapScoresGradient: 1,
    Stem: 1,
    StemKernelGradient: 1,
    StemNormGradient: 1,
    NormaliseBatch: 4,
    NormaliseBatchGradient: 2,
    NormaliseBatchShortcutGradient: 2,
    NesterovStep: Object.keys(state.trainable).length,
  });
});

Deno.test("on a GPU no network runs an operation that exists on CPUs only, and the results agree", async () => {
  for (const backbone of BACKBONES) {
    for (const adapter of ADAPTERS) {
      const { evaluate, differentiate, train } = run(networkSpec({ backbone, adapter }));
      const compute = async () => {
        const { gradients, statistics, loss } = differentiate();
        const named = Object.entries(statistics).map(([name, tensor]) => [`after: ${name}`, tensor]);
        const { scores, maps } = evaluate();
        return await readAll({ scores, maps, loss, ...gradients, ...Object.fromEntries(named) } as Record<
          string,
          tf.Tensor
        >);
      };
      const expected = await compute();
      using _ = gpuRules();
      assert.deepEqual(countOwn(() => [evaluate(), train()]), {}, `${backbone} ${adapter}`);
      assertAllClose(await compute(), expected, 1e-4);
    }
  }
});
