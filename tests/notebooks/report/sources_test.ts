import assert from "node:assert/strict";
import type { ModelFacts } from "../../../notebooks/cells/model_facts.ts";
import { describeSources, findSources } from "../../../notebooks/report/sources.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";
import { code, markdown, notebook } from "./sample.ts";

const MODEL: ModelFacts = {
  ...{ name: "run mine", variant: "dynamic", seed: 4, epoch: 11, epochs: 12, accuracy: 0.8031 },
  ...{ chosenOn: "held-out", data: "CIFAR-10" },
};
const showing = (name: string, model: ModelFacts) =>
  notebook(name, code("openModel();", [markdown("Model", { kind: "model", ...model })]));

Deno.test("a report names the runs that its numbers come from", async () => {
  const results = [
    await experimentResult("dynamic", [seedResult(0, [0.5, 0.8]), seedResult(1, [0.5, 0.8])]),
    await experimentResult("frozen", [seedResult(0, [0.5, 0.6])]),
  ];
  const notebooks = [showing("02_train", MODEL), notebook("03_none"), showing("05_maps", MODEL)];
  assert.equal(
    describeSources(findSources(notebooks, results)),
    "Comparisons are of this project's published runs: 2 experiments, n = 1 to 2 seeds each, trained 2026-01-01 to " +
      "2026-01-02 on CIFAR-10. Maps and single predictions (notebooks 2 and 5) are of run mine: dynamic, epoch 11 of 12, " +
      "seed 4, 80.3\u00a0% of the held-out images correct; data CIFAR-10.",
  );
  const mixed = findSources([...notebooks, showing("04_frozen", { ...MODEL, name: "a stand-in" })], []);
  assert.deepEqual(mixed.models.map(({ model, notebooks }) => [model.name, notebooks]), [
    ["run mine", [2, 5]],
    ["a stand-in", [4]],
  ]);
  assert.match(
    describeSources(mixed),
    /^There are no results of a comparison\. .*\(notebook 4\) are of a stand-in/,
  );
});
