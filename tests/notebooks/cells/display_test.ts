import assert from "node:assert/strict";
import { join } from "@std/path";
import { contactSheet } from "../../../lib/figures/mod.ts";
import { saveCheckpoint } from "../../../lib/training/checkpoint.ts";
import {
  bundleFigure,
  describeTensor,
  installPlainErrors,
  installTensorDisplay,
} from "../../../notebooks/cells/display.ts";
import { compareCheckpoints, measureGradient } from "../../../notebooks/cells/measurements.ts";
import { makeBatch, sampleClasses } from "../../../notebooks/cells/network.ts";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { createNetwork } from "../../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { resolveConfig } from "../../../lib/training/config.ts";
import { InputError } from "../../../lib/support/errors.ts";
import { temporaryFolder } from "../../testing/folder.ts";

Deno.test("a figure is shown as an image with alternative text, as SVG and as text", () => {
  const figure = contactSheet([{ image: new Uint8Array(3072) }], { title: "Cats & dogs" });
  const bundle = bundleFigure({ ...figure, alt: 'A "cat" & a <dog>' });
  assert.equal(bundle["image/svg+xml"], figure.svg);
  assert.equal(bundle["text/plain"], '[figure: Cats & dogs] A "cat" & a <dog>');
  const html = bundle["text/html"]!;
  assert.match(html, / alt="A &quot;cat&quot; &amp; a &lt;dog>" .*max-width: 100%/);
  const source = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(html)![1];
  assert.equal(new TextDecoder().decode(Uint8Array.fromBase64(source)), figure.svg);
});

Deno.test("checkpoints are compared bit by bit", async () => {
  await useNativeTensorFlow();
  using folder = temporaryFolder();
  const network = { variant: "static-shared", backbone: "trainable", adapter: "none" } as const;
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

Deno.test("static-shared has no gradient, dynamic has one", async () => {
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
});

Deno.test("samples alternate between classes, and batches have the requested images", async () => {
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

Deno.test("a tensor shows its shape, type and first values", async () => {
  await useNativeTensorFlow();
  const tensor = tf.tensor2d([[1, 2.123456, 3, 4], [-5, 6, 7, 8]]);
  const text = "tensor [2, 4] float32: 1, 2.123, 3, 4, -5, 6, …";
  assert.equal(await describeTensor(tensor), text);
  assert.equal(await describeTensor(tf.scalar(3, "int32")), "tensor [] int32: 3");
  installTensorDisplay();
  const { [Symbol.for("Jupyter.display")]: display } = tensor as unknown as Record<symbol, () => unknown>;
  assert.deepEqual(await display.call(tensor), { "text/plain": text });
});

Deno.test("in a notebook an input error is its sentence, and a bug keeps its stack", () => {
  const { prepareStackTrace } = Error;
  installPlainErrors();
  try {
    assert.equal(
      new InputError("Cannot read a.json: it is damaged.").stack,
      "InputError: Cannot read a.json: it is damaged.",
    );
    assert.match(new TypeError("a bug").stack!, /^TypeError: a bug\n {4}at /);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
});
