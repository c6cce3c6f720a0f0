// other networks, shared states, saved views, and the generator, in a real browser
import assert from "node:assert/strict";
import sharp from "sharp";
import { formatState, initialState, parseState, type State } from "../../explore/state.ts";
import { placeInTriangle, sharesAt } from "../../explore/triangle.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { formatCheckpoint } from "../../lib/training/checkpoint_format.ts";
import { CASES, createCase } from "../export/cases.ts";
import {
  findViolations,
  hand,
  readDownload,
  readFragment,
  settle,
  startExplorer,
  textOf,
  waitForText,
} from "./open_page.ts";
import { LACKS_CHROMIUM } from "../browser/chromium.ts";

await useNativeTensorFlow({ device: "cpu" });
const explorer = LACKS_CHROMIUM ? null : await startExplorer();
Deno.test.afterAll(async () => await explorer?.[Symbol.asyncDispose]());

Deno.test("a state survives its way through the address", () => {
  const state: State = {
    ...initialState(),
    panel: "generate",
    example: 4,
    map: "evidence",
    order: "fixed",
    cell: { label: 3, row: 7, column: 0 },
    corners: [1, 2, 9],
    mixture: [0.25, 0.5],
    hidden: Uint8Array.from({ length: 64 }, (_, cell) => cell % 3 === 0 ? 1 : 0),
  };
  assert.deepEqual(parseState(`#${formatState(state)}`, 10), state);
  assert.equal(formatState(initialState()), "");
  assert.deepEqual(parseState("#", 10), initialState());
});

Deno.test("an address that was cut or edited opens the page as at the start", () => {
  for (
    const fragment of [
      "#panel=none&cell=3.9.1&mixture=80.80&corners=1.2&hidden=xyz&example=9",
      "#%%%",
      "#cell=",
    ]
  ) {
    assert.deepEqual(parseState(fragment, 10), initialState(), fragment);
  }
  assert.deepEqual(parseState("", 3).corners, [2, 0, 2]); // of a network with fewer classes
  assert.equal(parseState("", 3).cell.label, 2);
});

Deno.test("a point in the triangle and a mixture are the same", () => {
  for (const shares of [[1, 0, 0], [0, 0, 1], [0.2, 0.3, 0.5]]) {
    sharesAt(...placeInTriangle(shares)).forEach((share, at) =>
      assert.ok(Math.abs(share - shares[at]) < 1e-9)
    );
  }
  assert.deepEqual(sharesAt(50, -300).map(Math.round), [0, 0, 1]); // far above the upper corner
});

Deno.test("networks of every variant open, damaged ones get a sentence, and views are saved", {
  ignore: LACKS_CHROMIUM,
}, async (test) => {
  await using opened = await explorer!.open();
  const { page, troubles } = opened;

  for (const spec of CASES) {
    await test.step(`opens ${spec.variant}`, async () => {
      const { checkpoint } = await createCase(spec, 1);
      await hand(
        page,
        "drop",
        `${spec.variant}.safetensors`,
        formatCheckpoint({ ...checkpoint, slots: null }),
      );
      const described = await waitForText(page, "#describe", new RegExp(`\\(${spec.variant}\\)`));
      assert.match(described, new RegExp(`: ${spec.classes} classes,`));
      await settle(page);
      assert.equal((await page.$$("#scores li")).length, spec.classes);
      const ownMaps = spec.variant === "static-ten-way" || spec.variant === "static-shared"
        ? 1
        : spec.classes;
      assert.equal((await page.$$(".map")).length, ownMaps);
      await page.click("#tab-generate");
      assert.equal(
        await page.$eval("#generator", (part) => (part as HTMLElement).hidden),
        !spec.variant.startsWith("dynamic"),
      );
    });
  }

  await test.step("a damaged network gets one sentence, and the one before stays", async () => {
    const before = await textOf(page, "#describe");
    await hand(page, "drop", "cut.safetensors", new Uint8Array(100));
    assert.match(await waitForText(page, "#problem span", /cut/), /^Cannot read cut\.safetensors: .+\.$/);
    assert.equal(await textOf(page, "#describe"), before);
    assert.deepEqual(await findViolations(page), []);
  });

  await test.step("the view is saved as PNG and as SVG", async () => {
    await page.reload();
    await waitForText(page, "#verdict", /ship/);
    await page.click("#save-svg");
    const svg = new TextDecoder().decode(await readDownload(explorer!, "maps.svg"));
    assert.equal(svg.match(/<image /g)?.length, 11);
    assert.match(svg, /Network dynamic, trained on CIFAR-10/);
    await page.click("#save-png");
    const { width, height, format } = await sharp(await readDownload(explorer!, "maps.png")).metadata();
    assert.ok(format === "png" && width! > 1000 && height! > 800, `${format} ${width}×${height}`);
  });
  assert.deepEqual(troubles, []);
});

Deno.test("the generator's filter moves with the sliders, and the link to it shows it again", {
  ignore: LACKS_CHROMIUM,
}, async () => {
  await using opened = await explorer!.open({ fragment: "#panel=generate" });
  const { page } = opened;
  await waitForText(page, "#cosine", /^0\.9/);
  assert.match(await textOf(page, "#mixture"), /^50 % ship \+ 50 % airplane$/);
  assert.match(await textOf(page, "#generate-meaning"), /^Nearly the same filter/);
  const between = await textOf(page, "#generated-score");

  await page.focus("#along");
  await page.keyboard.press("Home");
  await waitForText(page, "#mixture", /^100 % ship$/);
  await waitForText(page, "#cosine", /^1\.000$/);
  const own = await page.$eval("#scores li small", (score) => score.title);
  assert.equal(Number(await textOf(page, "#generated-score")).toFixed(2), Number(own).toFixed(2));
  assert.notEqual(own, between);

  await page.focus("#towards");
  await page.keyboard.press("PageUp");
  await waitForText(page, "#mixture", /truck/);
  await page.focus("#along");
  await page.keyboard.press("End");
  const mixture = await waitForText(page, "#mixture", /^(\d+) % airplane \+ \d+ % truck$/);
  assert.equal(mixture.match(/\d+/g)!.reduce((sum, share) => sum + Number(share), 0), 100, mixture);
  const address = await readFragment(page);
  await using again = await explorer!.open({ fragment: address });
  assert.equal(await waitForText(again.page, "#mixture", /truck/), mixture);
  assert.deepEqual(await findViolations(again.page), []);
  assert.deepEqual([...opened.troubles, ...again.troubles], []);
});
