import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { backboneFeatures, featureMap, forward } from "../../lib/model/network.ts";
import { filterCount } from "../../lib/model/spec.ts";
import { computeGradients, type StepSettings } from "../../lib/training/train_step.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { ADAPTERS, BACKBONES, networkSpec, VARIANTS } from "../testing/networks.ts";
import { assertClose, initialState, oracleBatch, readOracle, values } from "../testing/oracle.ts";
import { assertAllClose, randomTensor, readAll } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

for (const variant of VARIANTS) {
  const spec = networkSpec({ variant });

  Deno.test(`${variant} has filters of length 1`, async () => {
    const { filters } = forward(initialState(spec), oracleBatch().images, { ...spec, mode: "evaluate" });
    const lengths = await tf.norm(filters, 2, 1).data();
    assertClose(lengths, new Array(filterCount(variant)).fill(1), 1e-6, "length");
  });

  Deno.test(`${variant}'s response maps are its filters' dot products with the feature map, divided by 8`, async () => {
    const [tensors, { images }] = [initialState(spec), oracleBatch()];
    const { maps, filters } = forward(tensors, images, { ...spec, mode: "evaluate" });
    const v = featureMap(tensors, images, { ...spec, mode: "evaluate" });
    const [B, K] = [8, filterCount(variant)];
    assert.deepEqual([v.shape, maps.shape, filters.shape], [[B, 8, 8, 64], [B, K, 8, 8], [K, 64]]);
    const [seen, features, weights] = [await maps.array(), await v.array(), await filters.array()];
    for (const [b, k, y, x] of [[0, 0, 0, 0], [7, K - 1, 7, 7], [3, K >> 1, 2, 5]]) {
      const product = features[b][y][x].reduce((sum, value, c) => sum + value * weights[k][c], 0);
      assertClose([seen[b][k][y][x]], [product / 8], 1e-5, `maps[${b},${k},${y},${x}]`);
    }
  });
}

for (const variant of ["dynamic", "dynamic-names", "static-per-class"] as const) {
  for (const winograd of [true, false]) {
    const how = winograd ? "with Winograd" : "directly";
    Deno.test(`${variant}'s loop over classes gives the same scores, maps and gradients as the matrix product, ${how}`, async () => {
      const spec = networkSpec({ variant });
      const tensors = initialState(spec);
      const run = async (classLoop: boolean) => {
        const settings: StepSettings = { ...spec, winograd, classLoop, labelSmoothing: 0, clipNorm: null };
        const { scores, maps } = forward(tensors, oracleBatch().images, { ...settings, mode: "train" });
        const { gradients, loss } = computeGradients(settings, splitState(tensors, spec), oracleBatch());
        return await readAll({ scores, maps, loss, ...gradients });
      };
      assertAllClose(await run(true), await run(false), 1e-5);
    });
  }
}

Deno.test("static-shared gives all ten classes the same score", async () => {
  const spec = networkSpec({ variant: "static-shared" });
  const { scores } = forward(initialState(spec), oracleBatch().images, { ...spec, mode: "train" });
  for (const row of await scores.array()) assert.deepEqual(row, new Array(10).fill(row[0]));
});

Deno.test("static-shared's loss is ln 10 and its gradients are 0, whatever its weights", async () => {
  const spec = networkSpec({ variant: "static-shared" });
  const settings = { ...spec, labelSmoothing: 0, clipNorm: null };
  const { gradients, loss } = computeGradients(settings, splitState(initialState(spec), spec), oracleBatch());
  assertClose(await loss.data(), [Math.log(10)], 1e-6, "loss");
  for (const [name, values] of Object.entries(await readAll(gradients))) {
    assert.ok(values.every((value) => Math.abs(value) < 1e-6), name);
  }
});

