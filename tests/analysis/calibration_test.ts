import assert from "node:assert/strict";
import { calibrationError, countSureness, reliabilityBins } from "../../lib/analysis/calibration.ts";
import { createRandom } from "../../lib/support/random.ts";

const repeat = (count: number, probability: number, correct: number) =>
  Array.from({ length: count }, (_, index) => ({ probability, isCorrect: index < correct }));

Deno.test("the calibration error weighs each bin's gap by its predictions", () => {
  // 0.5 is in bin 7 of 15 with a gap of 0.1, 0.9 in bin 13 with one of 0.2 below
  const predictions = [...repeat(10, 0.5, 6), ...repeat(30, 0.9, 21)];
  const { mean, n, interval } = calibrationError(predictions);
  assert.ok(Math.abs(mean - (0.25 * 0.1 + 0.75 * 0.2)) < 1e-12);
  assert.equal(n, 40);
  assert.ok(interval![0] <= mean && mean <= interval![1] && interval![0] > 0);
  const bins = reliabilityBins(predictions);
  assert.deepEqual(bins.map(({ n }) => n), [0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 30, 0]);
  assert.equal(bins[7].accuracy, 0.6);
  assert.ok(Math.abs(bins[13].probability - 0.9) < 1e-12);
  assert.equal(reliabilityBins(repeat(2, 1, 2))[14].n, 2); // 1 belongs to the last bin
});

Deno.test("predictions as often right as they say have nearly no error, and the interval reaches 0", () => {
  const random = createRandom(1);
  const calibrated = Array.from({ length: 4000 }, () => {
    const probability = random.next();
    return { probability, isCorrect: random.next() < probability };
  });
  const { mean, interval } = calibrationError(calibrated);
  assert.ok(mean < 0.03 && interval![0] < 0.01, `${mean} ${interval}`);
  const wrong = calibrated.map(({ probability, isCorrect }) => ({
    probability: Math.sqrt(probability),
    isCorrect,
  }));
  assert.ok(calibrationError(wrong).interval![0] > 0.1);
});

Deno.test("unsure predictions are counted among the correct and the wrong ones", () => {
  const predictions = [...repeat(10, 0.5, 6), ...repeat(30, 0.9, 21)];
  assert.deepEqual(countSureness(predictions, 0.6), {
    correct: 27,
    correctUnsure: 6,
    wrong: 13,
    wrongSure: 9,
  });
});
