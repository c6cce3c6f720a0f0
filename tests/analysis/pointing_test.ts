import assert from "node:assert/strict";
import { createMosaics, fitImage } from "../../lib/analysis/pointing.ts";
import { judgePointing, meanByQuarter, measurePresence, quarterOf } from "../../lib/analysis/pointing.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import { createRandom } from "../../lib/support/random.ts";

/** Image i is of class i mod 10, and its every byte is i. */
const dataset: Dataset = {
  name: "made up",
  images: Uint8Array.from({ length: 40 * 3072 }, (_, at) => Math.floor(at / 3072)),
  labels: Uint8Array.from({ length: 40 }, (_, index) => index % 10),
};

Deno.test("a mosaic has four images of four classes, each in its quarter", () => {
  const { images, classes, sources } = createMosaics(dataset, { count: 20, seed: 0 });
  classes.forEach((labels, mosaic) => {
    assert.equal(new Set(labels).size, 4);
    assert.deepEqual(sources[mosaic].map((source) => dataset.labels[source]), labels);
    const byteAt = (row: number, column: number) => images[mosaic * 3072 + (row * 32 + column) * 3];
    const corners = [[0, 0], [15, 31], [31, 0], [16, 16]].map(([row, column]) => byteAt(row, column));
    assert.deepEqual(corners, sources[mosaic]);
  });
  assert.ok(new Set(classes.map((labels) => labels[0])).size > 4); // every class gets to every place
  assert.ok(new Set(sources.flat()).size > 20); // and every image of it may come
});

Deno.test("mosaics depend on the seed only, and use eligible images only", () => {
  const make = (seed: number) => createMosaics(dataset, { count: 5, seed, eligible: [1, 2, 3, 4, 14, 15] });
  assert.deepEqual(make(1), make(1));
  assert.notDeepEqual(make(1).sources, make(2).sources);
  assert.ok(make(1).sources.flat().every((source) => [1, 2, 3, 4, 14, 15].includes(source)));
  assert.throws(() => createMosaics(dataset, { count: 1, seed: 0, eligible: [1, 2, 3, 13] }), RangeError);
});

Deno.test("an image is shrunk by averaging, or its middle is cropped", () => {
  const image = Uint8Array.from({ length: 3072 }, (_, at) => at % 3 === 0 ? Math.floor(at / 3) % 32 * 8 : 7);
  const [shrunk, cropped] = [fitImage(image, "shrink"), fitImage(image, "crop")];
  const row = (pixels: Uint8Array) => [0, 1, 15].map((column) => pixels[(3 * 16 + column) * 3]);
  assert.deepEqual(row(shrunk), [4, 20, 244]); // means of columns 0 and 1, 2 and 3, 30 and 31
  assert.deepEqual(row(cropped), [64, 72, 184]); // columns 8, 9, 23
  assert.ok(shrunk.every((value, at) => at % 3 === 0 || value === 7));
  const marked = new Uint8Array(3072);
  marked[(8 * 32 + 9) * 3] = 200;
  assert.equal(fitImage(marked, "crop")[3], 200);
  assert.equal(fitImage(marked, "shrink")[(4 * 16 + 4) * 3], 50);
});

/**
 * Maps that are noise, but for `high`, whose value is added in the right quarter of each of the four classes.
 */
function makeMaps(classes: number[][], high: number): Float32Array {
  const random = createRandom(2);
  const maps = Float32Array.from({ length: classes.length * 640 }, () => random.next());
  classes.forEach((labels, mosaic) =>
    labels.forEach((label, part) => {
      for (let cell = 0; cell < 64; cell++) {
        if (quarterOf(cell) === part) maps[(mosaic * 10 + label) * 64 + cell] += high;
      }
    })
  );
  return maps;
}

Deno.test("maps that mark their class's quarter score 100 %, noise 25 %", () => {
  const { classes } = createMosaics(dataset, { count: 400, seed: 0 });
  const perfect = judgePointing(makeMaps(classes, 1), classes);
  assert.deepEqual([perfect.mosaics, perfect.peak.mean, perfect.mean.mean], [400, 1, 1]);
  const chance = judgePointing(makeMaps(classes, 0), classes);
  for (const { interval, n } of [chance.peak, chance.mean]) {
    assert.equal(n, 400); // mosaics, not maps
    assert.ok(interval![0] < 0.25 && interval![1] > 0.25);
  }
});

Deno.test("maps that all mark the same quarter score exactly 25 %", () => {
  const { classes } = createMosaics(dataset, { count: 30, seed: 3 });
  const maps = new Float32Array(30 * 640);
  for (let at = 0; at < maps.length; at += 64) maps[at + 63] = 1;
  const { peak, mean } = judgePointing(maps, classes);
  assert.deepEqual([peak.mean, peak.deviation, mean.mean], [0.25, 0, 0.25]);
});

Deno.test("quarters are counted from the top left, row by row", () => {
  assert.deepEqual([0, 3, 4, 7, 27, 28, 32, 63].map(quarterOf), [0, 0, 1, 1, 0, 1, 2, 3]);
  const map = new Float32Array(64);
  map[28] = 16;
  map[63] = -32;
  assert.deepEqual(meanByQuarter(map), [0, 1, 0, -2]);
});

Deno.test("a predicted class counts if it is one of the mosaic's classes", () => {
  const scores = new Float32Array(20);
  scores[4] = 1;
  scores[10 + 9] = 1;
  assert.equal(measurePresence(scores, [[1, 2, 3, 4], [1, 2, 3, 4]]), 0.5);
});
