import assert from "node:assert/strict";
import { gradientDistance, requireAgreement } from "../../bench/gradients.ts";
import type { StoredTensor } from "../../lib/support/safetensors.ts";

const tensors = (values: Record<string, number[]>) =>
  new Map<string, StoredTensor>(
    Object.entries(values).map((
      [name, data],
    ) => [name, { shape: [data.length], data: Float32Array.from(data) }]),
  );

Deno.test("the distance of gradients is relative, and over all tensors together", () => {
  const reference = tensors({ a: [3, 0], b: [4] });
  assert.equal(gradientDistance(tensors({ a: [3, 1], b: [4] }), reference), 0.2);
  assert.equal(gradientDistance(reference, reference), 0);
  assert.throws(
    () => gradientDistance(tensors({ a: [3, 0] }), reference),
    /of 1 tensors with those of 2/,
  );
  assert.throws(() => gradientDistance(tensors({ a: [3, 0], c: [4] }), reference), /gradient of b/);
  assert.throws(() => gradientDistance(tensors({ a: [3], b: [4] }), reference), /gradient of a/);
});

Deno.test("gradients that differ by more than rounding are refused; one flipped ReLU is not", () => {
  const agreement = { row: "ours", reference: "best", limit: 1e-5 };
  requireAgreement([{ ...agreement, distances: [1e-6, 9e-6, 1e-3] }]);
  const refused = [[1e-6, 2e-5, 2e-5], [1e-6, 1e-6, 3e-2], [1e-6, NaN, NaN], [NaN, 1e-6, 1e-6]];
  for (const distances of refused) {
    assert.throws(
      () => requireAgreement([{ ...agreement, distances }]),
      /^InputError: Cannot compare ours with best: .* nothing is reported\.$/,
      String(distances),
    );
  }
});
