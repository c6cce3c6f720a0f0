// the page in a real browser, from file:// and without a network
import assert from "node:assert/strict";
import { join } from "@std/path";
import { encode } from "fast-png";
import sharp from "sharp";
import { INFLUENCE_SIZE, listTerms } from "../../explore/cell_view.ts";
import { findWindow, measureInfluence } from "../../lib/analysis/receptive_field.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { normaliseImages } from "../../lib/data/normalise.ts";
import { classify } from "../../lib/prediction/classify.ts";
import { preparePicture } from "../../lib/prediction/prepare_picture.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import {
  findViolations,
  hand,
  readFragment,
  readScores,
  settle,
  startExplorer,
  textOf,
  waitForText,
} from "./open_page.ts";
import { LACKS_CHROMIUM } from "../browser/chromium.ts";

await useNativeTensorFlow({ device: "cpu" });
const explorer = LACKS_CHROMIUM ? null : await startExplorer();
Deno.test.afterAll(async () => await explorer?.[Symbol.asyncDispose]());
const MODEL = join(projectFolder(), "checkpoints/published/dynamic.safetensors");

/** Draws a picture of any size, with noise in it, and, if wished, transparent parts. */
function drawPicture(width: number, height: number, channels: 3 | 4): Uint8Array {
  const data = Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    const [x, y] = [pixel % width / width, Math.floor(pixel / width) / height];
    if (channel === 3) return x < 0.3 ? 0 : 255 * y;
    const noise = (pixel * 7919 * (channel + 1)) % 61;
    return Math.min(255, 90 * (1 + Math.sin(9 * x + 3 * channel)) * (0.5 + y) + noise);
  });
  return encode({ width, height, data, channels });
}

Deno.test(
  "the page looks at pictures as predict does, dropped and pasted",
  { ignore: LACKS_CHROMIUM },
  async (test) => {
    await using opened = await explorer!.open();
    const { page, troubles } = opened;
    const { config, loadNetwork } = await openCheckpoint(MODEL);
    const tensors = loadNetwork();
    const names = ["photo", "portrait", "transparent", "small", "jpeg"];
    const pictures = [
      drawPicture(640, 427, 3),
      drawPicture(201, 333, 3),
      drawPicture(300, 200, 4),
      drawPicture(20, 27, 3),
      new Uint8Array(await sharp(drawPicture(500, 400, 3)).jpeg().toBuffer()),
    ];
    for (const [index, bytes] of pictures.entries()) {
      await test.step(names[index], async () => {
        const name = `${names[index]}.png`;
        await hand(page, index % 2 === 0 ? "drop" : "paste", name, bytes);
        await waitForText(page, "#source", new RegExp(name));
        await settle(page);
        const { views: [{ pixels }] } = await preparePicture(bytes, { views: ["stretch"] });
        const [{ scores }] = await classify(tensors, [pixels], config);
        const shown = Object.values(await readScores(page)).sort((one, other) => other - one);
        const wanted = [...scores].sort((one, other) => other - one);
        const furthest = Math.max(...wanted.map((score, place) => Math.abs(score - shown[place])));
        assert.ok(furthest <= 0.02, `${names[index]}: scores differ by ${furthest}`);
      });
    }

    await test.step("a file that is no picture gets one sentence, and the picture stays", async () => {
      const before = await readScores(page);
      await hand(page, "drop", "notes.txt", new TextEncoder().encode("hello"));
      const sentence = await waitForText(page, "#problem span", /notes\.txt/);
      assert.match(sentence, /^Cannot use notes\.txt: this browser does not know it as a picture\./);
      assert.deepEqual(await readScores(page), before);
      await page.click("#dismiss");
    });

    await test.step("the camera runs, and a photo stays when it is taken", async () => {
      await page.click("#camera");
      await waitForText(page, "#source", /^the camera$/);
      await page.click("#shoot");
      await waitForText(page, "#source", /^your photo$/);
      await settle(page);
      const picture = () => page.$eval("#picture", (canvas) => (canvas as HTMLCanvasElement).toDataURL());
      const taken = await picture();
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await picture(), taken);
    });

    assert.deepEqual(troubles, []);
  },
);

