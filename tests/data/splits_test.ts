import assert from "node:assert/strict";
import { CLASS_NAMES, countClasses, type Dataset, relabel } from "../../lib/data/dataset.ts";
import { holdOut, leaveOut, takeSubset } from "../../lib/data/splits.ts";
import { createRandom } from "../../lib/support/random.ts";

/** Image k is filled with the byte k, so that it can be recognised. */
function makeDataset(labels: number[]): Dataset {
  const images = new Uint8Array(labels.length * 3072);
  labels.forEach((_, index) => images.fill(index, index * 3072, (index + 1) * 3072));
  return { name: "test", images, labels: Uint8Array.from(labels) };
}

const random = createRandom(4);
const MIXED = makeDataset(Array.from({ length: 200 }, () => random.integer(10)));
const indicesOf = ({ images, labels }: Dataset) =>
  Array.from(labels, (_, position) => images[position * 3072 + 3071]);

Deno.test("a subset has the first images of each class, in order, with their labels", () => {
  const subset = takeSubset(MIXED, 40);
  assert.deepEqual(countClasses(subset.labels), new Array(10).fill(4));
  const seen = new Array(10).fill(0);
  const expected = [...MIXED.labels.keys()].filter((index) => seen[MIXED.labels[index]]++ < 4);
  assert.deepEqual(indicesOf(subset), expected);
  assert.deepEqual([...subset.labels], expected.map((index) => MIXED.labels[index]));
  assert.equal(subset.name, "test");
});

Deno.test("a class that is left out leaves the others' images, with new labels and their names", () => {
  const nine = leaveOut(MIXED, 3);
  const kept = [...MIXED.labels.keys()].filter((index) => MIXED.labels[index] !== 3);
  assert.deepEqual(indicesOf(nine), kept);
  assert.deepEqual(
    [...nine.labels].map((label) => nine.classNames![label]),
    kept.map((index) => CLASS_NAMES[MIXED.labels[index]]),
  );
  assert.equal(nine.classNames!.length, 9);
  assert.deepEqual(countClasses(takeSubset(nine, 45).labels, 9), new Array(9).fill(5));
});

Deno.test("labels follow a network's own order of the classes, by name", () => {
  const order = [...CLASS_NAMES].reverse();
  assert.deepEqual([...relabel(MIXED, order).labels], [...MIXED.labels].map((label) => 9 - label));
  assert.deepEqual([...relabel(leaveOut(MIXED, 3), CLASS_NAMES).labels].includes(3), false);
  assert.throws(() => relabel(MIXED, order.slice(1)), /does not know truck \(it knows ship, horse/);
});

Deno.test("a subset has its size even if ten does not divide it or a class runs short", () => {
  assert.deepEqual(countClasses(takeSubset(MIXED, 13).labels), [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]);
  const few = makeDataset([0, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
  assert.deepEqual(indicesOf(takeSubset(few, 5)), [0, 1, 2, 3, 9]);
  assert.deepEqual(takeSubset(MIXED, 200), MIXED);
  assert.deepEqual(takeSubset(MIXED, 1000), MIXED);
  assert.equal(takeSubset(MIXED, 0).labels.length, 0);
});

Deno.test("a validation set is balanced, depends on the seed, and is not trained on", () => {
  const { train, validation } = holdOut(MIXED, 50, 1);
  assert.deepEqual(countClasses(validation.labels), new Array(10).fill(5));
  const both = [...indicesOf(train), ...indicesOf(validation)];
  assert.deepEqual(both.toSorted((one, other) => one - other), [...MIXED.labels.keys()]);
  assert.deepEqual(indicesOf(train), indicesOf(train).toSorted((one, other) => one - other));
  assert.deepEqual(holdOut(MIXED, 50, 1).validation, validation);
  assert.notDeepEqual(indicesOf(holdOut(MIXED, 50, 2).validation), indicesOf(validation));
  assert.notDeepEqual(indicesOf(validation), indicesOf(takeSubset(MIXED, 50)));
});

Deno.test("holding out all images is refused", () => {
  assert.throws(() => holdOut(MIXED, 200, 0), RangeError);
  assert.equal(holdOut(MIXED, 199, 0).train.labels.length, 1);
});
