import assert from "node:assert/strict";
import { randomiseLayers } from "../../lib/analysis/randomise_layers.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";

await useNativeTensorFlow({ device: "cpu" });

Deno.test("layers are randomised from the scores down to the image, each tensor once", () => {
  for (const variant of ["dynamic", "static-per-class"] as const) {
    const spec = networkSpec({ variant });
    const tensors = createNetwork(spec, { seed: 1 });
    const stages = randomiseLayers(tensors, spec, 2);
    const changed = stages.map(({ tensors: after }) =>
      Object.keys(tensors).filter((name) => after[name] !== tensors[name])
    );
    assert.deepEqual(stages.map(({ part }) => part), [
      "predictor",
      "filters",
      "layer1.1",
      "layer1.0",
      "stem",
    ]);
    assert.ok(changed[0].every((name) => name.startsWith("score_predictor.")) && changed[0].length === 4);
    for (let at = 1; at < changed.length; at++) {
      assert.ok(changed[at].length > changed[at - 1].length);
      assert.ok(changed[at - 1].every((name) => changed[at].includes(name)));
    }
    assert.ok(!changed[1].some((name) => name.startsWith("backbone.")));
    assert.deepEqual(changed[4], Object.keys(tensors));
  }
});
