import assert from "node:assert/strict";
import { EXPERIMENTS, LISTS, selectExperiments } from "../../lib/experiments/experiments.ts";
import { parseSeeds, planRuns } from "../../lib/experiments/plan.ts";
import { InputError } from "../../lib/support/errors.ts";
import { checkResumable } from "../../lib/training/config.ts";

Deno.test("each list has known experiments, and variants and backbones include dynamic", () => {
  const known = EXPERIMENTS.map(({ name }) => name);
  for (const { experiments } of Object.values(LISTS)) {
    for (const name of experiments) assert.ok(known.includes(name), name);
    assert.equal(experiments[0], "dynamic");
  }
  assert.deepEqual([...LISTS.all.experiments].sort(), known.toSorted());
});

Deno.test("lists and experiments are combined without duplicates, in table order", () => {
  const names = (asked: string[]) => selectExperiments(asked).experiments.map(({ name }) => name);
  assert.deepEqual(names(["bn-only", "variants", "dynamic"]), [...LISTS.variants.experiments, "bn-only"]);
  assert.deepEqual(names([]), names(["variants", "backbones"]));
});

Deno.test("an unknown name is refused with a suggestion", () => {
  assert.throws(() => selectExperiments(["variant"]), {
    name: "InputError",
    message: "Cannot compare variant: there is no such list or experiment.",
    next: [{ advice: "perhaps you mean variants" }],
  });
  assert.throws(() => selectExperiments(["toString"]), InputError);
});

Deno.test("quick cannot be combined, and has its own data, recipe and folder", () => {
  assert.throws(() => selectExperiments(["quick", "variants"]), InputError);
  const { defaults, folder } = selectExperiments(["quick"]);
  assert.equal(defaults.data, "synthetic");
  assert.notEqual(folder, selectExperiments(["all"]).folder);
});

Deno.test("seeds are read as a count, a list, or a range", () => {
  assert.deepEqual(parseSeeds("4"), [0, 1, 2, 3]);
  assert.deepEqual(parseSeeds("7,0"), [7, 0]);
  assert.deepEqual(parseSeeds("5-5"), [5]);
  assert.deepEqual(parseSeeds("0,3-5"), [0, 3, 4, 5]);
});

for (
  const text of ["0", "", "a", "1,", "-1", "3-1", "1,1", "0-2,2", "1.5", "4294967296-4294967296", "0-9999999"]
) {
  Deno.test(`the seeds ${JSON.stringify(text)} are refused`, () => {
    assert.throws(() => parseSeeds(text), InputError);
  });
}

Deno.test("runs are planned seed by seed, so that finished ones can be paired", () => {
  const { experiments } = selectExperiments(["dynamic", "frozen-3x3"]);
  const runs = planRuns({ experiments, seeds: [3, 1] });
  assert.deepEqual(runs.map(({ config }) => config.run), [
    "dynamic-seed3",
    "frozen-3x3-seed3",
    "dynamic-seed1",
    "frozen-3x3-seed1",
  ]);
  const { config } = runs[1];
  assert.deepEqual([config.seed, config.variant, config.backbone, config.adapter], [
    3,
    "dynamic",
    "frozen",
    "3x3",
  ]);
});

Deno.test("the recipe comes from list, file and flags; later ones override", () => {
  const { experiments } = selectExperiments(["dynamic"]);
  const defaults = { epochs: 2, batchSize: 32, subset: 640 };
  const file = { path: "recipe.json", values: { batchSize: 64, epochs: 3 } };
  const [{ config }] = planRuns({ experiments, seeds: [0], defaults, file, flags: { epochs: 4 } });
  assert.deepEqual([config.epochs, config.batchSize, config.subset], [4, 64, 640]);
});

Deno.test("a run's config.json gives the recipe, without its network, seed and name", () => {
  const { experiments } = selectExperiments(["static-per-class"]);
  const values = {
    run: "mine",
    seed: 9,
    variant: "dynamic",
    backbone: "frozen",
    validation: 100,
    learningRate: 0.01,
  };
  const [{ config }] = planRuns({ experiments, seeds: [0], file: { path: "config.json", values } });
  assert.deepEqual(
    [config.run, config.seed, config.variant, config.backbone, config.validation, config.learningRate],
    ["static-per-class-seed0", 0, "static-per-class", "trainable", 0, 0.01],
  );
});

Deno.test("planning twice gives the same runs, so that they can be resumed", () => {
  const { experiments, defaults } = selectExperiments(["quick"]);
  const plan = () => planRuns({ experiments, seeds: [0], defaults });
  plan().forEach(({ config }, index) => assert.deepEqual(checkResumable(plan()[index].config, config), []));
});
