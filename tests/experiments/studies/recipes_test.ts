import assert from "node:assert/strict";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { pairRows, type RecipeRow, RECIPES_STUDY } from "../../../lib/experiments/studies/recipes.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../../lib/training/checkpoint.ts";
import { evaluate } from "../../../lib/training/evaluate.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { studyContext } from "../samples.ts";

await useNativeTensorFlow({ device: "cpu" });

const row = (change: string, seed: number, testAccuracy: number): RecipeRow => ({
  ...{ recipe: "fast", change, seed, epochs: 4, testAccuracy, mirrorAccuracy: testAccuracy + 0.01 },
});

Deno.test("a change is compared with its recipe seed by seed", () => {
  const rows = [row("", 0, 0.8), row("", 1, 0.82), row("shift 4", 0, 0.79), row("shift 4", 1, 0.8)];
  const pairs = pairRows([...rows, row("shift 4", 2, 0.1)], "fast", "shift 4");
  assert.deepEqual(pairs.map((difference) => difference.toFixed(3)), ["-0.010", "-0.020"]);
  const text = RECIPES_STUDY.format(rows);
  assert.match(text, /\| `fast` +\| +4 \| +2 \| +81\.00 ± 1\.41 \| +82\.00 ± 1\.41 \| +– \|/);
  assert.match(text, /`fast` with shift 4 +\| .* −1\.50 \[−7\.85, \+4\.85\] \|/);
});

Deno.test("best is trained with five seeds at most, as it takes longest", () => {
  const seeds = Array.from({ length: 10 }, (_, seed) => seed);
  const units = Map.groupBy(RECIPES_STUDY.units(seeds), ({ name }) => name.replace(/-seed.*/, ""));
  const count = (name: string) => units.get(name)?.length;
  assert.deepEqual([count("lab"), count("fast"), count("best")], [10, 10, 5]);
});

Deno.test("every recipe is trained, and fast once with each change", async () => {
  using temporary = temporaryFolder();
  const datasets = createSynthetic({ trainSize: 40, testSize: 20 });
  const context = await studyContext(temporary.path, datasets, {
    recipe: { data: "synthetic", weights: "random", compile: false },
  });
  const units = RECIPES_STUDY.units([3]);
  assert.equal(new Set(units.map(({ name }) => name)).size, units.length);
  assert.deepEqual(units.slice(-3).map(({ name }) => name), ["lab-seed3", "fast-seed3", "best-seed3"]);
  const [measured] = await RECIPES_STUDY.measure(units[0], context);
  const { config, loadNetwork } = await openCheckpoint(`${temporary.path}/${units[0].name}/last.safetensors`);
  assert.deepEqual([config.recipe, config.optimizer, config.seed], ["fast", "sgd", 3]);
  const tensors = loadNetwork();
  const { accuracy } = await evaluate(tensors, datasets.test, config);
  const { accuracy: mirrored } = await evaluate(tensors, datasets.test, { ...config, mirror: true });
  const { testAccuracy, mirrorAccuracy, change, epochs } = RECIPES_STUDY.row.parse(measured);
  assert.deepEqual([testAccuracy, mirrorAccuracy, epochs], [accuracy, mirrored, config.epochs]);
  assert.match(change, /^optimizer sgd, learningRate 0\.1$/);
});
