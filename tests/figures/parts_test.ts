import assert from "node:assert/strict";
import { createCanvas, GlobalFonts, loadImage } from "@napi-rs/canvas";
import { fittingTicks, roundTicks } from "../../lib/figures/colour_bar.ts";
import { colourOf, palette, readableOn } from "../../lib/figures/colours.ts";
import { spreadLabels } from "../../lib/figures/labels.ts";
import { figureFonts, svgToPng } from "../../lib/figures/mod.ts";
import { formatCount, formatNumber, toRows } from "../../lib/support/format.ts";
import { Plot, plotPanel } from "../../lib/figures/plot.ts";
import { encodePng, type Rgb } from "../../lib/figures/png.ts";
import { enlarge, interpolateBilinear } from "../../lib/figures/raster.ts";
import { meanInterval, softmax, studentT, wilsonInterval } from "../../lib/support/statistics.ts";
import { element, svgNumber } from "../../lib/figures/svg.ts";
import { textWidth, wrapText } from "../../lib/figures/text_width.ts";
import { createRandom } from "../../lib/support/random.ts";

/** Decodes a PNG with another library. */
async function decode(png: Uint8Array): Promise<{ width: number; height: number; rgb: number[] }> {
  const image = await loadImage(png);
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return { width: image.width, height: image.height, rgb: [...data].filter((_, index) => index % 4 !== 3) };
}

Deno.test("a PNG of colours is read back as it was", async () => {
  const random = createRandom(1);
  const pixels = Uint8Array.from({ length: 7 * 5 * 3 }, () => random.integer(256));
  pixels.copyWithin(21, 0, 21); // the second row repeats the first
  assert.deepEqual(await decode(encodePng(pixels, 7, 5)), { width: 7, height: 5, rgb: [...pixels] });
});

Deno.test("a PNG with a palette is read back as it was", async () => {
  const colours: Rgb[] = [[255, 0, 0], [0, 128, 0], [1, 2, 3]];
  assert.deepEqual(await decode(encodePng([0, 1, 2, 2, 1, 0], 3, 2, colours)), {
    width: 3,
    height: 2,
    rgb: [0, 1, 2, 2, 1, 0].flatMap((index) => [...colours[index]]),
  });
  assert.throws(() => encodePng([0, 1], 3, 2, colours), RangeError);
});

Deno.test("a figure's text is drawn on a machine without fonts", async () => {
  const svg = (content: string) =>
    element(
      "svg",
      { xmlns: "http://www.w3.org/2000/svg", width: 80, height: 20, "font-family": "Arimo, sans-serif" },
      element("rect", { width: 80, height: 20, fill: "#ffffff" }),
      content,
    );
  const blank = await decode(svgToPng(svg(""), { scale: 3 }));
  const written = await decode(svgToPng(svg('<text x="2" y="15">frog</text>'), { scale: 3 }));
  assert.deepEqual([blank.width, blank.height], [240, 60]);
  assert.ok(blank.rgb.every((byte) => byte === 255));
  assert.ok(written.rgb.filter((byte) => byte < 64).length > 500);
});

Deno.test("an SVG that is not one is refused", () => {
  assert.throws(() => svgToPng("<html></html>"));
});

Deno.test("the table of widths is that of the font", () => {
  for (const [index, weight] of (["regular", "bold"] as const).entries()) {
    GlobalFonts.registerFromPath(figureFonts()[index], `Arimo ${weight}`);
    const context = createCanvas(1, 1).getContext("2d");
    context.font = `100px "Arimo ${weight}"`;
    context.fontKerning = "none";
    for (
      const line of ["automobile", "AVATAR 0123456789", "80.3 ± 0.2 % (n = 5)", "FC 128 → 256 · ÷ × − –"]
    ) {
      const measured = context.measureText(line).width;
      assert.ok(Math.abs(textWidth(line, 100, weight) - measured) < 0.01 * measured, `${line}: ${measured}`);
    }
  }
});

Deno.test("text is wrapped between words", () => {
  assert.deepEqual(wrapText("one two three", 45, 10), ["one two", "three"]);
  assert.deepEqual(wrapText("unbreakable", 5, 10), ["unbreakable"]);
});

Deno.test("labels keep their order and distance, and stay inside", () => {
  const random = createRandom(3);
  for (let round = 0; round < 200; round++) {
    const wanted = Array.from({ length: 1 + random.integer(8) }, () => 120 * random.next() - 10);
    const places = spreadLabels(wanted, 12, [0, 100]);
    const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b]);
    for (const [rank, index] of order.entries()) {
      assert.ok(places[index] >= 0 && places[index] <= 100 + 1e-9);
      if (rank > 0) assert.ok(places[index] - places[order[rank - 1]] >= 12 - 1e-9);
    }
  }
  assert.deepEqual(spreadLabels([10, 50, 90], 12, [0, 100]), [10, 50, 90]);
});

Deno.test("enlarging repeats pixels, and bilinear interpolation stays between them", () => {
  assert.deepEqual([...enlarge([1, 2, 3, 4], 2, 2, 2)], [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  // torch.nn.functional.interpolate(tensor([[[[0., 4.], [8., 12.]]]]), scale_factor=2, mode="bilinear")
  assert.deepEqual([...interpolateBilinear([0, 4, 8, 12], 2, 2, 2)], [
    0,
    1,
    3,
    4,
    2,
    3,
    5,
    6,
    6,
    7,
    9,
    10,
    8,
    9,
    11,
    12,
  ]);
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
  assert.deepEqual(fittingTicks([-0.487, 0.334], 99), [-0.48, 0, 0.33]);
  for (const top of [0.14, 0.4, 0.73, 1.21, 12.5, 300]) {
    const ticks = fittingTicks([-top, top], 99);
    assert.ok(ticks.length >= 2 && ticks.every((tick) => Math.abs(tick) <= top), `${top}: ${ticks}`);
    const written = Math.max(...ticks.map((tick) => textWidth(String(tick).replace("-", "−"), 10)));
    assert.ok((ticks[1] - ticks[0]) / (2 * top) * 99 > written, `${ticks}`);
  }
});

Deno.test("Student's t and the two intervals are those of the tables", () => {
  assert.equal(studentT(4), 2.7764);
  assert.ok(Math.abs(studentT(11) - 2.20099) < 1e-4);
  assert.ok(Math.abs(studentT(30) - 2.04227) < 1e-4);
  const { mean, deviation, interval } = meanInterval([79, 80, 81, 82]);
  assert.equal(mean, 80.5);
  assert.ok(Math.abs(deviation - 1.290994) < 1e-6);
  // scipy.stats.t.interval(0.95, 3, 80.5, 1.290994 / 2)
  assert.ok(Math.abs(interval![0] - 78.44574) < 1e-4 && Math.abs(interval![1] - 82.55426) < 1e-4);
  assert.equal(meanInterval([5]).interval, undefined);
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

Deno.test("identifiers that Plot counts up depend on the content alone", () => {
  const draw = (fill: string) =>
    plotPanel({
      width: 50,
      height: 50,
      x: { domain: [0, 1] },
      marks: [Plot.rect([0], { x1: 0, x2: 1, fill, clip: true })],
    }).markup;
  const [first, again, other] = [draw("red"), draw("red"), draw("blue")];
  const id = (markup: string) => markup.match(/ id="([^"]+)"/)![1];
  assert.equal(first, again);
  assert.notEqual(id(first), id(other));
  assert.ok(first.includes(`url(#${id(first)})`));
});

Deno.test("a legend, which would turn the plot into HTML, is refused", () => {
  assert.throws(() => plotPanel({ title: "a title", marks: [] }), /HTML/);
});
