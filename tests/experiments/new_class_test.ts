import assert from "node:assert/strict";
import { extractFeatures, learnVector } from "../../lib/analysis/new_class.ts";
import { CLASS_NAMES, relabel } from "../../lib/data/dataset.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { NEW_CLASS, type NewClassRow, summariseNewClass } from "../../lib/experiments/studies/new_class.ts";
import {
  compareMethods,
  type MethodResult,
  NEW_CLASS_METHODS,
} from "../../lib/experiments/studies/new_class_methods.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { toPyTorch } from "../../lib/model/state_dict.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";

await useNativeTensorFlow({ device: "cpu" });

/** A network of nine classes, and images of ten, of which the network does not know ships. */
async function createCase() {
  const spec = networkSpec({ variant: "dynamic" });
  const names = [...CLASS_NAMES.filter((name) => name !== "ship"), "ship"];
  const { train, test } = createSynthetic({ trainSize: 300, testSize: 200 });
  const tensors = createNetwork({ ...spec, classes: 9 }, { seed: 1 });
  const stored = await Promise.all(
    Object.entries(tensors).map(async ([name, tensor]) => [name, await toPyTorch(tensor)] as const),
  );
  const datasets = { train: relabel(train, names), test: relabel(test, names) };
  return { spec, tensors, network: new Map(stored), datasets };
}

Deno.test("a class left out is learned by every method from the same images, also as an embedding alone", async () => {
  const { spec, network, datasets } = await createCase();
  let pauses = 0;
  const results = await compareMethods(network, spec, {
    ...{ datasets, counts: [100], knownImages: 10, seed: 0 }, // of 30 images: only all
    onPause: () => void pauses++,
  });
  const byMethod = new Map(results.map((result) => [result.method, result]));
  const without: MethodResult["method"][] = ["all ten trained"];
  assert.deepEqual(
    new Set(byMethod.keys()),
    new Set(NEW_CLASS_METHODS.filter((one) => !without.includes(one))),
  );
  const before = byMethod.get("nine trained")!;
  assert.deepEqual([before.images, before.newClass], [0, 0]);
  for (const { method, images, newClass, others, all } of results.slice(1)) {
    assert.equal(images, 30, method);
    assert.ok(Math.abs(all - (20 * newClass + 180 * others) / 200) < 1e-9, method);
  }
  for (const method of ["embedding", "free filter", "head retrained"] as const) {
    assert.ok(byMethod.get(method)!.newClass > 0.1, `${method} ${byMethod.get(method)!.newClass}`);
  }
  assert.ok(pauses >= 4);
});

Deno.test("a vector is learned alike from the same seed, otherwise from another", async () => {
  const { spec, tensors, datasets } = await createCase();
  const seen = await extractFeatures(tensors, spec, datasets.train);
  const pools = Array.from(
    { length: 10 },
    (_, label) => [...seen.labels.keys()].filter((at) => seen.labels[at] === label),
  );
  const learn = (seed: number) => learnVector(tensors, spec, "filter", { seen, pools, seed });
  const [one, again, other] = [await learn(0), await learn(0), await learn(1)];
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
});

Deno.test("a summary counts each class once, and differences are taken in pairs", () => {
  const row = (name: string, seed: number, method: NewClassRow["method"], all: number): NewClassRow => ({
    ...{ class: name, seed, method, images: 5, newClass: 0, others: 0, all },
  });
  const rows = [
    ...[row("cat", 0, "embedding", 0.2), row("cat", 1, "embedding", 0.4), row("dog", 0, "embedding", 0.5)],
    ...[
      row("cat", 0, "free filter", 0.4),
      row("cat", 1, "free filter", 0.4),
      row("dog", 0, "free filter", 0.6),
    ],
  ];
  const [embedding] = summariseNewClass(rows, "all");
  const { accuracy } = embedding.points[0];
  assert.deepEqual([embedding.method, accuracy.n], ["embedding", 2]);
  assert.ok(Math.abs(accuracy.mean - 0.4) < 1e-9); // of cat 0.3 and dog 0.5
  const differences = summariseNewClass(rows, "all", "embedding");
  assert.deepEqual(differences.map(({ method }) => method), ["free filter"]);
  assert.ok(Math.abs(differences[0].points[0].accuracy.mean - 0.1) < 1e-9);
  for (const one of rows) assert.deepEqual(NEW_CLASS.row.parse(one), one);
  assert.match(NEW_CLASS.format(rows), /\| free filter +\| +50\.0\s%/);
  assert.match(NEW_CLASS.format(rows), /\| free filter +\| \+10\.00 \[\+10\.00, \+10\.00\]/);
});
