import assert from "node:assert/strict";
import { pointingMaps } from "../../lib/figures/mod.ts";
import { sampleImage } from "./samples.ts";

const names = ["cat", "dog", "ship", "frog"];
/** Four maps with their greatest values in these cells. */
const mapsWith = (...peaks: number[]) =>
  Float32Array.from({ length: 4 * 64 }, (_, at) => at % 64 === peaks[Math.floor(at / 64)] ? 1 : 0);

Deno.test("a map counts as right if its greatest value lies in its class's quarter", () => {
  const example = { image: sampleImage(1), names };
  const right = pointingMaps([{ ...example, maps: mapsWith(27, 28, 35, 36) }]); // the four middle cells
  assert.match(right.alt, /4 of 4 maps have/);
  const wrong = pointingMaps([{ ...example, maps: mapsWith(28, 27, 36, 35) }, {
    ...example,
    maps: mapsWith(0, 0, 0, 0),
  }]);
  assert.match(wrong.alt, /1 of 8 maps have/);
});

Deno.test("a mosaic without four classes and maps is refused", () => {
  const example = { image: sampleImage(1), names, maps: mapsWith(0, 0, 0, 0) };
  assert.throws(() => pointingMaps([]), RangeError);
  assert.throws(() => pointingMaps([{ ...example, names: ["cat"] }]), RangeError);
  assert.throws(() => pointingMaps([{ ...example, maps: new Float32Array(3) }]), RangeError);
});
