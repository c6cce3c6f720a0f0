import assert from "node:assert/strict";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import {
  bestFit,
  type FitNetwork,
  type FitRow,
  FROZEN_FIT,
  RATES,
  splitLoss,
} from "../../../lib/experiments/studies/frozen_fit.ts";
import type { MeanInterval } from "../../../lib/support/statistics.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../../lib/training/checkpoint.ts";
import { evaluate } from "../../../lib/training/evaluate.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { studyContext } from "../samples.ts";

await useNativeTensorFlow({ device: "cpu" });

const row = (
  network: FitNetwork,
  seed: number,
  testAccuracy: number,
  more: Partial<FitRow> = {},
): FitRow => ({
  ...{ network, seed, learningRate: 0.05, epochs: 12, trainAccuracy: testAccuracy, testAccuracy },
  ...more,
});
const PROBE = { learningRate: 0, epochs: 0 };
const ROWS = [0, 1, 2].flatMap((seed) => [
  row("dynamic", seed, 0.8 + seed / 100),
  row("frozen", seed, 0.57 - seed / 100),
  row("frozen", seed, 0.59, { epochs: 50, learningRate: 0.1 }),
  row("probe-dynamic", seed, 0.79 + seed / 50, PROBE),
]);

Deno.test("the parts of the loss add up to it, over the same seeds, and their intervals are Student's t", () => {
  const budget = splitLoss([...ROWS, row("dynamic", 9, 0.9), row("probe-frozen", 0, 0.7, PROBE)]);
  const { whole, beyond, features, head } = budget;
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);
  near(whole.mean, 0.25);
  near(beyond.mean, 0);
  near(features.mean, 0.11);
  near(head.mean, 0.14);
  near(beyond.mean + features.mean + head.mean, whole.mean);
  assert.deepEqual(Object.values(budget).map(({ n }: MeanInterval) => n), [3, 3, 3, 3]);
  // values 9, 11, 13 points: mean 11, s = 2, t(2) = 4.3027
  near(features.interval![0], 0.11 - 0.02 * 4.302652729749464 / Math.sqrt(3));
  assert.ok(Number.isNaN(splitLoss(ROWS).whole.mean), "without the frozen probe nothing is known");
});

Deno.test("the best fit is chosen on the training images, over its seeds", () => {
  const tempting = row("frozen", 0, 0.3, { learningRate: 0.2, testAccuracy: 0.9 });
  const best = bestFit([tempting, ...ROWS], "frozen");
  assert.deepEqual([best.learningRate, best.epochs, best.train.n], [0.1, 50, 3]);
  assert.ok(Number.isNaN(bestFit([], "frozen").train.mean));
  assert.match(
    FROZEN_FIT.format([...ROWS, row("probe-frozen", 0, 0.7, PROBE)]),
    /`frozen` +\| +0\.1 \| +50 \| +59\.0 ± 0\.0 \(n = 3\)/,
  );
});

Deno.test("a head is trained at every rate, then long at the one that fits its training images best", async () => {
  using temporary = temporaryFolder();
  const datasets = createSynthetic({ trainSize: 60, testSize: 20 });
  const context = await studyContext(temporary.path, datasets, {
    recipe: { epochs: 1, batchSize: 30, data: "synthetic", weights: "random", compile: false },
  });
  const units = FROZEN_FIT.units([4]);
  assert.deepEqual(units.map(({ name }) => name).slice(0, 2), ["seed4", "frozen-rates-4"]);
  const rows = await FROZEN_FIT.measure(units[1], context);
  for (const each of rows) FROZEN_FIT.row.parse(each);
  const [sweep, long] = [
    rows.filter(({ epochs }) => epochs === 1),
    rows.filter(({ epochs }) => epochs === 4),
  ];
  assert.deepEqual(sweep.map(({ learningRate }) => learningRate), RATES.filter((rate) => rate !== 0.05));
  assert.equal(long.length, 2);
  const [first] = sweep;
  const run = `${first.network}-rate${first.learningRate}-epochs1-seed4`;
  const { loadNetwork, config } = await openCheckpoint(`${temporary.path}/${run}/last.safetensors`);
  assert.deepEqual([config.backbone, config.variant, config.seed], ["frozen", "dynamic", 4]);
  const { accuracy } = await evaluate(loadNetwork(), datasets.train, config);
  assert.equal(first.trainAccuracy, accuracy);
  const seed = await FROZEN_FIT.measure(units[0], context);
  const networks = [
    "frozen",
    "frozen-static-per-class",
    "frozen-static-ten-way",
    "frozen-1x1",
    "frozen-3x3",
    "dynamic",
  ];
  assert.deepEqual(seed.map(({ network }) => network), [...networks, "probe-dynamic"]);
  const recipe = seed[0];
  const best = [...sweep, recipe].reduce((one, other) =>
    other.trainAccuracy > one.trainAccuracy ? other : one
  );
  assert.equal(long[0].learningRate, best.learningRate);
});
