import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { disposeAll } from "../../lib/model/state_dict.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { createOptimizer, createSlots } from "../../lib/training/optimizer.ts";
import { joinState, splitState } from "../../lib/training/start_training.ts";
import { createStepper, type StepperOptions } from "../../lib/training/stepper.ts";
import { networkSpec } from "../testing/networks.ts";
import {
  assertSameValues,
  countTensors,
  gpuRules,
  randomTensor,
  readAll,
  type Values,
} from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

/** Seven steps, the last of a smaller batch, settled after the third and the last: losses and all tensors. */
async function train(spec: NetworkSpec, how: Pick<StepperOptions, "compile" | "keep">): Promise<Values> {
  const optimizer = createOptimizer({
    optimizer: "sgd",
    momentum: 0.9,
    weightDecay: 5e-4,
    decoupledWeightDecay: false,
  });
  const { trainable, fixed } = splitState(createNetwork(spec, { seed: 1 }), spec);
  const state = { trainable, fixed, slots: createSlots(optimizer, trainable) };
  const settings = { ...spec, labelSmoothing: 0, clipNorm: null };
  const stepper = createStepper({ settings, optimizer, state, ...how });
  const results: Values = {};
  for (let step = 0; step < 7; step++) {
    const size = step === 6 ? 2 : 4;
    const batch = {
      images: randomTensor([size, 32, 32, 3], step),
      labels: tf.tensor1d([3, 7, 0, 9].slice(0, size), "int32"),
    };
    const rates = { learningRate: tf.scalar(0.01 / (step + 1)) };
    const { loss, correct } = stepper.advance(batch, rates);
    Object.assign(results, await readAll({ [`loss ${step}`]: loss, [`correct ${step}`]: correct }));
    disposeAll(rates, { ...batch });
    if (step === 2) {
      stepper.settle();
      stepper.settle(); // which changes nothing
      for (const [name, tensor] of Object.entries(joinState(state))) {
        results[`after 3: ${name}`] = await tensor.data() as Float32Array;
      }
    }
  }
  stepper.settle();
  stepper.dispose();
  return { ...results, ...await readAll({ ...joinState(state), ...state.slots }) };
}

for (const spec of [networkSpec(), networkSpec({ backbone: "frozen", adapter: "3x3" })]) {
  Deno.test(`a state kept in the graph trains like one passed in and out: backbone ${spec.backbone}`, async () => {
    const expected = await train(spec, { compile: true, keep: false });
    assertSameValues(await train(spec, { compile: true, keep: true }), expected);
    assert.ok(Object.keys(expected).length > 100);
  });
}

Deno.test("a stepper frees everything but the state", async () => {
  for (const keep of [true, false]) {
    await train(networkSpec(), { compile: true, keep });
    const before = countTensors();
    await train(networkSpec(), { compile: true, keep });
    assert.deepEqual(countTensors(), before, `keep ${keep}`);
  }
});

Deno.test("an eager step agrees with a compiled one to rounding", async () => {
  const before = countTensors().graphs;
  const eager = await train(networkSpec(), { compile: false, keep: true });
  assert.equal(countTensors().graphs, before);
  const compiled = await train(networkSpec(), { compile: true, keep: true });
  for (const name of ["loss 0", "loss 6"]) {
    assert.ok(Math.abs(eager[name][0] - compiled[name][0]) < 1e-4, name);
  }
});

Deno.test("the state is kept in the graph on a GPU, and passed in and out on a CPU", () => {
  const spec = networkSpec({ backbone: "frozen" });
  const optimizer = createOptimizer({
    optimizer: "sgd",
    momentum: 0,
    weightDecay: 0,
    decoupledWeightDecay: false,
  });
  for (const isGpu of [true, false]) {
    using _gpu = isGpu ? gpuRules() : null;
    const { trainable, fixed } = splitState(createNetwork(spec, { seed: 1 }), spec);
    const settings = { ...spec, labelSmoothing: 0, clipNorm: null };
    const state = { trainable, fixed, slots: {} };
    const stepper = createStepper({ settings, optimizer, state, compile: true });
    stepper.advance({ images: randomTensor([2, 32, 32, 3]), labels: tf.tensor1d([3, 7], "int32") }, {
      learningRate: tf.scalar(0.01),
    });
    assert.equal(stepper.isSettled(), !isGpu);
    stepper.dispose();
  }
});
