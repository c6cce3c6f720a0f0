import assert from "node:assert/strict";
import { argMax, mean, median, softmax } from "../../lib/support/statistics.ts";

Deno.test("argMax finds the first of equal maxima", () => {
  assert.equal(argMax([3, 7, 7]), 1);
  assert.equal(argMax(Float32Array.of(-2, -1)), 1);
  assert.equal(argMax([-Infinity, 0, Infinity]), 2);
  for (const values of [[NaN], [NaN, 1], [1, NaN]]) assert.throws(() => argMax(values), RangeError);
});

Deno.test("softmax gives probabilities, also for large scores", () => {
  assert.deepEqual(softmax([1e4, -1e4, 1e4]), [0.5, 0, 0.5]);
  assert.ok(Math.abs(mean(softmax([1, 2, 3])) - 1 / 3) < 1e-12);
  assert.ok(Math.abs(softmax([0, Math.log(3)])[1] - 0.75) < 1e-12);
});

Deno.test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});
