import assert from "node:assert/strict";
import { leastMedian, pairRounds, quantile, summariseRounds } from "../../bench/statistics.ts";

Deno.test("quantiles are those of NumPy", () => {
  const values = [7, 1, 3, 10]; // numpy.quantile(values, …)
  assert.deepEqual([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(values, share)), [1, 2.5, 5, 7.75, 10]);
  assert.equal(quantile([4], 0.25), 4);
  assert.deepEqual(values, [7, 1, 3, 10], "the rounds stay in their order");
  assert.throws(() => quantile([], 0.5), RangeError);
});

Deno.test("rounds come down to median, minimum and quartiles", () => {
  assert.deepEqual(summariseRounds([5, 4, 3, 2, 1]), { median: 3, minimum: 1, low: 2, high: 4 });
});

Deno.test("a machine that slows down midway does not change what is compared in pairs", () => {
  const [ours, theirs] = [[10, 10, 30, 30], [15, 15, 45, 45]];
  assert.deepEqual(summariseRounds(pairRounds(ours, theirs)), {
    median: 1.5,
    minimum: 1.5,
    low: 1.5,
    high: 1.5,
  });
  assert.throws(() => pairRounds([1, 2], [1]), /Cannot pair 2 rounds with 1/);
});

Deno.test("the best form is the one with the least median, whatever its least round", () => {
  assert.equal(leastMedian(new Map([["a", [1, 9, 9]], ["b", [5, 5, 5]]])), "b");
  assert.equal(leastMedian(new Map()), null);
});
