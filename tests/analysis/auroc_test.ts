import assert from "node:assert/strict";
import { auroc } from "../../lib/analysis/auroc.ts";
import { createRandom } from "../../lib/support/random.ts";

Deno.test("AUROC is the probability that a member of the first group scores higher", () => {
  assert.equal(auroc([2, 3], [0, 1]), 1);
  assert.equal(auroc([0, 1], [2, 3]), 0);
  assert.equal(auroc([1, 1], [1, 1, 1]), 0.5);
  const random = createRandom(3);
  const [one, other] = [[40, 1], [30, 0]].map(([count, more]) =>
    Array.from({ length: count }, () => Math.round(4 * random.normal()) + more)
  );
  let wins = 0;
  for (const a of one) for (const b of other) wins += a > b ? 1 : a === b ? 0.5 : 0;
  assert.ok(Math.abs(auroc(one, other) - wins / 1200) < 1e-12);
  assert.throws(() => auroc([], [1]), RangeError);
});
