// the same files on TensorFlow.js's backend in plain JavaScript, as in a browser; slow, so with one image
import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { forward } from "../../lib/model/network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { createOptimizer, createSlots, toRates } from "../../lib/training/optimizer.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { computeGradients, trainStep } from "../../lib/training/train_step.ts";
import { networkSpec } from "../testing/networks.ts";
import { initialState, oracleBatch } from "../testing/oracle.ts";
import { assertAllClose, onPlainBackend, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const oneImage = () => {
  const { images, labels } = oracleBatch();
  return { images: tf.slice(images, [2, 0, 0, 0], [1, 32, 32, 3]), labels: tf.slice(labels, [2], [1]) };
};

const train = (spec: NetworkSpec) => (): Record<string, tf.Tensor> => {
  const settings = { ...spec, labelSmoothing: 0.1, clipNorm: 1 };
  const { gradients, statistics, loss } = computeGradients(
    settings,
    splitState(initialState(spec), spec),
    oneImage(),
  );
  return { ...gradients, ...statistics, loss };
};

Deno.test("gradients and statistics are the same on the plain backend", async () => {
  const compute = train(networkSpec());
  assertAllClose(await onPlainBackend(compute), await readAll(compute()), 2e-5);
});

Deno.test("… and so is an Adam step with a frozen backbone, called through compile", async () => {
  const spec = networkSpec({ variant: "static-ten-way", backbone: "frozen", adapter: "1x1" });
  const optimizer = createOptimizer({
    optimizer: "adam",
    momentum: 0,
    weightDecay: 0.1,
    decoupledWeightDecay: true,
  });
  const compute = () => {
    const { trainable, fixed } = splitState(initialState(spec), spec);
    const state = { trainable, fixed, slots: createSlots(optimizer, trainable) };
    const step = compile(trainStep);
    const rates = toRates(optimizer.rates(0.01, 1));
    const result = step({ ...spec, labelSmoothing: 0, clipNorm: null }, optimizer, state, oneImage(), rates);
    assert.equal(step.statistics().eagerCalls, tf.getBackend() === "cpu" ? 1 : 0);
    step.dispose();
    // Adam divides a gradient by itself: where it is rounding alone, the parameter is as well
    return { ...result.slots, ...result.statistics, loss: result.loss };
  };
  assertAllClose(await onPlainBackend(compute), await readAll(compute()), 2e-5);
});

Deno.test("… and so are the scores in evaluation", async () => {
  for (const adapter of ["none", "3x3"] as const) {
    const spec = networkSpec({ variant: "static-per-class", adapter });
    const compute = () => {
      const { scores, maps } = forward(initialState(spec), oneImage().images, { ...spec, mode: "evaluate" });
      return { scores, maps };
    };
    assertAllClose(await onPlainBackend(compute), await readAll(compute()), 1e-5);
  }
});
