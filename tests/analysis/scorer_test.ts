import assert from "node:assert/strict";
import { createScorer, mapOf } from "../../lib/analysis/scorer.ts";
import { joinArrays } from "../../lib/support/arrays.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { forward } from "../../lib/model/network.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("a scorer gives the network's outputs for any batch size", async () => {
  const images = randomTensor([5, 32, 32, 3], 3);
  const cases = [["dynamic", 10, true], ["static-shared", 1, true], ["dynamic", 10, false]] as const;
  for (const [variant, filters, compile] of cases) {
    const spec = networkSpec({ variant });
    const network = createNetwork(spec, { seed: 2 });
    const expected = forward(network, images, { ...spec, mode: "evaluate" });
    const scorer = createScorer(network, { ...spec, batchSize: 2, compile });
    const { scores, maps } = await scorer.ask(await images.data() as Float32Array);
    assertClose(scores, await expected.scores.data(), 1e-5, "scores");
    assertClose(maps, await expected.maps.data(), 1e-5, "maps");
    const [image, label] = [4, 7];
    const map = (await expected.maps.array())[image][label % filters].flat();
    assertClose(mapOf(maps, image, label, filters), map, 1e-5, "map");
    scorer.dispose();
  }
});

Deno.test("arrays are concatenated in order", () => {
  assert.deepEqual(
    joinArrays([Float32Array.of(1, 2), Float32Array.of(), Float32Array.of(3)]),
    Float32Array.of(1, 2, 3),
  );
});