Deno.test("in evaluation, an image's scores do not depend on its batch", async () => {
  const spec = networkSpec({ adapter: "3x3" });
  const tensors = initialState(spec);
  const { images } = oracleBatch();
  const together = await forward(tensors, images, { ...spec, mode: "evaluate" }).scores.array();
  for (const index of [0, 5]) {
    const alone = tf.slice(images, [index, 0, 0, 0], [1, 32, 32, 3]);
    const { scores } = forward(tensors, alone, { ...spec, mode: "evaluate" });
    assertClose(await scores.data(), together[index], 1e-5, "scores");
  }
});

Deno.test("the feature map equals PyTorch's", async () => {
  const spec = networkSpec();
  const v = featureMap(initialState(spec), oracleBatch().images, { ...spec, mode: "evaluate" });
  assertClose(await v.data(), values(readOracle("case_dynamic"), "eval.features"), 1e-5, "features");
});

for (const adapter of ADAPTERS) {
  for (const winograd of [true, false]) {
    Deno.test(`cached backbone features give the scores of their images, with adapter ${adapter} and Winograd ${winograd}`, async () => {
      const spec = networkSpec({ backbone: "frozen", adapter });
      const [tensors, { images }] = [initialState(spec), oracleBatch()];
      for (const mode of ["evaluate", "train"] as const) {
        const options = { ...spec, winograd, mode };
        const features = backboneFeatures(tensors, images, { ...options, mode: "evaluate" });
        assert.deepEqual(features.shape, [8, 8, 8, 64]);
        const { scores } = forward(tensors, features, { ...options, input: "features" });
        assertClose(
          await scores.data(),
          await forward(tensors, images, options).scores.data(),
          1e-6,
          "scores",
        );
      }
    });
  }
}

for (const backbone of BACKBONES) {
  Deno.test(`a training pass updates only the running statistics that mode ${backbone} trains`, () => {
    const spec = networkSpec({ backbone, adapter: "1x1" });
    const { statistics } = forward(initialState(spec), oracleBatch().images, { ...spec, mode: "train" });
    const ofBackbone = Object.keys(statistics).filter((name) => name.startsWith("backbone."));
    assert.equal(ofBackbone.length, backbone === "frozen" ? 0 : 10); // five norms, mean and variance
    assert.deepEqual(
      Object.keys(statistics).filter((name) => !name.startsWith("backbone.")),
      ["adapter.1.running_mean", "adapter.1.running_var"],
    );
    assert.deepEqual(
      forward(initialState(spec), oracleBatch().images, { ...spec, mode: "evaluate" }).statistics,
      {},
    );
  });
}

for (const batch of [1, 3]) {
  Deno.test(`a batch of ${batch} has the documented shapes in every variant`, () => {
    for (const variant of VARIANTS) {
      const spec = networkSpec({ variant, adapter: "3x3" });
      const { scores, maps, filters } = forward(createNetwork(spec), randomTensor([batch, 32, 32, 3]), {
        ...spec,
        mode: "train",
      });
      const K = filterCount(variant);
      assert.deepEqual([scores.shape, maps.shape, filters.shape], [[batch, 10], [batch, K, 8, 8], [K, 64]]);
    }
  });
}

Deno.test("a network of four classes has four scores from its tensors alone, static-shared by its spec", async () => {
  for (const variant of VARIANTS) {
    const spec = { ...networkSpec({ variant }), classes: 4 };
    const tensors = createNetwork(spec, { classNames: CLASS_NAMES.slice(0, 4) });
    const given = variant === "static-shared" ? spec : networkSpec({ variant });
    const { scores, maps } = forward(tensors, oracleBatch().images, { ...given, mode: "evaluate" });
    assert.deepEqual([scores.shape, maps.shape], [[8, 4], [8, filterCount(variant, 4), 8, 8]]);
    const embeddings = tensors["class_embeddings.weight"];
    if (embeddings === undefined) continue;
    const ten = createNetwork(networkSpec({ variant }))["class_embeddings.weight"]; // the first four are the same
    assert.deepEqual(await embeddings.data(), (await ten.data()).slice(0, 4 * 128));
  }
});
