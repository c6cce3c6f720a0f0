import assert from "node:assert/strict";
import { learningRateAt, type ScheduleOptions } from "../../lib/training/schedule.ts";

interface Course {
  schedule: ScheduleOptions["schedule"];
  totalSteps: number;
  peak: number;
  learningRates: number[];
}

const COURSES: Course[] = JSON.parse(
  Deno.readTextFileSync(new URL("../testdata/schedules.json", import.meta.url)),
);

for (const { schedule, totalSteps, peak, learningRates } of COURSES) {
  Deno.test(`${schedule} over ${totalSteps} steps has PyTorch's learning rates`, () => {
    assert.equal(learningRates.length, totalSteps);
    learningRates.forEach((expected, step) => {
      const actual = learningRateAt(step, { schedule, learningRate: peak, totalSteps });
      assert.ok(Math.abs(actual - expected) <= 1e-12 * peak, `step ${step}: ${actual}, expected ${expected}`);
    });
  });
}

Deno.test("constant is constant", () => {
  for (const step of [0, 5, 9]) {
    assert.equal(learningRateAt(step, { schedule: "constant", learningRate: 0.3, totalSteps: 10 }), 0.3);
  }
});

Deno.test("triangular rises from a fifth of the peak for a fifth of the steps, and falls to 0", () => {
  const rates = Array.from(
    { length: 10 },
    (_, step) => learningRateAt(step, { schedule: "triangular", learningRate: 1, totalSteps: 10 }),
  );
  assert.deepEqual(rates.map((rate) => Number(rate.toFixed(6))), [
    ...[0.2, 0.6],
    ...[1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125],
  ]);
});

Deno.test("every schedule stays above 0 and at most at its peak, also for few steps", () => {
  for (const schedule of ["one-cycle", "cosine", "triangular", "constant"] as const) {
    for (let totalSteps = 1; totalSteps <= 40; totalSteps++) {
      for (let step = 0; step < totalSteps; step++) {
        const rate = learningRateAt(step, { schedule, learningRate: 1, totalSteps });
        assert.ok(rate > 0 && rate <= 1, `${schedule}, step ${step} of ${totalSteps}: ${rate}`);
      }
    }
  }
});
