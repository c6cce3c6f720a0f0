import assert from "node:assert/strict";
import { createMinimalFiltering, type Matrix } from "../../lib/tensorflow/minimal_filtering.ts";

const apply = (matrix: Matrix, vector: number[]) =>
  matrix.map((row) => row.reduce((sum, value, k) => sum + value * vector[k], 0));

for (const outputs of [4, 8] as const) {
  Deno.test(`F(${outputs}, 3) filters with ${outputs + 2} products`, () => {
    const { input, kernel, output, inputs } = createMinimalFiltering(outputs);
    assert.equal(inputs, outputs + 2);
    const taps = [2, -3, 5];
    const data = Array.from({ length: inputs }, (_, k) => (7 * k * k + 3) % 11 - 5);
    const [u, v] = [apply(kernel, taps), apply(input, data)];
    const filtered = apply(output, u.map((value, k) => value * v[k]));
    const expected = filtered.map((_, k) => taps.reduce((sum, tap, j) => sum + tap * data[k + j], 0));
    filtered.forEach((value, k) =>
      assert(Math.abs(value - expected[k]) < 1e-12, `${value} is not ${expected[k]}`)
    );
  });
}
