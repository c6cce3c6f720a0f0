import assert from "node:assert/strict";
import { averageArea, computeTaps } from "../../lib/prediction/average.ts";
import type { Picture } from "../../lib/prediction/decode_picture.ts";
import { createRandom } from "../../lib/support/random.ts";

Deno.test("every pixel of the longer line counts as much as it is covered", () => {
  for (const [start, length, count, limit] of [[0, 451, 32, 451], [75.5, 300, 32, 451], [0, 33, 32, 33]]) {
    const weight = new Float64Array(limit);
    for (const { first, weights } of computeTaps(start, length, count, limit)) {
      const sum = weights.reduce((total, one) => total + one, 0);
      assert(Math.abs(sum - 1) < 1e-12, `weights sum up to ${sum}`);
      weights.forEach((one, at) => weight[first + at] += one);
    }
    for (let pixel = 0; pixel < limit; pixel++) {
      const covered = Math.max(0, Math.min(start + length, pixel + 1) - Math.max(start, pixel));
      assert(Math.abs(weight[pixel] * length / count - covered) < 1e-9, `pixel ${pixel} of ${limit}`);
    }
  }
});

Deno.test("a line of equal length stays as it is, a shorter one is interpolated between pixels' centres", () => {
  assert.deepEqual(computeTaps(0, 3, 3, 3), [0, 1, 2].map((first) => ({ first, weights: [1] })));
  assert.deepEqual(computeTaps(0, 2, 4, 2), [
    { first: 0, weights: [1] },
    { first: 0, weights: [0.75, 0.25] },
    { first: 0, weights: [0.25, 0.75] },
    { first: 1, weights: [1] },
  ]);
  assert.deepEqual(computeTaps(0, 1, 2, 1), [{ first: 0, weights: [1] }, { first: 0, weights: [1] }]);
});

Deno.test("a large picture is averaged as a very fine grid of samples would be", () => {
  const [width, height, random] = [23, 17, createRandom(1)];
  const data = Uint8ClampedArray.from(
    { length: width * height * 4 },
    (_, at) => at % 4 === 3 ? 255 : random.integer(256),
  );
  const area = { x: 2.5, y: 0, width: 17, height: 17 };
  const { pixels, transparent } = averageArea(pictureOf(data, width, height), area, 5, 5);
  const fine = 340; // 20 samples a pixel: they lie between the edges of all pixels, small and large
  for (let at = 0; at < 75; at++) {
    const [x, y, channel] = [Math.floor(at / 3) % 5, Math.floor(at / 15), at % 3];
    let sum = 0;
    const each = fine / 5;
    for (let sample = 0; sample < each * each; sample++) {
      const column = Math.floor(area.x + ((x * each + sample % each) + 0.5) * area.width / fine);
      const row = Math.floor(((y * each + Math.floor(sample / each)) + 0.5) * area.height / fine);
      sum += data[4 * (row * width + column) + channel];
    }
    assert(Math.abs(pixels[at] - sum / each ** 2) < 0.51, `${at}: ${pixels[at]} and ${sum / each ** 2}`);
  }
  assert.equal(transparent, false);
});

Deno.test("what is transparent becomes white, by parts", () => {
  const data = Uint8ClampedArray.of(0, 0, 0, 0, 0, 0, 0, 255, 200, 100, 0, 51, 200, 100, 0, 51);
  const result = averageArea(pictureOf(data, 2, 2), { x: 0, y: 0, width: 2, height: 2 }, 1, 2);
  // half of the first row is white; of the second, a fifth is the colour and the rest white
  assert.deepEqual([...result.pixels], [128, 128, 128, 244, 224, 204]);
  assert.equal(result.transparent, true);
});

function pictureOf(data: Uint8ClampedArray, width: number, height: number): Picture {
  return {
    format: "PNG",
    width,
    height,
    orientation: 1,
    readRows(top, bottom, use) {
      for (let y = top; y < bottom; y++) use(data.subarray(4 * y * width, 4 * (y + 1) * width), y);
    },
  };
}
