import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { fromPyTorch } from "../../lib/model/state_dict.ts";
import {
  clipGradients,
  createOptimizer,
  createSlots,
  type OptimizerConfig,
  toRates,
} from "../../lib/training/optimizer.ts";
import { assertClose, assertMatches, readOracle, values } from "../testing/oracle.ts";

await useNativeTensorFlow({ device: "cpu" });

const config = (changes: Partial<OptimizerConfig>): OptimizerConfig => ({
  optimizer: "sgd",
  momentum: 0,
  weightDecay: 0,
  decoupledWeightDecay: false,
  ...changes,
});

/** By the names that tests/testdata/README.md gives them. */
const RULES: Record<string, OptimizerConfig> = {
  sgd: config({ momentum: 0.9, weightDecay: 5e-4 }),
  sgd_plain: config({}),
  sgd_decay: config({ weightDecay: 0.01 }),
  adam: config({ optimizer: "adam" }),
  adam_l2: config({ optimizer: "adam", weightDecay: 0.01 }),
  adamw: config({ optimizer: "adam", weightDecay: 0.01, decoupledWeightDecay: true }),
};
const SLOTS: Record<string, string[]> = { sgd: ["momentum"], sgd_plain: [], sgd_decay: [] };
const PARAMETERS = ["kernel", "matrix", "vector"];
const TOLERANCE = 1e-6; // of the largest value: float32 rounding

const oracle = readOracle("optimizers");
const read = (name: string) => fromPyTorch(oracle.tensors.get(name)!);

for (const [name, rule] of Object.entries(RULES)) {
  for (const eager of [true, false]) {
    Deno.test(`five steps of ${name}, ${eager ? "eager" : "compiled"}, equal PyTorch's`, async () => {
      const optimizer = createOptimizer(rule);
      assert.deepEqual(optimizer.slots, SLOTS[name] ?? ["m", "v"]);
      const update = compile(optimizer.update, { name, eager });
      for (const parameter of PARAMETERS) {
        let tensor = read(`initial.${parameter}`);
        let slots = Object.values(createSlots(optimizer, { tensor }));
        for (const [step, learningRate] of values(oracle, "learning_rates").entries()) {
          const rates = toRates(optimizer.rates(learningRate, step + 1));
          const gradient = read(`gradient.${step}.${parameter}`);
          ({ parameter: tensor, slots } = update(tensor, gradient, slots, rates));
          await assertMatches(tensor, oracle, `${name}.${step}`, parameter, TOLERANCE);
        }
        for (const [at, slot] of optimizer.slots.entries()) {
          await assertMatches(slots[at], oracle, `${name}.${slot}`, parameter, TOLERANCE);
        }
      }
      if (!eager) assert.equal(update.statistics().graphs.length, PARAMETERS.length); // rates are no constants of the graph
      update.dispose();
    });
  }
}

Deno.test("decoupled decay of plain SGD shrinks the parameter by learning rate × decay, whatever the gradient", async () => {
  const optimizer = createOptimizer(config({ weightDecay: 0.1, decoupledWeightDecay: true }));
  const rates = toRates(optimizer.rates(0.5, 1));
  const { parameter } = optimizer.update(tf.tensor1d([10, -20]), tf.tensor1d([1, 1]), [], rates);
  assertClose(await parameter.data(), [10 * 0.95 - 0.5, -20 * 0.95 - 0.5], 1e-6, "parameter");
});

Deno.test("Muon updates 3×3 kernels, at a multiple of the learning rate, and SGD the others", async () => {
  const changes = async (kernelRate: number, ...shape: number[]) => {
    const optimizer = createOptimizer(config({ optimizer: "muon", weightDecay: 0.5, kernelRate }));
    assert.deepEqual(optimizer.slots, ["momentum"]);
    const rates = toRates(optimizer.rates(0.01, 1));
    const { parameter } = optimizer.update(tf.ones(shape), tf.ones(shape), [tf.zeros(shape)], rates);
    return 1 - (await parameter.data())[0];
  };
  const scaling = 1 - Math.sqrt(4) / Math.sqrt(72);
  const [once, twice] = [await changes(1, 3, 3, 2, 4), await changes(2, 3, 3, 2, 4)];
  assert.ok(once > scaling);
  assertClose([twice - scaling], [2 * (once - scaling)], 1e-3, "step of a kernel");
  for (const shape of [[7, 7, 3, 4], [2, 2], [4]]) {
    assertClose([await changes(1, ...shape)], [0.015], 1e-5, "rate · (gradient + decay)");
  }
});

Deno.test("slots start at zero with the parameter's name and shape", async () => {
  const slots = createSlots(createOptimizer(RULES.adam), {
    "a.weight": tf.ones([2, 3]),
    "b.bias": tf.ones([4]),
  });
  const names = ["a.weight.m", "a.weight.v", "b.bias.m", "b.bias.v"];
  assert.deepEqual(Object.fromEntries(Object.entries(slots).map(([name, { shape }]) => [name, shape])), {
    [names[0]]: [2, 3],
    [names[1]]: [2, 3],
    [names[2]]: [4],
    [names[3]]: [4],
  });
  for (const name of names) assert.ok((await slots[name].data()).every((value) => value === 0));
});

for (const [name, limit] of Object.entries({ tight: 0.5, loose: 1000 })) {
  Deno.test(`gradients are clipped to a global norm of ${limit} as in PyTorch`, async () => {
    const clip = readOracle("clip_norm");
    const names = [...clip.tensors.keys()].filter((key) => key.startsWith("gradient.")).map((key) =>
      key.slice(9)
    );
    const gradients = names.map((key) => fromPyTorch(clip.tensors.get(`gradient.${key}`)!));
    const norm = Math.hypot(...gradients.flatMap((gradient) => Array.from(gradient.dataSync())));
    assertClose([norm], values(clip, "norm"), 1e-6, "norm");
    const clipped = clipGradients(gradients, limit);
    for (const [at, key] of names.entries()) await assertMatches(clipped[at], clip, name, key, TOLERANCE);
  });
}

Deno.test("Adam's first step is the learning rate for large gradients, and half of it for one of size epsilon", async () => {
  const optimizer = createOptimizer(config({ optimizer: "adam" }));
  const { stepSize, correction } = optimizer.rates(0.5, 1);
  const gradient = tf.tensor1d([1, -1, 1e-8, -1e-8, 0]); // step = rate · gradient / (|gradient| + 1e-8)
  const zeros = tf.zerosLike(gradient);
  const rates = { stepSize: tf.scalar(stepSize), correction: tf.scalar(correction) };
  const { parameter } = optimizer.update(zeros, gradient, [zeros, zeros], rates);
  assertClose(await parameter.data(), [-0.5, 0.5, -0.25, 0.25, 0], 1e-6, "step");
});
