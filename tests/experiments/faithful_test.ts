import assert from "node:assert/strict";
import { join } from "@std/path";
import { METHODS } from "../../lib/analysis/explain.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { measureLayers, measureOrders } from "../../lib/experiments/faithfulness.ts";
import { compareOrders, FAITHFUL, type FaithfulRow } from "../../lib/experiments/studies/faithful.ts";
import { removePixels, ROAR } from "../../lib/experiments/studies/roar.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { directionOf } from "../../lib/support/statistics.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { networkSpec } from "../testing/networks.ts";
import { studyContext } from "./samples.ts";

await useNativeTensorFlow({ device: "cpu" });

const datasets = createSynthetic({ trainSize: 40, testSize: 20 });

Deno.test("a network's orders and layers are measured, and fit the schema of a row", async () => {
  const spec = networkSpec();
  const options = { tensors: createNetwork(spec, { seed: 1 }), spec, datasets, seed: 3, images: 20 };
  const [orders, layers] = [await measureOrders(options), await measureLayers(options)];
  assert.deepEqual(orders.map(({ method }) => method), [...METHODS, "random pixels"]);
  const of = (name: string) => orders.find(({ method }) => method === name)!;
  const [bright, dark] = [of("map, bright first"), of("map, dark first")];
  // dark first is bright first reversed, so removing by one is inserting by the other, read backwards
  assert.ok(Math.abs(bright.deletion! - dark.insertion!) < 1e-6);
  for (const name of ["fixed order", "centre", "mean map of all classes"]) {
    assert.equal(of(name).pointing, 0.25);
  }
  assert.deepEqual(layers.map(({ change }) => change), [
    ...["predictor", "filters", "layer1.1", "layer1.0", "stem"],
    "another image",
  ]);
  assert.deepEqual(layers[0].map, [1, 1]); // the predictor comes after the map
  assert.ok(layers.slice(1).every(({ map }) => Math.abs(map[0]) < 0.99));
  for (const row of [...orders, ...layers]) FAITHFUL.row.parse({ network: "dynamic", seed: 3, ...row });
});

/** Two seeds of two orders and the controls; `gain` is what the evidence's areas are better by. */
function makeRows(gain: number): FaithfulRow[] {
  return [0, 1, 2].flatMap((seed) =>
    [...METHODS, "random pixels" as const].map((method): FaithfulRow => {
      const isEvidence = method === "evidence", area = 0.3 + 0.05 * seed;
      return {
        network: "dynamic",
        seed,
        method,
        deletion: method === "random pixels" ? null : area - (isEvidence ? gain + 0.001 * seed : 0),
        insertion: method === "random pixels" ? null : area,
        pointing: method === "random pixels" ? null : isEvidence ? 0.5 + 0.01 * seed : 0.25,
        road: [0.6, 0.4, isEvidence ? 0.1 : 0.2],
      };
    })
  );
}

Deno.test("orders are compared with their controls in pairs of one seed", () => {
  const rows = makeRows(0.1);
  const { value, difference } = compareOrders(rows, { method: "evidence", measure: "deletion" });
  assert.deepEqual([value.n, difference.n], [3, 3]);
  assert.ok(Math.abs(difference.mean + 0.101) < 1e-9);
  assert.ok(difference.deviation < 0.0011); // that of the pairs, not of the seeds
  assert.equal(directionOf(difference), -1);
  const mean = (measure: "pointing" | "road", control?: "random") =>
    compareOrders(rows, { method: "evidence", measure, control }).difference.mean;
  assert.ok(Math.abs(mean("pointing") - 0.26) < 1e-9);
  assert.ok(Math.abs(mean("pointing", "random") - 0.26) < 1e-9);
  assert.ok(Math.abs(mean("road") + 0.1 / 3) < 1e-9);
  for (
    const missing of [
      compareOrders([], { method: "evidence", measure: "deletion" }),
      compareOrders(rows, { method: "evidence", measure: "deletion", network: "static-per-class" }),
      compareOrders(rows, { method: "random pixels", measure: "pointing" }),
    ]
  ) assert.ok(Number.isNaN(missing.difference.mean) && missing.value.n === 0);
});

Deno.test("the text says which orders beat one that never saw the image, and which do not", () => {
  const text = FAITHFUL.format(makeRows(0.1));
  assert.match(text, /Better than this fixed order: in deletion evidence; in insertion none\./);
  assert.match(
    text,
    /In deletion the evidence beats it \(−0\.101 .*; in insertion the evidence is not shown to differ/,
  );
  assert.match(text, /Pointing more often than chance, best first: evidence\./);
  assert.match(
    FAITHFUL.format(makeRows(-0.1)),
    /evidence loses to it.*\n- Better.*\n- Worse: in deletion evidence; in insertion none\./,
  );
});

Deno.test("ROAR removes the same pixels of all images where the order is fixed, and trains without them", async () => {
  using temporary = temporaryFolder();
  const context = await studyContext(join(temporary.path, "roar"), datasets, {
    comparisonFolder: join(temporary.path, "compare"),
  });
  const removed = async (order: "evidence" | "centre" | "random pixels") => {
    const { train, test } = await removePixels(context, { order, fraction: 0.5, seed: 0 });
    assert.deepEqual([train.labels, test.labels], [datasets.train.labels, datasets.test.labels]);
    const colour = [0, 1, 2].map((channel) => test.images[3 * (16 * 32 + 16) + channel]);
    return { images: train.images, colour };
  };
  const { images, colour } = await removed("centre");
  const isGone = (image: number) =>
    Array.from({ length: 1024 }, (_, pixel) => {
      const at = 3072 * image + 3 * pixel;
      return colour.every((value, channel) => images[at + channel] === value) ? 1 : 0;
    });
  assert.ok([0, 1, 39].every((image) => isGone(image)[16 * 32 + 16] === 1 && isGone(image)[0] === 0));
  assert.ok([0, 1, 39].every((image) => isGone(image).reduce<number>((sum, gone) => sum + gone, 0) >= 512));
  assert.notDeepEqual((await removed("evidence")).images, images);
  assert.notDeepEqual((await removed("random pixels")).images, images);

  const unit = ROAR.units([0]).find(({ order }) => order === "fixed order")!;
  const [row] = await ROAR.measure(unit, context);
  ROAR.row.parse(row);
  assert.deepEqual([row.order, row.fraction, row.seed], ["fixed order", 0.5, 0]);
  const rows = ROAR.units([0, 1]).map(({ order, fraction, seed }) => ({
    order,
    fraction,
    seed,
    accuracy: 0.5 + seed / 10,
  }));
  assert.match(ROAR.format(rows), /evidence +\| 55\.0 ± 7\.1 +\| 0\.0 \[0\.0, 0\.0\]/);
});
