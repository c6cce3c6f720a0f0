import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { gradCam, integrateGradients, occludeCells } from "../../lib/analysis/attributions.ts";
import { makeBaseline, replaceCells } from "../../lib/analysis/deletion.ts";
import { explainImages, METHODS } from "../../lib/analysis/explain.ts";
import { contrastMaps } from "../../lib/analysis/evidence.ts";
import { createScorer, mapOf } from "../../lib/analysis/scorer.ts";
import { joinArrays } from "../../lib/support/arrays.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { dynamicConvolution } from "../../lib/model/dynamic_convolution.ts";
import { makeFilters } from "../../lib/model/filters.ts";
import { createForwardContext, featureMap, forward } from "../../lib/model/network.ts";
import { predictScores } from "../../lib/model/score_predictor.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const spec = networkSpec();
const tensors = createNetwork(spec, { seed: 3 });
const options = { ...spec, mode: "evaluate" } as const;
const images = randomTensor<tf.Tensor4D>([3, 32, 32, 3]);
const pixels = await images.data() as Float32Array;
const classes = [4, 0, 9];

Deno.test("Grad-CAM is the map times its mean slope, as its definition says", async () => {
  const context = createForwardContext(tensors, options);
  const v = featureMap(tensors, images, options);
  const maps = await forward(tensors, images, options).maps.data() as Float32Array;
  const own = joinArrays(classes.map((label, image) => mapOf(maps, image, label)));
  const chosen = tf.oneHot(classes, 10, 1, 0, "float32");
  const gradient = tf.grad((v) =>
    tf.sum(tf.mul(
      predictScores(context, dynamicConvolution(v as tf.Tensor4D, makeFilters(context, spec.variant))),
      chosen,
    ))
  )(v);
  const weights = tf.mean(gradient, [1, 2], true); // one per channel
  const expected = await tf.relu(tf.sum(tf.mul(weights, v), 3)).data();
  assert.ok(expected.some((value) => value > 0) && expected.includes(0));
  assertClose(await gradCam(tensors, spec, own), expected, 1e-6, "Grad-CAM");
});

Deno.test("integrated gradients sum to the difference of the leads of image and mean colour", async () => {
  const parts = await integrateGradients(tensors, spec, { images: pixels, classes, steps: 100 });
  const leads = async (values: Float32Array) => {
    const scores = await forward(tensors, tf.tensor4d(values, [3, 32, 32, 3]), options).scores
      .array() as number[][];
    return scores.map((row, image) => {
      const own = row[classes[image]];
      return own - (row.reduce((sum, score) => sum + score, 0) - own) / 9;
    });
  };
  const [whole, empty] = [await leads(pixels), await leads(makeBaseline(pixels))];
  whole.forEach((lead, image) => {
    const sum = parts.subarray(image * 64, image * 64 + 64).reduce((sum, value) => sum + value, 0);
    const expected = lead - empty[image];
    assert.ok(Math.abs(sum - expected) < 0.02 * Math.abs(expected) + 1e-3, `${sum} instead of ${expected}`);
  });
});

Deno.test("occlusion is the fall of each score without the cell", async () => {
  const score = async (values: Float32Array) =>
    await forward(tensors, tf.tensor4d(values, [3, 32, 32, 3]), options).scores.data() as Float32Array;
  const falls = await occludeCells(pixels, score);
  const without = await score(replaceCells(pixels, makeBaseline(pixels), [[20], [20], [20]], 1));
  const whole = await score(pixels);
  whole.forEach((value, at) => assert.ok(Math.abs(falls[at * 64 + 20] - (value - without[at])) < 1e-6));
});

Deno.test("every method explains every class asked for, in their order", async () => {
  const scorer = createScorer(tensors, spec);
  const fixed = Float32Array.from({ length: 64 }, (_, cell) => cell);
  const asked = [[4, 2], [0, 1], [9, 9]];
  const maps = await explainImages({ tensors, spec, scorer, images: pixels, classes: asked, fixed, seed: 0 });
  assert.deepEqual(Object.keys(maps).sort(), [...METHODS].sort());
  for (const all of Object.values(maps)) {
    assert.deepEqual(all.map((map) => map.length), new Array(6).fill(64));
  }
  const answer = await scorer.ask(pixels);
  assert.deepEqual(maps["map, bright first"][1], mapOf(answer.maps, 0, 2));
  assert.deepEqual(maps["map, dark first"][4], mapOf(answer.maps, 2, 9).map((value) => -value));
  assert.deepEqual(maps["map minus the other classes' mean"][3], mapOf(contrastMaps(answer.maps), 1, 1));
  const image = pixels.subarray(3072, 6144);
  const single = await integrateGradients(tensors, spec, { images: image, classes: [1] });
  assertClose(maps["integrated gradients"][3], single, 1e-5, "integrated gradients");
  for (
    const name of ["mean map of all classes", "evidence for the runner-up", "fixed order", "centre"] as const
  ) {
    assert.deepEqual(maps[name][0], maps[name][1]); // the same for all classes of an image
  }
  assert.notDeepEqual(maps.occlusion[0], maps.occlusion[1]);
  scorer.dispose();
});
