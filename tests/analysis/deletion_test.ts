// a made-up network whose answer depends on the brightness of known cells: what the curves must say is known
import assert from "node:assert/strict";
import { orderAtRandom, orderByValue, orderFromCentre } from "../../lib/analysis/deletion.ts";
import { areasOf, areaUnder, averageCurve, compareAreas, traceCurves } from "../../lib/analysis/deletion.ts";
import { makeBaseline, replaceCells } from "../../lib/analysis/deletion.ts";
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
  random: each((image) => orderAtRandom(0, image)),
  wrong: each(() => orderByValue(map.map((value) => -value))),
};

for (const baseline of ["mean", "blur"] as const) {
  Deno.test(`a map of the important pixels beats a random order, which beats its reverse (${baseline})`, async () => {
    const traces = await traceCurves({ images: makeImages(), classes, orders, score, baseline });
    const [right, random, wrong] = compareAreas(traces, "map");
    assert.equal(right.difference, null);
    assert.ok(right.deletion.mean + 0.03 < random.deletion.mean);
    assert.ok(random.deletion.mean + 0.03 < wrong.deletion.mean);
    assert.ok(right.insertion.mean > random.insertion.mean + 0.03);
    assert.ok(random.insertion.mean > wrong.insertion.mean + 0.03);
    const { deletion, insertion } = random.difference!;
    assert.ok(deletion.interval![0] > 0 && insertion.interval![1] < 0); // shown in six images already
  });
}

Deno.test("a deletion curve starts at the whole image and ends at the baseline, an insertion curve the reverse", async () => {
  const images = makeImages();
  const traces = await traceCurves({ images, classes, orders, score, cellsPerStep: 16 });
  const shareOf = async (images: Float32Array) => {
    const own = Math.exp((await score(images))[1]);
    return own / (own + 9);
  };
  const [whole, nothing] = [await shareOf(images), await shareOf(makeBaseline(images, "mean"))];
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

Deno.test("mean curve and areas are computed per image", () => {
  const trace = {
    name: "map",
    fraction: [0, 0.5, 1],
    deletion: [[1, 0.5, 0], [1, 0, 0]],
    insertion: [[0, 1, 1], [0, 1, 1]],
  };
  assert.deepEqual(areasOf(trace, "deletion"), [0.5, 0.25]);
  assert.equal(areaUnder({ fraction: [0, 0.25, 1], value: [1, 0, 0] }), 0.125);
  const curve = averageCurve(trace, "deletion");
  assert.equal(curve.area, 0.375);
  assert.deepEqual(curve.value, [1, 0.25, 0]);
  assert.ok(curve.low![1] < 0.25 && curve.high![1] > 0.25 && curve.low![0] === 1);
  const worse = { ...trace, name: "other", deletion: [[1, 0.7, 0], [1, 0.2, 0]] };
  const [, { difference }] = compareAreas([trace, worse], "map");
  assert.ok(Math.abs(difference!.deletion.mean - 0.1) < 1e-9 && difference!.deletion.deviation < 1e-9); // all pairs differ equally
  assert.equal(difference!.insertion.mean, 0);
  assert.throws(() => compareAreas([trace], "another"), RangeError);
  assert.equal(averageCurve({ ...trace, deletion: [[1, 0, 0]] }, "deletion").low, undefined);
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

Deno.test("the mean baseline is the image's own mean colour, the blur keeps it and leaves no edge", () => {
  const image = new Float32Array(2 * 3072);
  for (let pixel = 0; pixel < 1024; pixel++) image[pixel * 3 + 1] = pixel % 32 < 16 ? 4 : 0; // green: a vertical edge
  const mean = makeBaseline(image, "mean");
  assert.deepEqual([...mean.subarray(300, 303)], [0, 2, 0]);
  assert.ok(mean.subarray(3072).every((value) => value === 0)); // the second image has a mean of its own
  const blurred = makeBaseline(image, "blur");
  const row = Array.from({ length: 32 }, (_, x) => blurred[(10 * 32 + x) * 3 + 1]);
  row.slice(1).forEach((value, at) => assert.ok(value <= row[at] + 1e-6 && row[at] - value < 0.4));
  assert.ok(Math.abs(row[15] + row[16] - 4) < 1e-4 && row[0] > 3.5);
  assert.ok(blurred.every((value, at) => at % 3 === 1 || value === 0)); // colours stay apart
  const column = Array.from({ length: 32 }, (_, y) => blurred[(y * 32 + 7) * 3 + 1]);
  column.forEach((value) => assert.ok(Math.abs(value - row[7]) < 1e-5));
});

Deno.test("orders have every cell once: by value, from the centre, and at random by key", () => {
  assert.deepEqual(orderByValue([1, 3, 2, 3]), [1, 3, 2, 0]);
  const sorted = (order: number[]) => order.toSorted((one, other) => one - other);
  const all = Array.from({ length: 64 }, (_, cell) => cell);
  for (const order of [orderAtRandom(0, 5), orderFromCentre(0, 5)]) assert.deepEqual(sorted(order), all);
  assert.deepEqual(orderAtRandom(0, 5), orderAtRandom(0, 5));
  assert.notDeepEqual(orderAtRandom(0, 5), orderAtRandom(0, 6));
  assert.notDeepEqual(orderAtRandom(0, 5), orderAtRandom(1, 5));
  const centre = orderFromCentre(0, 5);
  assert.deepEqual(sorted(centre.slice(0, 4)), [27, 28, 35, 36]);
  assert.deepEqual(sorted(centre.slice(-4)), [0, 7, 56, 63]);
});
