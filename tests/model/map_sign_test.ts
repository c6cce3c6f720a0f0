import assert from "node:assert/strict";
import { join } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { negateMaps } from "../../lib/model/map_sign.ts";
import { forward } from "../../lib/model/network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { disposeAll } from "../../lib/model/state_dict.ts";
import { publishedModelFolder } from "../../lib/experiments/publish.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { chooseSign } from "../../lib/training/choose_sign.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { createOptimizer, createSlots, toRates } from "../../lib/training/optimizer.ts";
import { joinState, splitState } from "../../lib/training/start_training.ts";
import { createStepper } from "../../lib/training/stepper.ts";
import type { TrainState } from "../../lib/training/train_step.ts";
import { networkSpec, VARIANTS } from "../testing/networks.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { TINY_DATASETS, trainTiny } from "../testing/training.ts";
import { assertSameValues, countTensors, randomTensor, readAll, type Values } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const ODD = /weights_generator\.2|filters\.weight|score_predictor\.0\.weight/;
const plus = (values: Values): Values =>
  // −0 is 0
  Object.fromEntries(Object.entries(values).map(([name, array]) => [name, array.map((x) => x + 0)]));
const evaluate = async (network: Record<string, tf.Tensor>, spec: NetworkSpec) => {
  const { scores, maps } = forward(network, randomTensor([7, 32, 32, 3]), { ...spec, mode: "evaluate" });
  return await readAll({ scores, maps });
};

Deno.test("maps of the other sign come with the same scores, bit for bit", async () => {
  const published = await openCheckpoint(join(publishedModelFolder(), "dynamic.safetensors"));
  const networks = [
    ...VARIANTS.map((variant) =>
      [createNetwork(networkSpec({ variant })), networkSpec({ variant })] as const
    ),
    [published.loadNetwork(), published.config] as const,
  ];
  for (const [network, spec] of networks) {
    const before = await evaluate(network, spec);
    negateMaps(network);
    const after = await evaluate(network, spec);
    assertSameValues({ scores: after.scores }, { scores: before.scores }, spec.variant);
    assertSameValues({ maps: after.maps.map((value) => -value) }, { maps: before.maps }, spec.variant);
    disposeAll(network);
  }
});

/** Takes three steps, negates the maps after the first if asked, and returns losses and tensors. */
async function train(config: TrainConfig, negates: boolean): Promise<Values> {
  const optimizer = createOptimizer(config);
  const { trainable, fixed } = splitState(createNetwork(config, { seed: 1 }), config);
  const state: TrainState = { trainable, fixed, slots: createSlots(optimizer, trainable) };
  const stepper = createStepper({ settings: config, optimizer, state, compile: config.compile, keep: true });
  const losses: Values = {};
  for (let step = 0; step < 3; step++) {
    const batch = { images: randomTensor([4, 32, 32, 3], step), labels: tf.tensor1d([3, 7, 0, 9], "int32") };
    const rates = toRates(optimizer.rates(0.01, step + 1));
    const { loss, correct } = stepper.advance(batch, rates);
    Object.assign(losses, await readAll({ [`loss ${step}`]: loss, [`correct ${step}`]: correct }));
    disposeAll(rates, { ...batch });
    if (!negates || step > 0) continue;
    stepper.settle();
    negateMaps(state.trainable);
    negateMaps(state.slots);
    stepper.reload();
  }
  stepper.settle();
  stepper.dispose();
  return { ...losses, ...await readAll({ ...joinState(state), ...state.slots }) };
}

for (const variant of VARIANTS) {
  Deno.test(`a training goes on the same with its maps negated: ${variant}`, async () => {
    for (const optimizer of ["sgd", "adam"] as const) {
      for (const compile of variant === "dynamic" ? [false, true] : [optimizer === "adam"]) {
        const flags = { variant, optimizer, compile, clipNorm: 0.5, weightDecay: 0.01 };
        const config = resolveConfig({ flags });
        const [expected, actual] = [await train(config, false), await train(config, true)];
        const back = Object.fromEntries(
          Object.entries(actual).map(([name, values]) =>
            [name, ODD.test(name) && !name.endsWith(".v") ? values.map((value) => -value) : values] as const
          ),
        );
        assertSameValues(plus(back), plus(expected), `${optimizer}, compile ${compile}`);
        assert.notDeepEqual(actual["score_predictor.0.weight"], expected["score_predictor.0.weight"]);
      }
    }
  });
}

Deno.test("the sign is chosen such that the scores rise with the maps, once", async () => {
  const { train: dataset } = createSynthetic({ trainSize: 60, testSize: 0 });
  for (const variant of VARIANTS) {
    const config = resolveConfig({ flags: { variant, compile: false } });
    const answers: string[] = [];
    for (const starts of [1, -1]) {
      const state: TrainState = { ...splitState(createNetwork(config, { seed: 2 }), config), slots: {} };
      if (starts < 0) negateMaps(state.trainable);
      const { tensors } = countTensors();
      answers.push(`${await chooseSign(state, dataset, config)}`);
      assert.equal(await chooseSign(state, dataset, config), false, "a second choice changes nothing");
      assert.equal(countTensors().tensors, tensors);
      disposeAll(state.trainable, state.fixed);
    }
    assert.deepEqual(answers.sort(), ["false", "true"], variant);
  }
});

Deno.test("every epoch's checkpoint has the sign chosen, and tells so", async () => {
  using folder = temporaryFolder();
  for (const seed of [0, 1, 2]) {
    const { config } = await trainTiny(folder.path, { run: `seed${seed}`, seed, epochs: 1 });
    for (const file of ["best", "last"]) {
      const { progress, loadNetwork } = await openCheckpoint(
        join(folder.path, `seed${seed}`, `${file}.safetensors`),
      );
      assert.equal(progress.isSignChosen, true);
      const state: TrainState = { ...splitState(loadNetwork(), config), slots: {} };
      assert.equal(await chooseSign(state, TINY_DATASETS.train, config), false, `seed ${seed}, ${file}`);
    }
  }
});