Deno.test("the page can be used by keyboard alone, and its maps and scores can be read aloud", {
  ignore: LACKS_CHROMIUM,
}, async () => {
  await using opened = await explorer!.open();
  const { page, troubles } = opened;
  assert.match(await waitForText(page, "#verdict", /ship/), /^ship \d+\s%$/);
  await page.focus("#examples button:nth-child(6)");
  await page.keyboard.press("Enter");
  await waitForText(page, "#verdict", /horse/);
  await waitForText(page, "#announcement", /^horse \d+\s%$/);
  const label = await page.$eval(".map.winner", (map) => map.getAttribute("aria-label"));
  assert.match(label!, /^Map of horse, response highest at the .+, predicted$/);

  await page.focus(".map.winner");
  for (const key of ["ArrowUp", "ArrowUp", "ArrowLeft"] as const) await page.keyboard.press(key);
  assert.match(await readFragment(page), /example=6&cell=7\.2\.3$/);
  const formula = await textOf(page, "#cell-formula");
  const numbers = formula.match(/^Map of horse, row 3, column 4: +v · w \/ 8 = (\S+) \/ 8 = (\S+)$/)!
    .slice(1).map((number) => Number(number.replace("−", "-")));
  assert.ok(Math.abs(numbers[0] / 8 - numbers[1]) < 0.002, formula);
  const products = await page.$$eval(
    "#cell-terms tr td:nth-child(4)",
    (cells) => cells.map((cell) => Number(cell.textContent!.replace("−", "-"))),
  );
  const sum = products.pop()!;
  assert.ok(Math.abs(products.reduce((total, product) => total + product, 0) - sum) < 0.06, `${products}`);
  assert.equal(
    await textOf(page, "#announcement"),
    `horse, row 3, column 4: ${numbers[1].toFixed(2)}`.replace("-", "−"),
  );

  await page.focus("#evidence");
  await page.keyboard.press("Space");
  await waitForText(page, "#map-meaning", /speak for the class/);
  const fixed = await page.$("input[value=fixed]");
  await fixed!.press("Space");
  assert.deepEqual(
    await page.$$eval("#scores .name", (names) => names.map((name) => name.textContent).slice(0, 3)),
    ["airplane", "automobile", "bird"],
  );
  assert.deepEqual(troubles, []);
});

Deno.test("the first example moves by itself until it is stopped, but not for who wants no motion", {
  ignore: LACKS_CHROMIUM,
}, async () => {
  await using opened = await explorer!.open();
  const { page } = opened;
  const differs = async () => {
    const picture = () => page.$eval("#picture", (canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const before = await picture();
    await new Promise((resolve) => setTimeout(resolve, 400));
    return await picture() !== before;
  };
  assert.equal(await differs(), false);
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "no-preference" }]);
  await page.reload();
  await waitForText(page, "#verdict", /ship/);
  assert.equal(await differs(), true);
  await page.focus("#move");
  await page.keyboard.press("Enter");
  await waitForText(page, "#move", /^Move$/);
  await settle(page);
  assert.equal(await differs(), false);
});

Deno.test("axe-core finds nothing wrong, light and dark, and nothing is wider than a telephone", {
  ignore: LACKS_CHROMIUM,
}, async () => {
  for (const dark of [false, true]) {
    await using opened = await explorer!.open({ dark, width: 360 });
    assert.deepEqual(await findViolations(opened.page), []);
    const width = await opened.page.evaluate("document.documentElement.scrollWidth");
    assert.ok(width as number <= 360, `${width} pixels`);
    assert.deepEqual(opened.troubles, []);
  }
});

Deno.test("the terms of v · w come with the largest first", () => {
  const terms = listTerms(Float32Array.of(1, 2, 3), Float32Array.of(2, -3, 1));
  assert.deepEqual(terms.map(({ channel, product }) => [channel, product]), [[1, -6], [2, 3], [0, 2]]);
});

Deno.test("nine tenths of a cell's influence come from the square that is lit", async () => {
  const { config, loadNetwork } = await openCheckpoint(MODEL);
  const { test: { images, labels } } = createSynthetic({ trainSize: 10, testSize: 50 });
  const cell = { row: 3, column: 3 };
  const options = { images: normaliseImages(images), classes: labels, ...cell };
  const size = findWindow(await measureInfluence(loadNetwork(), config, options), cell, 0.9);
  assert.ok(Math.abs(size - INFLUENCE_SIZE) <= 2, `${size} pixels`);
});
