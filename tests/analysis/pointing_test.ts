import assert from "node:assert/strict";
import { createMosaics, measurePointing, quarterOf, shrinkImage } from "../../lib/analysis/pointing.ts";
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

Deno.test("mosaics depend on the seed only, and need four classes", () => {
  const make = (seed: number) => createMosaics(dataset, { count: 5, seed });
  assert.deepEqual(make(1), make(1));
  assert.notDeepEqual(make(1).sources, make(2).sources);
  const three = { ...dataset, labels: dataset.labels.map((label) => label % 3) };
  assert.throws(() => createMosaics(three, { count: 1, seed: 0 }), RangeError);
});

Deno.test("an image is shrunk by averaging 2×2 pixels", () => {
  const image = Uint8Array.from({ length: 3072 }, (_, at) => at % 3 === 0 ? Math.floor(at / 3) % 32 * 8 : 7);
  const shrunk = shrinkImage(image);
  assert.deepEqual([0, 1, 15].map((column) => shrunk[(3 * 16 + column) * 3]), [4, 20, 244]); // columns 0, 1; …
  assert.ok(shrunk.every((value, at) => at % 3 === 0 || value === 7));
  const marked = new Uint8Array(3072);
  marked[(8 * 32 + 9) * 3] = 200;
  assert.equal(shrinkImage(marked)[(4 * 16 + 4) * 3], 50);
});

/** Four maps per mosaic that are noise, but for `high`, which is added in the class's quarter. */
function makeMaps(mosaics: number, high: number): Float32Array[] {
  const random = createRandom(2);
  return Array.from(
    { length: 4 * mosaics },
    (_, at) =>
      Float32Array.from({ length: 64 }, (_, cell) => random.next() + (quarterOf(cell) === at % 4 ? high : 0)),
  );
}

Deno.test("maps that mark their class's quarter score 100 %, noise 25 %", () => {
  const perfect = measurePointing(makeMaps(400, 1));
  assert.deepEqual([perfect.n, perfect.mean], [400, 1]); // mosaics, not maps
  const { interval } = measurePointing(makeMaps(400, 0));
  assert.ok(interval![0] < 0.25 && interval![1] > 0.25);
});

Deno.test("a map that is the same for all classes scores exactly 25 %", () => {
  const { mean, deviation } = measurePointing(makeMaps(30, 0).map((_, at, maps) => maps[at - at % 4]));
  assert.deepEqual([mean, deviation], [0.25, 0]);
});

Deno.test("quarters of a map", () => {
  assert.deepEqual([0, 7, 56, 63, 27, 28, 35, 36].map(quarterOf), [0, 1, 2, 3, 0, 1, 2, 3]);
});
