// teaching a class in a real browser, from pictures of a folder and of the camera
import assert from "node:assert/strict";
import { join } from "@std/path";
import { encode } from "fast-png";
import type { Page } from "puppeteer-core";
import { formatTaughtClass, identifyNetwork, parseTaughtClass } from "../../explore/taught_class.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { InputError } from "../../lib/support/errors.ts";
import { createRandom } from "../../lib/support/random.ts";
import {
  findViolations,
  readDownload,
  readScores,
  settle,
  startExplorer,
  textOf,
  waitForText,
} from "./open_page.ts";
import { LACKS_CHROMIUM } from "../browser/chromium.ts";

/** Draws a chequered ball on a plain ground, somewhere. */
function drawBall(index: number): Uint8Array {
  const random = createRandom(index);
  const [x0, y0, radius, ground] = [
    10 + random.integer(12),
    10 + random.integer(12),
    7 + random.integer(4),
    60 + random.integer(120),
  ];
  const data = Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) => {
    const [x, y, channel] = [Math.floor(at / 3) % 32 - x0, Math.floor(at / 96) - y0, at % 3];
    if (x * x + y * y > radius * radius) return ground + random.integer(20);
    return (Math.floor((x + 40) / 3) + Math.floor((y + 40) / 3)) % 2 === 0
      ? [240, 30, 200][channel]
      : [250, 240, 60][channel];
  });
  return encode({ width: 32, height: 32, data, channels: 3 });
}

Deno.test("a taught class comes back from its file, but not to another network", () => {
  const filters = Float32Array.from({ length: 128 }, (_, at) => Math.sin(at));
  const network = identifyNetwork(filters);
  const taught = { name: "mug", network, numbers: Float32Array.of(0.5, -1.25) };
  assert.deepEqual(parseTaughtClass(formatTaughtClass(taught), network, "mug.json"), taught);
  const other = identifyNetwork(filters.map((value) => -value));
  assert.notEqual(other, network);
  for (
    const [text, why] of [
      [formatTaughtClass({ ...taught, network: other }), /another network learned it/],
      ["{", /it is not JSON/],
      ["{}", /format/],
    ] as const
  ) {
    assert.throws(() => parseTaughtClass(text, network, "mug.json"), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, why);
      return true;
    });
  }
});

Deno.test("a class is taught, saved, forgotten and loaded, and the other scores stay", {
  ignore: LACKS_CHROMIUM,
}, async (test) => {
  await using explorer = await startExplorer();
  await using opened = await explorer.open({ fragment: "#panel=teach&order=fixed" });
  const { page, troubles } = opened;
  const paths = Array.from({ length: 15 }, (_, index) => join(explorer.folder, `ball-${index}.png`));
  paths.forEach((path, index) => Deno.writeFileSync(path, drawBall(index)));
  const look = async (path: string) => {
    await upload(page, "#file", [path]);
    await waitForText(page, "#source", new RegExp(path.slice(path.lastIndexOf("/") + 1)));
    await settle(page);
    return await readScores(page);
  };
  const before = await look(paths[14]);
  assert.equal(await page.$eval("#teach", (button) => (button as HTMLButtonElement).disabled), true);
  await upload(page, "#class-files", paths.slice(0, 14));
  await waitForText(page, "#class-count", /^14 of at most 50 pictures\.$/);

  await test.step("taught", async () => {
    await page.type("#class-name", "ball");
    await page.keyboard.press("Enter");
    const result = await waitForText(page, "#teach-result", /learned/);
    assert.match(
      result,
      /^ball was learned in \d+\.\d s\. Of [23] pictures that were held out it recognises [23]: so few/,
    );
    await settle(page);
    const { ball, ...others } = await readScores(page);
    assert.deepEqual(others, before);
    assert.ok(ball > Math.max(...Object.values(others)), `${ball}`);
    assert.match(await textOf(page, "#verdict-name"), /ball/);
    assert.deepEqual(await findViolations(page), []);
  });

  await test.step("a name that is known is refused in one sentence, and the pictures are kept", async () => {
    await upload(page, "#class-files", paths.slice(0, 5));
    await waitForText(page, "#class-count", /^5 of/);
    await page.type("#class-name", "ball");
    await page.keyboard.press("Enter");
    assert.match(await waitForText(page, "#problem span", /ball/), /it knows that class already/);
    assert.match(await textOf(page, "#class-count"), /^5 of/);
    await page.click("#dismiss");
  });

  await test.step("saved, forgotten and loaded", async () => {
    const { ball } = await readScores(page);
    await page.click("#taught button:first-child");
    await readDownload(explorer, "ball.json");
    await page.click("#taught button:last-child");
    await waitForText(page, "#teach-result", /forgotten/);
    await settle(page);
    assert.deepEqual(await readScores(page), before);
    await upload(page, "#class-json", [join(explorer.folder, "ball.json")]);
    await waitForText(page, "#teach-result", /loaded/);
    await settle(page);
    assert.deepEqual(await readScores(page), { ...before, ball });
  });

  await test.step("the network is saved as a checkpoint with the class", async () => {
    await page.click("#save-network");
    await readDownload(explorer, "dynamic.safetensors");
    const { classNames } = await openCheckpoint(join(explorer.folder, "dynamic.safetensors"));
    assert.deepEqual(classNames.slice(-2), ["truck", "ball"]);
  });

  await test.step("several pictures that are dropped are collected", async () => {
    await page.click("#no-pictures");
    await page.click("#tab-cell");
    const drawings = [20, 21, 22, 23].map((index) => [...drawBall(index)]);
    await page.evaluate((drawings) => {
      const dataTransfer = new DataTransfer();
      drawings.forEach((bytes, index) => {
        dataTransfer.items.add(new File([Uint8Array.from(bytes)], `${index}.png`, { type: "image/png" }));
      });
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }, drawings);
    await waitForText(page, "#class-count", /^4 of at most 50 pictures; 1 more is needed\.$/);
    assert.equal(await page.$eval("#panel-teach", (panel) => (panel as HTMLElement).hidden), false);
  });

  await test.step("the camera's pictures are collected while the button is held", async () => {
    await page.click("#no-pictures");
    await page.click("#camera");
    await waitForText(page, "#shutter", /^Hold/);
    await page.$eval("#shutter", (button) => button.scrollIntoView({ block: "center" }));
    await page.hover("#shutter");
    await page.mouse.down();
    await waitForText(page, "#class-count", /^5 of/);
    await page.mouse.up();
  });
  assert.deepEqual(troubles, []);
});

/** Chooses files, as in the browser's dialogue. */
async function upload(page: Page, selector: string, paths: readonly string[]): Promise<void> {
  const input = await page.$(`${selector}`);
  await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...paths);
}
