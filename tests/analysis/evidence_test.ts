import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import {
  averageMaps,
  contrastMaps,
  measureEvidence,
  scoreSlopes,
  summariseSlopes,
  weighMaps,
} from "../../lib/analysis/evidence.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { negateMaps } from "../../lib/model/map_sign.ts";
import { createForwardContext, forward } from "../../lib/model/network.ts";
import { predictScores } from "../../lib/model/score_predictor.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const spec = networkSpec();
const network = createNetwork(spec, { seed: 3 });

Deno.test("flipping the signs of filters and predictor negates maps and keeps scores and evidence", async () => {
  const negated = createNetwork(spec, { seed: 3 });
  negateMaps(negated);
  const images = randomTensor([2, 32, 32, 3]);
  const [one, other] = [network, negated].map((tensors) =>
    forward(tensors, images, { ...spec, mode: "evaluate" })
  );
  assertClose(await other.scores.data(), await one.scores.data(), 1e-6, "scores");
  assertClose(await tf.neg(other.maps).data(), await one.maps.data(), 1e-6, "maps");
  const [maps, flipped] = [await one.maps.data(), await other.maps.data()] as [Float32Array, Float32Array];
  assertClose(
    await measureEvidence(negated, spec, flipped),
    await measureEvidence(network, spec, maps),
    1e-5,
    "evidence",
  );
  const [up, down] = [
    summariseSlopes(await scoreSlopes(network, spec, maps)),
    summariseSlopes(await scoreSlopes(negated, spec, flipped)),
  ];
  assert.ok(Math.abs(up.rising + down.rising - 1) < 0.01);
});

Deno.test("slopes are the gradient of the score by the map, for any batch size", async () => {
  const count = 2600; // more than one batch
  const maps = randomTensor<tf.Tensor4D>([count, 1, 8, 8], 5);
  const slopes = await scoreSlopes(network, spec, await maps.data() as Float32Array);
  assert.equal(slopes.length, count * 64);
  const step = 1e-2;
  const nudge = new Float32Array(maps.size);
  for (const map of [0, 2555]) nudge[map * 64 + 20] = step;
  const context = createForwardContext(network, { ...spec, mode: "evaluate" });
  const [before, after] = [maps, tf.add<tf.Tensor4D>(maps, tf.tensor(nudge, maps.shape))]
    .map((maps) => predictScores(context, maps).dataSync());
  for (const map of [0, 2555]) {
    const rise = (after[map * 10] - before[map * 10]) / step;
    assert.ok(Math.abs(rise - slopes[map * 64 + 20]) < 2e-3, `map ${map}`);
  }
});

Deno.test("a cell's contribution is response times slope", async () => {
  const maps = await randomTensor([3, 64], 6).data() as Float32Array;
  const slopes = await scoreSlopes(network, spec, maps);
  assert.deepEqual(await weighMaps(network, spec, maps), maps.map((value, index) => value * slopes[index]));
});

Deno.test("a contrast cancels a term common to all maps of an image", async () => {
  const maps = new Float32Array(2 * 640);
  maps[640 + 3 * 64 + 7] = 9; // second image, class 3, cell 7
  const contrast = contrastMaps(maps);
  assert.ok(contrast.subarray(0, 640).every((value) => value === 0));
  assert.deepEqual([3, 0, 9].map((label) => contrast[640 + label * 64 + 7]), [9, -1, -1]);
  assert.equal(contrast.filter((value) => value !== 0).length, 10);
  const noise = await randomTensor([2, 10, 64], 7).data() as Float32Array;
  const common = await randomTensor([64], 8).data();
  const moved = contrastMaps(noise.map((value, at) => value + common[at % 64]));
  assertClose(moved, contrastMaps(noise), 1e-5, "contrast");
});

Deno.test("slopes of a shared map are refused", async () => {
  const shared = networkSpec({ variant: "static-ten-way" });
  await assert.rejects(scoreSlopes(createNetwork(shared), shared, new Float32Array(64)), /static-ten-way/);
});

Deno.test("slopes are summarised by cell and by sign", () => {
  const slopes = new Float32Array(2 * 64).fill(-1);
  slopes.fill(3, 0, 32);
  const { mean, rising } = summariseSlopes(slopes);
  assert.equal(rising, 0.25);
  assert.deepEqual([mean[0], mean[31], mean[32]], [1, 1, -1]);
  assert.deepEqual([...averageMaps(slopes)], [...mean]);
});
