import assert from "node:assert/strict";
import { concludeFrozen, describeBudget, makeBudget } from "../../../notebooks/cells/frozen_backbone.ts";
import { describeMoments, fitsStored } from "../../../notebooks/cells/moments.ts";
import { type BackboneProbes, describeProbes, ENLARGED } from "../../../notebooks/cells/probes.ts";
import { compareRemedies, describeFreezing, describeRemedies } from "../../../notebooks/cells/remedies.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

/** Experiments whose three seeds end at these accuracies. */
const results = async (accuracies: Record<string, number[]>) =>
  await Promise.all(
    Object.entries(accuracies).map(([name, each]) =>
      experimentResult(name, each.map((accuracy, seed) => seedResult(seed, [0.3, accuracy])))
    ),
  );
const all = await results({
  dynamic: [0.8, 0.81, 0.82],
  "static-per-class": [0.8, 0.8, 0.8],
  frozen: [0.56, 0.57, 0.58],
  "frozen-1x1": [0.7, 0.71, 0.72],
  "bn-only": [0.55, 0.57, 0.59],
});

Deno.test("a way out is counted from the frozen network, in pairs of seeds", () => {
  const remedies = compareRemedies(all);
  assert.deepEqual(remedies.map(({ experiment }) => experiment), [
    "dynamic",
    "frozen",
    "frozen-1x1",
    "bn-only",
  ]);
  const [whole, base, adapter, norms] = remedies;
  assert.deepEqual([base.gain, base.closed, base.extraParameters], [null, null, 0]);
  near(adapter.gain!.mean, 0.14);
  near(adapter.gain!.deviation, 0);
  near(adapter.closed!, 14 / 24);
  assert.equal(adapter.extraParameters, 64 * 64 + 128);
  near(whole.closed!, 1);
  near(norms.gain!.mean, 0);
  assert.ok(norms.gain!.interval![0] < 0 && norms.gain!.interval![1] > 0);
});

Deno.test("the sentences say what the intervals support, and no more", async () => {
  const [adapter, norms] = describeRemedies(all);
  assert.match(
    adapter,
    /`frozen-1x1` .*\*\*\+14\.0 \[\+14\.0, \+14\.0\] points\*\* \(3 pairs\), 58.% of the way/,
  );
  assert.match(norms, /3 pairs, not shown to differ from zero/);
  const [cost, fit] = describeFreezing(all);
  assert.match(cost, /57\.0.% where .* 81\.0.%: −24\.0 .*\(3 pairs\)/);
  assert.match(fit, /So the training images are not beyond it/); // both reach 70 % on them in these made-up results
  const single = await results({ dynamic: [0.8], frozen: [0.5], "bn-only": [0.6] });
  assert.match(describeFreezing(single)[0], /one pair: no interval, so no claim/);
  assert.match(describeRemedies(single)[0], /one pair: no interval, so no claim/);
});

Deno.test("without results nothing is said but that", async () => {
  assert.deepEqual(compareRemedies([]), []);
  assert.deepEqual(describeRemedies([]), []);
  assert.match(describeFreezing([])[0], /no results/);
  assert.match(describeFreezing(await results({ dynamic: [0.8] }))[0], /no results/);
  assert.match(describeBudget([], []), /no results/);
  const empty = { results: [], probes: [], moments: new Map(), drift: [drift(10), drift(20)] };
  assert.match(concludeFrozen(empty).at(-1)!, /no results of any/);
});

const drift = (angle: number) => ({
  layer: `at ${angle}`,
  change: 1,
  angle,
  dead: [0, 0] as [number, number],
  moments: { shift: 0, ratio: 1, factor: 1 },
});

/** Probes that are right in these shares of 10,000 images. */
const probes = (accuracies: Record<string, number>): BackboneProbes[] =>
  Object.entries(accuracies).map(([name, accuracy]) => {
    const probe = {
      accuracy,
      interval: [accuracy - 0.01, accuracy + 0.01] as [number, number],
      trainAccuracy: accuracy,
      penalty: 0.1,
      n: 10_000,
    };
    return { name, mean: probe, grid: probe };
  });

Deno.test("the loss is taken apart into parts that add up", () => {
  const budget = makeBudget(all, probes({ frozen: 0.67, trained: 0.78 }))!;
  near(budget.features, 0.11);
  near(budget.head, 0.1);
  near(budget.beyond, 0.03);
  near(budget.beyond + budget.features + budget.head, budget.whole);
  assert.equal(makeBudget(all, probes({ frozen: 0.67 })), null);
});

Deno.test("probes are called different only where their intervals do not meet", () => {
  const [first, second, third] = describeProbes(
    probes({ untrained: 0.51, frozen: 0.67, [ENLARGED]: 0.665, trained: 0.78 }),
  );
  assert.match(
    first,
    /16\.0 points more than untrained ones \(51\.0.%\): ImageNet's weights \*\*are\*\* worth/,
  );
  assert.match(second, /not shown to differ from those of small ones \(by 0\.5 points\)/);
  assert.match(second, /\*\*not\*\* what is missing/);
  assert.match(third, /11\.0 points more than the frozen ones/);
  assert.match(describeProbes(probes({ frozen: 0.5, [ENLARGED]: 0.6 }))[0], /part of the trouble/);
});

Deno.test("statistics fit if no layer is off by much", () => {
  const moments = (shift: number, factor: number) =>
    new Map([["a", { shift: 0.001, ratio: 1, factor: 1.001 }], ["b", { shift, ratio: 1, factor }]]);
  assert.ok(fitsStored(moments(0.01, 1.01)));
  assert.ok(!fitsStored(moments(0.2, 1.01)) && !fitsStored(moments(0.01, 1.4)));
  assert.match(describeMoments(moments(0.01, 1.01), "a file"), /already those of these images/);
  assert.match(
    describeMoments(moments(0.2, 1.4), "a file"),
    /off by 0\.200 .* 1\.400 at most: a frozen backbone/,
  );
});
