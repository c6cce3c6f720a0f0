import assert from "node:assert/strict";
import { findPolarity, orient, scoreGradients, weighMaps } from "../../lib/analysis/evidence.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { createPass, forward } from "../../lib/model/network.ts";
import { predictScores } from "../../lib/model/score_predictor.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/native.ts";
import * as tf from "../../lib/tensorflow/tf.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const spec = networkSpec();
const network = createNetwork(spec, { seed: 3 });

Deno.test("filters and predictor can change their signs together: maps are negated, scores are not", async () => {
  const negated = { ...network };
  for (
    const name of ["weights_generator.2.weight", "weights_generator.2.bias", "score_predictor.0.weight"]
  ) {
    negated[name] = tf.neg(network[name]);
  }
  const images = randomTensor([2, 32, 32, 3]);
  const [one, other] = [network, negated].map((tensors) =>
    forward(tensors, images, { ...spec, mode: "evaluate" })
  );
  assertClose(await other.scores.data(), await one.scores.data(), 1e-6, "scores");
  assertClose(await tf.neg(other.maps).data(), await one.maps.data(), 1e-6, "maps");
  // … and the polarity that is found changes with them
  const polarities = [];
  for (const [tensors, { maps }] of [[network, one], [negated, other]] as const) {
    const gradients = await scoreGradients(tensors, spec, await maps.data() as Float32Array);
    polarities.push(findPolarity(gradients, [4, 7]));
  }
  assert.equal(polarities[0].sign, -polarities[1].sign);
  assert.ok(Math.abs(polarities[0].agreement - polarities[1].agreement) < 1e-9);
});

Deno.test("a score's gradient is how much it rises with its own map, batch by batch", async () => {
  const images = 260; // more than one batch
  const maps = randomTensor<tf.Tensor4D>([images, 10, 8, 8], 5);
  const gradients = await scoreGradients(network, spec, await maps.data() as Float32Array);
  const step = 1e-2;
  const nudge = new Float32Array(maps.size);
  for (const image of [0, 255]) nudge[((image * 10 + 6) * 64) + 20] = step;
  const pass = createPass(network, { ...spec, mode: "evaluate" });
  const [before, after] = [maps, tf.add<tf.Tensor4D>(maps, tf.tensor(nudge, maps.shape))]
    .map((maps) => predictScores(pass, maps).dataSync());
  for (const image of [0, 255]) {
    const slope = (after[image * 10 + 6] - before[image * 10 + 6]) / step;
    assert.ok(Math.abs(slope - gradients[(image * 10 + 6) * 64 + 20]) < 2e-3, `image ${image}`);
  }
});

Deno.test("classes that share a map have no gradients of their own", async () => {
  const shared = networkSpec({ variant: "static-ten-way" });
  await assert.rejects(scoreGradients(createNetwork(shared), shared, new Float32Array(64)), /static-ten-way/);
});

Deno.test("the polarity is the sign of most gradients of the image's own class", () => {
  const gradients = new Float32Array(640).fill(1);
  gradients.fill(-1, 3 * 64, 3 * 64 + 48);
  assert.deepEqual(findPolarity(gradients, [3]), { sign: -1, agreement: 0.75 });
  assert.deepEqual(findPolarity(gradients, [2]), { sign: 1, agreement: 1 });
});

Deno.test("oriented maps are high where the class is; weighed ones hold response × gradient", () => {
  assert.deepEqual(orient(Float32Array.of(1, -2, 0), { sign: -1 }), Float32Array.of(-1, 2, 0));
  assert.deepEqual(orient(Float32Array.of(1, -2), { sign: 1 }), Float32Array.of(1, -2));
  assert.deepEqual(weighMaps(Float32Array.of(2, -3), Float32Array.of(-1, 4)), Float32Array.of(-2, -12));
});
