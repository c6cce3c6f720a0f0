// the page's network as a browser runs it: WebAssembly, rounded weights, no network
import assert from "node:assert/strict";
import { join } from "@std/path";
import type { Page } from "puppeteer-core";
import { buildPage } from "../../explore/build_page.ts";
import type { Engine } from "../../explore/engine.ts";
import { FEATURES_FILE, fingerprintBackbone, parseKnownFeatures } from "../../explore/known_features.ts";
import { IMAGE_BYTES } from "../../lib/data/dataset.ts";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { publishedModelFolder } from "../../lib/experiments/publish.ts";
import { classify } from "../../lib/prediction/classify.ts";
import { disposeAll } from "../../lib/model/state_dict.ts";
import { argMax } from "../../lib/support/statistics.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { parseCheckpoint } from "../../lib/training/checkpoint_format.ts";
import { LACKS_CHROMIUM, launchChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../testing/folder.ts";

await useNativeTensorFlow({ device: "cpu" });

const [PICTURES, FEW, MANY_LOOKS] = [200, 30, 3000];
const MODEL = join(publishedModelFolder(), "dynamic.safetensors");
const FEATURES = Deno.readFileSync(join(publishedModelFolder(), FEATURES_FILE));

/** What the test's program leaves in the page. */
declare const engine: Engine;
declare const countTensors: () => number;

/** Photographs where `CIFAR10_DIR` says where they are, else synthetic images, in the page and here. */
async function loadPictures(page: Page): Promise<Uint8Array[]> {
  const data = Deno.env.get("CIFAR10_DIR");
  const { test } = data
    ? await loadDatasets({ data })
    : createSynthetic({ trainSize: 0, testSize: PICTURES });
  const images = test.images.subarray(0, PICTURES * IMAGE_BYTES);
  await page.evaluate(
    (text, size) => {
      const bytes = Uint8Array.fromBase64(text);
      const pictures = Array.from(
        { length: bytes.length / size },
        (_, at) => bytes.subarray(at * size, (at + 1) * size),
      );
      Object.assign(globalThis, { pictures });
    },
    images.toBase64(),
    IMAGE_BYTES,
  );
  return Array.from(
    { length: PICTURES },
    (_, at) => images.subarray(at * IMAGE_BYTES, (at + 1) * IMAGE_BYTES),
  );
}
declare const pictures: Uint8Array[];

/** Scores of the first pictures in the page. */
const lookAt = (page: Page, count: number): Promise<number[][]> =>
  page.evaluate(async (count) => {
    const all: number[][] = [];
    for (const picture of pictures.slice(0, count)) all.push([...(await engine.look(picture)).scores]);
    return all;
  }, count);

const largestDifference = (some: ArrayLike<number>[], others: ArrayLike<number>[]): number =>
  Math.max(...some.flatMap((row, at) => Array.from(row, (value, k) => Math.abs(value - others[at][k]))));

Deno.test("the page's network in a browser", { ignore: LACKS_CHROMIUM }, async (test) => {
  using folder = temporaryFolder();
  const checkpoint = await openCheckpoint(MODEL);
  const program = "tests/explore/expose_engine.ts";
  const { html } = await buildPage(checkpoint, FEATURES, program);
  await test.step("the page is the same when it is built again, and small", async () => {
    assert.deepEqual((await buildPage(checkpoint, FEATURES, program)).html, html);
    assert.ok(html.length < 1_400_000);
  });
  const path = join(folder.path, "page.html");
  Deno.writeFileSync(path, html);
  const browser = await launchChromium(folder.path);
  try {
    const page = await browser.newPage();
    const requests: string[] = [];
    page.on("requestfinished", (request) => void requests.push(request.url().split(":")[0]));
    page.on("requestfailed", (request) => void requests.push(request.failure()!.errorText));
    await page.goto(`file://${path}`);
    await page.waitForFunction("globalThis.engine !== undefined");
    const loaded = await loadPictures(page);

    await test.step("its scores are those of evaluate, up to the rounding of its weights", async () => {
      const tensors = checkpoint.loadNetwork();
      const native = (await classify(tensors, loaded, checkpoint.config)).map(({ scores }) => scores);
      disposeAll(tensors);
      const scores = await lookAt(page, PICTURES);
      const furthest = largestDifference(scores, native);
      console.log(`largest difference of a score: ${furthest.toExponential(1)}`);
      assert.ok(furthest < 2e-3, `scores differ by ${furthest}`);
      const classOf = (rows: ArrayLike<number>[]) => rows.map((row) => argMax(Float32Array.from(row)));
      assert.deepEqual(classOf(scores), classOf(native));
    });

    await test.step("looks leave no memory behind", async () => {
      const session = await page.createCDPSession();
      const measure = async () => {
        await session.send("HeapProfiler.collectGarbage");
        return {
          tensors: await page.evaluate(() => countTensors()),
          heap: (await page.metrics()).JSHeapUsedSize!,
        };
      };
      const look = (count: number) =>
        page.evaluate(async (count) => {
          const times: number[] = [];
          for (let at = 0; at < count; at++) {
            const start = performance.now();
            await engine.look(pictures[at % pictures.length]);
            times.push(performance.now() - start);
          }
          return times.sort((one, other) => one - other);
        }, count);
      await look(PICTURES);
      const before = await measure();
      const times = await look(MANY_LOOKS);
      const after = await measure();
      console.log(
        `a look: median ${times[MANY_LOOKS / 2].toFixed(1)} ms, p95 ${
          times[0.95 * MANY_LOOKS].toFixed(1)
        } ms`,
      );
      assert.equal(after.tensors, before.tensors);
      assert.ok(after.heap < before.heap + 2e6, `${after.heap - before.heap} bytes more`);
    });

    await test.step("a class is taught, the old scores stay bit for bit, and the file of it is a checkpoint", async () => {
      const before = await lookAt(page, FEW);
      const { taught, saved, progress } = await page.evaluate(async () => {
        const progress: number[] = [];
        const taught = await engine.teach("new", pictures.slice(0, 20), (done) => progress.push(done));
        return { taught, saved: engine.save().toBase64(), progress };
      });
      console.log(
        `taught in ${taught.seconds.toFixed(1)} s, ${taught.recognised} of ${taught.heldOut} recognised`,
      );
      assert.equal(taught.heldOut, 4);
      assert.ok(progress.every((done, at) => done > (progress[at - 1] ?? 0) && done <= 1));
      const after = await lookAt(page, FEW);
      assert.deepEqual(after.map((row) => row.slice(0, -1)), before);
      const file = parseCheckpoint(Uint8Array.fromBase64(saved), "saved");
      assert.deepEqual(file.classNames, [...checkpoint.classNames, "new"]);
      const tensors = file.loadNetwork();
      const native = (await classify(tensors, loaded.slice(0, FEW), { ...file.config, classes: 11 })).map((
        { scores },
      ) => scores);
      disposeAll(tensors);
      assert.ok(largestDifference(after, native) < 1e-4);
      assert.equal(
        fingerprintBackbone(file.readTensors().network),
        parseKnownFeatures(FEATURES, "").fingerprint,
      );
      await page.evaluate(() => engine.forget("new"));
      assert.deepEqual(await lookAt(page, FEW), before);
      const refused = await page.evaluate(() =>
        engine.teach("cat", pictures, () => {}).catch((error: Error) => error.message)
      );
      assert.equal(refused, "Cannot teach dynamic the class cat: it knows that class already.");
    });

    await test.step("no request leaves it, even if its own program wants one", async () => {
      const outcome = await page.evaluate(() =>
        Promise.all([
          fetch("https://example.com").then(() => "fetched", () => "refused"),
          new Promise((resolve) => {
            const image = new Image();
            image.onload = () => resolve("loaded");
            image.onerror = () => resolve("refused");
            image.src = "https://example.com/a.png";
          }),
        ])
      );
      assert.deepEqual(outcome, ["refused", "refused"]);
      assert.deepEqual([...new Set(requests)], ["file", "blob", "csp"]);
    });
  } finally {
    await browser.close();
  }
});
