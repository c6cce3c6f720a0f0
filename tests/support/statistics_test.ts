import assert from "node:assert/strict";
import { argMax, mean, meanInterval, softmax } from "../../lib/support/statistics.ts";
import { studentQuantile, studentTail } from "../../lib/support/student_t.ts";
import { adjustByHolm, compareSamples, correlate } from "../../lib/support/two_samples.ts";

/** SciPy's and statsmodels' results; see tests/testdata/README.md. */
const { default: oracle } = await import("../testdata/statistics.json", { with: { type: "json" } });

const near = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(Math.abs(expected), 1e-9),
    `${actual} is not ${expected}`,
  );

Deno.test("quantiles and tails of Student's t are SciPy's", () => {
  for (const { degrees, quantile, tails } of oracle.student) {
    const tolerance = degrees > 3 ? 1e-6 : 1e-4;
    near(studentQuantile(0.025, degrees), quantile, tolerance);
    for (const [t, tail] of Object.entries(tails)) near(studentTail(Number(t), degrees), tail, tolerance);
  }
});

Deno.test("Welch's test, its interval and the equivalence test are SciPy's and statsmodels'", () => {
  for (const { one, other, p, interval, equivalenceP, correlation } of oracle.samples) {
    const test = compareSamples(one, other, oracle.margin)!;
    near(test.p, p, 1e-4);
    near(test.equivalenceP, equivalenceP, 1e-4);
    for (const end of [0, 1]) near(test.interval[end], interval[end], 1e-4);
    if (correlation !== undefined && one.length > 2) near(correlate(one, other)!, correlation);
  }
});

Deno.test("samples without spread and single values have a sensible test or none", () => {
  assert.equal(compareSamples([0.1], [0.1, 0.2], 0.005), null);
  const equal = compareSamples([0.1, 0.1], [0.1, 0.1], 0.005)!;
  assert.deepEqual([equal.p, equal.equivalenceP], [1, 0]);
  const apart = compareSamples([0.2, 0.2], [0.1, 0.1], 0.005)!;
  assert.equal(apart.p, 0);
  near(apart.equivalenceP, 1);
  assert.equal(correlate([0.1, 0.1, 0.1], [1, 2, 3]), null);
});

Deno.test("Holm's adjusted p-values are statsmodels', in the order given", () => {
  adjustByHolm(oracle.holm.p).forEach((p, at) => near(p, oracle.holm.adjusted[at]));
  assert.deepEqual(adjustByHolm([]), []);
});

Deno.test("a mean's interval is SciPy's", () => {
  const { mean, deviation, interval } = meanInterval([79, 80, 81, 82]);
  assert.equal(mean, 80.5);
  near(deviation, 1.290994);
  // scipy.stats.t.interval(0.95, 3, 80.5, 1.290994 / 2)
  near(interval![0], 78.44574);
  near(interval![1], 82.55426);
  assert.equal(meanInterval([5]).interval, undefined);
});

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
