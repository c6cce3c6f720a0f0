import assert from "node:assert/strict";
import { blendClasses } from "../../lib/analysis/blend.ts";
import { createScorer, mapOf } from "../../lib/analysis/scorer.ts";
import { nameNetwork } from "../../lib/training/config.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { countTensors, randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const images = await randomTensor([3, 32, 32, 3], 2).data() as Float32Array;

for (
  const spec of [
    networkSpec(),
    networkSpec({ variant: "dynamic-names" }),
    networkSpec({ backbone: "frozen", adapter: "3x3" }),
  ]
) {
  Deno.test(`blends start and end at the two classes' own filters (${nameNetwork(spec)})`, async () => {
    const network = createNetwork(spec, { seed: 4 });
    const blends = await blendClasses(network, spec, { from: 2, to: 6, shares: [0, 0.5, 1], images });
    const scorer = createScorer(network, { ...spec, compile: false });
    const { scores, maps } = await scorer.ask(images);
    for (const [blend, label] of [[0, 2], [2, 6]]) {
      for (let image = 0; image < 3; image++) {
        const name = `image ${image}, class ${label}`;
        assertClose(mapOf(blends.maps, image, blend, 3), mapOf(maps, image, label), 1e-5, name);
        assert.ok(Math.abs(blends.scores[image][blend] - scores[image * 10 + label]) < 1e-5, name);
      }
    }
    const [first, middle, last] = blends.cosines;
    assert.ok(Math.abs(first.from - 1) < 1e-5 && Math.abs(last.to - 1) < 1e-5);
    assert.ok(middle.from > first.to && middle.from < 1 && middle.to > first.to);
    assert.ok(Math.abs(blends.straight[0] - 1) < 1e-5 && blends.straight[1] < 1);
    assert.ok(blends.filters.every((filter) => Math.abs(Math.hypot(...filter) - 1) < 1e-5));
  });
}

Deno.test("blending leaks no tensor and requires embeddings", async () => {
  const spec = networkSpec();
  const network = createNetwork(spec);
  const before = countTensors().tensors;
  await blendClasses(network, spec, { from: 0, to: 1, shares: [0.5], images });
  assert.equal(countTensors().tensors, before);
  const stored = networkSpec({ variant: "static-per-class" });
  await assert.rejects(blendClasses(network, stored, { from: 0, to: 1, shares: [1], images }), RangeError);
});
