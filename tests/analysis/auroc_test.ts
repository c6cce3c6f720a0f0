import assert from "node:assert/strict";
import { auroc, compareAuroc } from "../../lib/analysis/auroc.ts";
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

Deno.test("a better score gives a positive difference, an equivalent one none", () => {
  const random = createRandom(4);
  const group = (height: number) =>
    Array.from({ length: 150 }, (): [number, number] => {
      const [good, poor] = [height + random.normal(), height / 3 + random.normal()];
      return [good, poor];
    });
  const [inside, outside] = [group(2), group(0)];
  const better = compareAuroc({ inside, outside }, { seed: 0, resamples: 200 });
  assert.ok(
    better.interval![0] > 0 && better.interval![0] < better.mean && better.mean < better.interval![1],
  );
  const flip = (pairs: [number, number][]) => pairs.map(([one, other]): [number, number] => [other, one]);
  const worse = compareAuroc({ inside: flip(inside), outside: flip(outside) }, {
    seed: 0,
    resamples: 200,
  });
  assert.ok(Math.abs(worse.mean + better.mean) < 1e-12 && worse.interval![1] < 0);
  const same = (pairs: [number, number][]) => pairs.map(([one]): [number, number] => [one, 3 * one + 1]);
  const none = compareAuroc({ inside: same(inside), outside: same(outside) }, {
    seed: 0,
    resamples: 50,
  });
  assert.deepEqual([none.mean, none.interval], [0, [0, 0]]);
});
