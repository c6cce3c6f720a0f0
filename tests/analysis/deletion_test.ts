// a made-up network whose answer depends on the brightness of known cells: what the curves must say is known
import assert from "node:assert/strict";
import { areasOf, areaUnder, makeBaseline, replaceCells, traceCurves } from "../../lib/analysis/deletion.ts";
import { blurMap, centreMap, orderByValue, randomMap } from "../../lib/analysis/deletion.ts";
import { markAtRandom, markCells } from "../../lib/analysis/deletion.ts";
import { createRandom } from "../../lib/support/random.ts";

const IMAGES = 6;
const IMPORTANT = [9, 10, 17, 18]; // cells, in the upper left

const cellOf = (pixel: number) => Math.floor(Math.floor(pixel / 32) / 4) * 8 + Math.floor(pixel % 32 / 4);

/** Important cells bright, all others dark, with some noise. */
function makeImages(): Float32Array {
  const random = createRandom(1);
  return Float32Array.from({ length: IMAGES * 3072 }, (_, at) => {
    const isImportant = IMPORTANT.includes(cellOf(Math.floor(at % 3072 / 3)));
    return (isImportant ? 1 : 0) + 0.1 * random.next();
  });
}

/** Class 1's score is the brightness of the important cells, the others' are 0. */
function score(images: Float32Array): Promise<Float32Array> {
  const scores = new Float32Array(images.length / 3072 * 10);
  for (let at = 0; at < images.length; at++) {
    if (IMPORTANT.includes(cellOf(Math.floor(at % 3072 / 3)))) {
      scores[Math.floor(at / 3072) * 10 + 1] += 8 * images[at] / (IMPORTANT.length * 48);
    }
  }
  return Promise.resolve(scores);
}

const classes = new Array(IMAGES).fill(1);
const map = Float32Array.from({ length: 64 }, (_, cell) => IMPORTANT.includes(cell) ? 1 : 0);
const each = (order: (image: number) => number[]) => classes.map((_, image) => order(image));
const orders = {
  map: each(() => orderByValue(map)),
  random: each((image) => orderByValue(randomMap(0, image))),
  wrong: each(() => orderByValue(map.map((value) => -value))),
};

Deno.test("a map of the important pixels beats a random order, which beats its reverse", async () => {
  const traces = await traceCurves({ images: makeImages(), classes, orders, score });
  const mean = (kind: "deletion" | "insertion") =>
    traces.map((trace) => areasOf(trace, kind).reduce((sum, area) => sum + area / IMAGES, 0));
  const [deletion, insertion] = [mean("deletion"), mean("insertion")];
  assert.ok(deletion[0] + 0.03 < deletion[1] && deletion[1] + 0.03 < deletion[2]);
  assert.ok(insertion[0] > insertion[1] + 0.03 && insertion[1] > insertion[2] + 0.03);
});

Deno.test("a deletion curve starts at the whole image and ends at the baseline, an insertion curve the reverse", async () => {
  const images = makeImages();
  const traces = await traceCurves({ images, classes, orders, score, cellsPerStep: 16 });
  const shareOf = async (images: Float32Array) => {
    const own = Math.exp((await score(images))[1]);
    return own / (own + 9);
  };
  const [whole, nothing] = [await shareOf(images), await shareOf(makeBaseline(images))];
  assert.deepEqual(traces[0].fraction, [0, 0.25, 0.5, 0.75, 1]);
  for (const { deletion, insertion } of traces) {
    for (
      const [curve, from, to] of [[deletion[0], whole, nothing], [insertion[0], nothing, whole]] as const
    ) {
      assert.equal(curve.length, 5);
      assert.ok(Math.abs(curve[0] - from) < 1e-6 && Math.abs(curve[4] - to) < 1e-6);
    }
  }
  // all that counts is gone after the first 16 cells of the map's order
  assert.ok(traces[0].deletion.every((curve) => Math.abs(curve[1] - curve[4]) < 0.02));
});

