import assert from "node:assert/strict";
import { decode } from "fast-png";
import { colourOf, palette, readableOn } from "../../lib/figures/colours.ts";
import { element, svgNumber } from "../../lib/figures/figure.ts";
import { createRequire } from "node:module";
import { join } from "@std/path";
import { curveStyle } from "../../lib/figures/line_panel.ts";
import { figureFonts, openFont, textWidth, wrapText } from "../../lib/figures/fonts.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { svgToPng } from "../../lib/figures/mod.ts";
import { enlarge, fittingTicks, imageElement, mapElement, roundTicks } from "../../lib/figures/raster.ts";
import { toRows } from "../../lib/support/arrays.ts";
import { formatCount, formatNumber } from "../../lib/support/format.ts";
import { createRandom } from "../../lib/support/random.ts";
import { softmax, wilsonInterval } from "../../lib/support/statistics.ts";

/** Decodes the PNG inside an SVG element. */
function decodeElement(markup: string) {
  return decode(Uint8Array.fromBase64(markup.match(/base64,([^"]+)"/)![1]));
}

Deno.test("images and maps are drawn as PNGs, each pixel and each cell a square", () => {
  const random = createRandom(1);
  const pixels = Uint8Array.from({ length: 12 }, () => random.integer(256));
  const box = { x: 0, y: 0, width: 2, height: 2 };
  const image = decodeElement(imageElement(pixels, box));
  assert.deepEqual([image.width, image.height, image.channels], [4, 4, 3]);
  assert.deepEqual([...image.data], [...enlarge(pixels, 2, 2, 2, 3)]);
  const map = decodeElement(mapElement([0, 1, 0.5, 2], 2, 2, box, { domain: [0, 1], colours: "viridis" }));
  assert.deepEqual([...map.data], [...enlarge([0, 255, 128, 255], 2, 2, 2)]);
  assert.deepEqual(map.palette!.map((colour) => colour.slice(0, 3)), palette("viridis"));
});

Deno.test("a figure's text is drawn on a machine without fonts", () => {
  const svg = (content: string) =>
    element(
      "svg",
      { xmlns: "http://www.w3.org/2000/svg", width: 80, height: 20, "font-family": "Arimo, sans-serif" },
      element("rect", { width: 80, height: 20, fill: "#ffffff" }),
      content,
    );
  const blank = decode(svgToPng(svg(""), { scale: 3 }));
  const written = decode(svgToPng(svg('<text x="2" y="15">frog</text>'), { scale: 3 }));
  assert.deepEqual([blank.width, blank.height], [240, 60]);
  assert.ok(blank.data.every((byte) => byte === 255));
  assert.ok(written.data.filter((byte) => byte < 64).length > 500);
});

Deno.test("an SVG that is not one is refused", () => {
  assert.throws(() => svgToPng("<html></html>"));
});

Deno.test("text is measured with the font it is drawn with", () => {
  // Arial's advance widths in thousandths
  assert.ok(Math.abs(textWidth("ab", 10) - 11.12) < 0.02);
  assert.ok(Math.abs(textWidth("80 %", 10, "bold") - 22.79) < 0.02);
  assert.ok(textWidth("AVAVA", 10) < 5 * 6.67); // kerned
});

Deno.test("text is wrapped between words", () => {
  assert.deepEqual(wrapText("one two three", 45, 10), ["one two", "three"]);
  assert.deepEqual(wrapText("unbreakable", 5, 10), ["unbreakable"]);
});

Deno.test("enlarging repeats pixels", () => {
  assert.deepEqual([...enlarge([1, 2, 3, 4], 2, 2, 2)], [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
});

Deno.test("colours run from end to end, and the middle of the diverging ones is pale", () => {
  assert.deepEqual(palette("viridis")[0], [68, 1, 84]);
  assert.deepEqual(palette("viridis")[255], [253, 231, 37]);
  assert.equal(colourOf(5, [0, 1], "viridis"), colourOf(1, [0, 1], "viridis"));
  assert.equal(readableOn(colourOf(0, [-1, 1], "diverging")), "#1d2733");
  assert.equal(readableOn(colourOf(1, [0, 1], "blues")), "#ffffff");
  assert.equal(colourOf(3, [3, 3], "viridis"), colourOf(0.5, [0, 1], "viridis"));
});

Deno.test("ticks are round and inside the domain", () => {
  assert.deepEqual(roundTicks([-0.73, 1.21], 3), [-0.5, 0, 0.5, 1]);
  assert.deepEqual(roundTicks([-0.48, 0.48], 4), [-0.4, -0.2, 0, 0.2, 0.4]);
  assert.deepEqual(roundTicks([0, 1], 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(roundTicks([2, 2], 4), [2]);
  assert.deepEqual(fittingTicks([-0.487, 0.334], 40), [-0.48, 0.33]);
  for (const top of [0.14, 0.4, 0.73, 1.21, 12.5, 300]) {
    const ticks = fittingTicks([-top, top], 99);
    assert.ok(ticks.length >= 2 && ticks.every((tick) => Math.abs(tick) <= top), `${top}: ${ticks}`);
    const written = Math.max(...ticks.map((tick) => textWidth(String(tick).replace("-", "−"), 10)));
    assert.ok((ticks[1] - ticks[0]) / (2 * top) * 99 > written, `${ticks}`);
  }
});

Deno.test("Wilson's interval is that of statsmodels", () => {
  // statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson")
  const [low, high] = wilsonInterval(8, 10);
  assert.ok(Math.abs(low - 0.490162) < 1e-5 && Math.abs(high - 0.943318) < 1e-5);
});

Deno.test("numbers are written with a true minus sign, and never as minus zero", () => {
  assert.equal(formatNumber(-1.25, 1), "−1.3");
  assert.equal(formatNumber(-0.001, 1), "0.0");
  assert.equal(formatCount(1234567), "1,234,567");
  assert.deepEqual(softmax([1000, 1000]), [0.5, 0.5]);
  assert.throws(() => svgNumber(NaN), RangeError);
});

Deno.test("rows are read from nested and from flat values", () => {
  assert.deepEqual(toRows([[1, 2], [3, 4]], 2), [[1, 2], [3, 4]]);
  assert.deepEqual(toRows(Float32Array.of(1, 2, 3, 4), 2), [[1, 2], [3, 4]]);
  assert.throws(() => toRows([1, 2, 3], 2), RangeError);
  assert.throws(() => toRows([[1, 2], [3]], 2), RangeError);
  assert.throws(() => toRows([[1], [2], [3]], 2), RangeError);
});

Deno.test("a font that is cropped, another one or missing is refused", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.ttf");
  const [regular, bold] = figureFonts();
  const resolve = () => path;
  Deno.copyFileSync(regular, path);
  assert.equal(openFont("regular", resolve).path, path);
  Deno.truncateSync(path, 300_000);
  assert.throws(() => openFont("regular", resolve), {
    name: "InputError",
    message: /Arimo_400Regular\.ttf is damaged\.$/,
  });
  Deno.copyFileSync(bold, path);
  assert.throws(() => openFont("regular", resolve), {
    name: "InputError",
    message: /Arimo_400Regular\.ttf is damaged\.$/,
  });
  const missing = createRequire(import.meta.url).resolve;
  assert.throws(() => openFont("bold", (file) => missing(`${file}x`)), {
    message: "Cannot use the font Arimo: 700Bold/Arimo_700Bold.ttf is missing in its package.",
  });
});

Deno.test("lines differ by dash as well as by colour", () => {
  const styles = Array.from({ length: 21 }, (_, index) => curveStyle(index));
  assert.equal(new Set(styles.slice(0, 7).map(({ dash }) => dash)).size, 7);
  assert.equal(new Set(styles.map(({ colour, dash }) => `${colour} ${dash}`)).size, 21);
});
