import assert from "node:assert/strict";
import { createRandom, hash, type Random } from "../../lib/support/random.ts";
import { mean } from "../../lib/support/statistics.ts";

/** The first two are what an implementation in Python, written apart from this one, gives as well. */
const PINNED = {
  hashes: [2654435769, 3805552362, 1278688207],
  uniform: [0.09433737117797136, 0.6422527960967273, 0.5196977711748332],
  normal: [-0.2160906651442119, 0.07053182969886981, -0.8049922000337139],
  order: [3, 1, 7, 6, 4, 2, 0, 5],
};

const draw = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

/** Pearson's χ² of counts that should be equal, divided by its expectation: about 1. */
function unevenness(counts: number[]): number {
  const expected = mean(counts);
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) / (counts.length - 1);
}

Deno.test("the same key gives the same numbers", () => {
  const random = createRandom(0, 7, 9);
  assert.deepEqual([hash(), hash(0), hash(1, 2, 3)], PINNED.hashes);
  assert.deepEqual(draw(3, random.next), PINNED.uniform);
  assert.deepEqual(draw(3, random.normal), PINNED.normal);
  const order = Uint32Array.from({ length: 8 }, (_, index) => index);
  random.shuffle(order);
  assert.deepEqual([...order], PINNED.order);
});

Deno.test("keys that differ in a number, in order or in length give different numbers", () => {
  const keys = [[], [0], [1], [0, 0], [0, 1], [1, 0], [0, 0, 0], [1, 2, 3], [3, 2, 1], [-1], [2 ** 31], [
    2 ** 32 - 2,
  ]];
  const firsts = keys.map((key) => createRandom(...key).next());
  assert.equal(new Set(firsts).size, keys.length);
});

Deno.test("uniform numbers fill [0, 1) evenly, within one key and over neighbouring keys", () => {
  const sources: (() => number)[] = [createRandom(3).next];
  let index = 0;
  sources.push(() => createRandom(0, index++).next()); // as the crops of neighbouring images
  for (const next of sources) {
    const values = draw(20_000, next);
    assert.ok(values.every((value) => value >= 0 && value < 1));
    const counts = new Array<number>(64).fill(0);
    const pairs = new Array<number>(64).fill(0);
    values.forEach((value, at) => {
      counts[Math.floor(value * 64)]++;
      if (at > 0) pairs[8 * Math.floor(value * 8) + Math.floor(values[at - 1] * 8)]++;
    });
    for (const evenness of [unevenness(counts), unevenness(pairs)]) {
      assert.ok(evenness > 0.4 && evenness < 1.8, `${evenness}`);
    }
  }
});

Deno.test("integers cover all numbers below the limit, and no other", () => {
  const random = createRandom(4);
  const counts = new Array<number>(7).fill(0);
  for (let count = 0; count < 7000; count++) counts[random.integer(7)]++;
  assert.equal(counts.length, 7);
  assert.ok(unevenness(counts) < 3, `${counts}`);
  assert.equal(random.integer(1), 0);
});

Deno.test("normal numbers have the moments of the standard normal distribution", () => {
  const values = draw(50_000, createRandom(5).normal);
  const moments = [1, 2, 3, 4].map((power) => mean(values.map((value) => value ** power)));
  [0, 1, 0, 3].forEach((expected, at) => assert.ok(Math.abs(moments[at] - expected) < 0.1, `${moments}`));
  assert.ok(values.every(Number.isFinite));
});

Deno.test("a shuffle is a permutation, and each is as likely as any other", () => {
  const random: Random = createRandom(6);
  const counts = new Map<string, number>();
  for (let count = 0; count < 6000; count++) {
    const order = Uint32Array.of(1, 2, 3);
    random.shuffle(order);
    counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ["1,2,3", "1,3,2", "2,1,3", "2,3,1", "3,1,2", "3,2,1"]);
  assert.ok(unevenness([...counts.values()]) < 3);
  for (const length of [0, 1]) random.shuffle(new Uint32Array(length));
});