Deno.test("an order's insertion curve is the reverse order's deletion curve from its end", async () => {
  const { random } = orders;
  const reversed = random.map((order) => order.toReversed());
  const [one, other] = await traceCurves({
    images: makeImages(),
    classes,
    orders: { random, reversed },
    score,
  });
  one.insertion.forEach((curve, image) => {
    const mirrored = other.deletion[image].toReversed();
    curve.forEach((value, point) => assert.ok(Math.abs(value - mirrored[point]) < 1e-6));
  });
});

Deno.test("areas are computed per image", () => {
  const trace = {
    name: "map",
    fraction: [0, 0.5, 1],
    deletion: [[1, 0.5, 0], [1, 0, 0]],
    insertion: [[0, 1, 1], [0, 1, 1]],
  };
  assert.deepEqual(areasOf(trace, "deletion"), [0.5, 0.25]);
  assert.equal(areaUnder({ fraction: [0, 0.25, 1], value: [1, 0, 0] }), 0.125);
});

Deno.test("only the blocks of the first cells are replaced", () => {
  const images = new Float32Array(2 * 3072), replacement = new Float32Array(2 * 3072).fill(1);
  const result = replaceCells(images, replacement, [[63, 0, 1], [8, 0, 1]], 1);
  const changed = [...result].flatMap((value, at) => value === 1 ? [Math.floor(at / 3)] : []);
  const pixels = (image: number, cell: number) =>
    Array.from({ length: 1024 }, (_, pixel) => pixel).filter((pixel) => cellOf(pixel) === cell)
      .flatMap((pixel) => new Array(3).fill(image * 1024 + pixel));
  assert.deepEqual(changed, [...pixels(0, 63), ...pixels(1, 8)]);
  assert.ok(images.every((value) => value === 0));
});

Deno.test("the empty image has the image's own mean colour", () => {
  const image = new Float32Array(2 * 3072);
  for (let pixel = 0; pixel < 1024; pixel++) image[pixel * 3 + 1] = pixel % 32 < 16 ? 4 : 0; // green
  const mean = makeBaseline(image);
  assert.deepEqual([...mean.subarray(300, 303)], [0, 2, 0]);
  assert.ok(mean.subarray(3072).every((value) => value === 0)); // the second image has a mean of its own
});

Deno.test("orders have every cell once, by value; ties are in random order by key", () => {
  assert.deepEqual(orderByValue(map.map((value, cell) => value + cell / 100)).slice(0, 5), [
    18,
    17,
    10,
    9,
    63,
  ]);
  const flat = new Float32Array(64);
  const order = orderByValue(flat, 0, 5);
  assert.deepEqual(order.toSorted((one, other) => one - other), Array.from(flat, (_, cell) => cell));
  assert.deepEqual(order, orderByValue(flat, 0, 5));
  assert.notDeepEqual(order, orderByValue(flat, 0, 6));
  assert.notDeepEqual(order, orderByValue(flat, 1, 5));
  assert.deepEqual(randomMap(0, 5), randomMap(0, 5));
  assert.notDeepEqual(randomMap(0, 5), randomMap(0, 6));
  const centre = orderByValue(centreMap()).map((cell) => cell);
  const sorted = (cells: number[]) => cells.toSorted((one, other) => one - other);
  assert.deepEqual(sorted(centre.slice(0, 4)), [27, 28, 35, 36]);
  assert.deepEqual(sorted(centre.slice(-4)), [0, 7, 56, 63]);
});

Deno.test("blurring averages a cell with its neighbours, of which a corner has three", () => {
  const blurred = blurMap(Float32Array.from({ length: 64 }, (_, cell) => cell === 9 ? 36 : 0));
  assert.deepEqual([0, 1, 9, 18, 19, 27].map((cell) => blurred[cell]), [9, 6, 4, 4, 0, 0]);
});

Deno.test("marks cover the blocks of cells, or single pixels", () => {
  const marks = markCells([9, 63]);
  assert.equal(marks.reduce((sum, mark) => sum + mark, 0), 32);
  marks.forEach((mark, pixel) => assert.equal(mark, [9, 63].includes(cellOf(pixel)) ? 1 : 0));
  const pixels = markAtRandom(100, 0, 3);
  assert.equal(pixels.reduce((sum, mark) => sum + mark, 0), 100);
  assert.notDeepEqual(pixels, markAtRandom(100, 0, 4));
});
