import assert from "node:assert/strict";
import { join } from "@std/path";
import { contactSheet } from "../../../lib/figures/mod.ts";
import { saveCheckpoint } from "../../../lib/training/checkpoint.ts";
import { compareCheckpoints } from "../../../notebooks/cells/compare_checkpoints.ts";
import { concludeComparison, listLimits } from "../../../notebooks/cells/comparison.ts";
import { bundleFigure } from "../../../notebooks/cells/figures.ts";
import { measureGradient } from "../../../notebooks/cells/gradient.ts";
import { sampleClasses } from "../../../notebooks/cells/pictures.ts";
import { compareValues, makeBatch, readRows } from "../../../notebooks/cells/tensors.ts";
import { bundleTable } from "../../../notebooks/cells/text.ts";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { createNetwork } from "../../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";
import { temporaryFolder } from "../../testing/folder.ts";

Deno.test("a figure is shown as a complete SVG, as a PNG for those who may not show it, and in words", () => {
  const svg = contactSheet([{ image: new Uint8Array(3072) }], { title: "Cats & dogs" });
  const bundle = bundleFigure(svg);
  assert.equal(bundle["image/svg+xml"], svg);
  assert.equal(bundle["text/plain"], "[figure: Cats & dogs]");
  const png = Uint8Array.fromBase64(bundle["image/png"]!);
  assert.deepEqual([...png.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
});

Deno.test("a table is Markdown that is aligned as text; numbers stand to the right, written out or not", () => {
  const { "text/markdown": markdown } = bundleTable({
    header: ["layer", "parameters", "share"],
    rows: [["conv1", 9408, "86.0 %"], ["a|b", 128, "−1.2e-3"]],
    footer: [["all", 9536, ""]],
  });
  assert.equal(
    markdown,
    [
      "| layer   | parameters |   share |",
      "| ------- | ---------: | ------: |",
      "| conv1   |      9,408 |  86.0 % |",
      "| a\\|b    |        128 | −1.2e-3 |",
      "| **all** |  **9,536** |         |",
    ].join("\n"),
  );
});

Deno.test("what a comparison supports is said by its interval, and nothing where there is none", async () => {
  const results = [
    await experimentResult("dynamic", [0.8, 0.81, 0.8].map((value, seed) => seedResult(seed, [value]))),
    await experimentResult(
      "static-per-class",
      [0.81, 0.8, 0.8].map((value, seed) => seedResult(seed, [value])),
    ),
    await experimentResult(
      "static-ten-way",
      [0.7, 0.711, 0.7].map((value, seed) => seedResult(seed, [value])),
    ),
    await experimentResult("static-shared", [seedResult(0, [0.1])]),
  ];
  const [perClass, tenWay, shared, ...rest] = concludeComparison(results);
  assert.equal(rest.length, 0);
  assert.match(perClass, /No difference from `dynamic` is shown\*\*: 0\.00 points/);
  assert.match(tenWay, /9\.97 points lower than `dynamic`\*\*, 95 % interval \[−10\.11, −9\.82\], 3 pairs/);
  assert.match(shared, /70\.00 points below `dynamic` in one pair: no interval, so nothing is claimed/);
  assert.match(listLimits(results)[0], /With 3 pairs the interval of `static-per-class` is 5\.0 points wide/);
  assert.deepEqual(concludeComparison([]), []);
  assert.ok(listLimits([]).length > 0);
});

Deno.test("checkpoints are compared bit by bit", async () => {
  await useNativeTensorFlow();
  using folder = temporaryFolder();
  const network = { variant: "static-shared", backbone: "trainable", adapter: "none" } as const;
  const { resolveConfig } = await import("../../../lib/training/config.ts");
  const config = resolveConfig({ flags: { ...network, weights: "random" } });
  const recorded = {
    data: "synthetic",
    weights: "random",
    device: "cpu" as const,
    threads: 1,
    tensorflow: "0",
  };
  const sums = { loss: 0, correct: 0, images: 0, seconds: 0 };
  const progress = { epochs: 0, steps: 0, totalSteps: 0, sums, best: null, history: [] };
  const save = async (name: string, change: number) => {
    const tensors = createNetwork(network);
    const bias = tensors["score_predictor.2.bias"];
    const changed = { ...tensors, "score_predictor.2.bias": tf.add(bias, change) };
    const path = join(folder.path, name);
    await saveCheckpoint(path, { config, recorded, progress, network: changed, slots: null });
    return path;
  };
  const [one, same, other] = [await save("one", 0), await save("same", 0), await save("other", 1e-3)];
  assert.equal((await compareCheckpoints(one, same)).different, 0);
  const { different, largest, values } = await compareCheckpoints(one, other);
  assert.equal(different, 1);
  assert.ok(Math.abs(largest - 1e-3) < 1e-6);
  assert.ok(values > 161_793); // running statistics too
});

Deno.test("the literal static network has no gradient, the dynamic one has", async () => {
  await useNativeTensorFlow();
  const batch = makeBatch(createSynthetic({ trainSize: 20, testSize: 0 }).train, [...Array(20).keys()]);
  const measure = async (variant: "dynamic" | "static-shared") => {
    const network = { variant, backbone: "trainable", adapter: "none" } as const;
    return await measureGradient(network, createNetwork(network), batch);
  };
  const shared = await measure("static-shared");
  assert.ok(Math.abs(shared.loss - Math.log(10)) < 1e-6);
  assert.ok(shared.norm < 1e-5, `${shared.norm}`);
  const dynamic = await measure("dynamic");
  assert.ok(dynamic.norm > 1e-2);
  assert.deepEqual(Object.keys(dynamic.parts), [
    "backbone",
    "class_embeddings",
    "weights_generator",
    "score_predictor",
  ]);
});

Deno.test("images are sampled class beside class, and batches hold the images asked for", async () => {
  await useNativeTensorFlow();
  const { test } = createSynthetic({ trainSize: 0, testSize: 40 });
  const sheet = sampleClasses(test, 2);
  assert.equal(sheet.length, 20);
  assert.deepEqual(sheet.slice(0, 2).map(({ label }) => label), ["airplane", "automobile"]);
  assert.deepEqual(sheet.slice(10, 12).map(({ label }) => label), ["airplane", "automobile"]);
  const { images, labels } = makeBatch(test, [5, 3]);
  assert.deepEqual(images.shape, [2, 32, 32, 3]);
  assert.deepEqual([...await labels.data()], [test.labels[5], test.labels[3]]);
});

Deno.test("values are compared one by one, and rows read in order", async () => {
  await useNativeTensorFlow();
  const matrix = tf.tensor2d([[1, 2, 3], [4, 5, 6]]);
  assert.deepEqual(await readRows(matrix), [[1, 2, 3], [4, 5, 6]]);
  const { difference, largest } = await compareValues(
    matrix,
    tf.add(matrix, tf.tensor2d([[0, 0, 0], [0, -0.5, 0]])),
  );
  assert.deepEqual([difference, largest], [0.5, 6]);
  await assert.rejects(compareValues(matrix, tf.transpose(matrix)), RangeError);
});
