import assert from "node:assert/strict";
import { compareResults } from "../../lib/experiments/comparison.ts";
import { formatComparison, formatDifference, formatMean } from "../../lib/experiments/markdown.ts";
import { experimentResult, seedResult } from "./samples.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

Deno.test("final and best accuracy are means over seeds with the sample standard deviation", async () => {
  const seeds = [
    seedResult(0, [0.6, 0.9, 0.8]),
    seedResult(1, [0.5, 0.6, 0.7]),
    seedResult(2, [0.1, 0.2, 0.6]),
  ];
  const [row] = compareResults([await experimentResult("dynamic", seeds)]);
  near(row.final.mean, 0.7);
  near(row.final.deviation, 0.1);
  near(row.best.mean, (0.9 + 0.7 + 0.6) / 3);
  assert.equal(row.final.n, 3);
  assert.equal(row.difference, null);
});

Deno.test("the interval of a difference is Student's t over pairs, as in a textbook example", async () => {
  // differences 1, 2, 3, 4, 5 points: mean 3, s = 1.5811, t(4) = 2.7764, so 3 ± 1.9633
  const reference = [0, 1, 2, 3, 4].map((seed) => seedResult(seed, [0.5 + seed / 10]));
  const others = [0, 1, 2, 3, 4].map((seed) => seedResult(seed, [0.5 + seed / 10 + (seed + 1) / 100]));
  const [, row] = compareResults([
    await experimentResult("dynamic", reference),
    await experimentResult("frozen", others),
  ]);
  near(row.difference!.mean, 0.03);
  assert.deepEqual(row.difference!.interval!.map((end) => (100 * end).toFixed(3)), ["1.037", "4.963"]);
  assert.equal(row.difference!.shown, "higher");
});

Deno.test("differences are paired by seed; unpaired seeds are left out", async () => {
  const reference = [seedResult(0, [0.5]), seedResult(1, [0.9]), seedResult(7, [0.1])];
  const others = [seedResult(1, [0.8]), seedResult(2, [0.2]), seedResult(0, [0.4])];
  const [row] = compareResults([
    await experimentResult("bn-only", others),
    await experimentResult("dynamic", reference),
  ]);
  assert.equal(row.difference!.n, 2);
  near(row.difference!.mean, -0.1);
  assert.equal(row.difference!.shown, "lower");
});

Deno.test("an interval that contains 0 shows no difference, however large the mean", async () => {
  const reference = [0, 1, 2].map((seed) => seedResult(seed, [0.5]));
  const others = [seedResult(0, [0.6]), seedResult(1, [0.9]), seedResult(2, [0.45])];
  const results = [await experimentResult("dynamic", reference), await experimentResult("frozen", others)];
  const [, { difference }] = compareResults(results);
  assert.equal(difference!.shown, "none");
  assert.match(formatComparison(results), /\| \+15\.00 \[−41\.92, \+71\.92\]: no difference shown/);
});

Deno.test("a single seed gives a difference without an interval", async () => {
  const results = [
    await experimentResult("dynamic", [seedResult(0, [0.8])]),
    await experimentResult("static-shared", [seedResult(0, [0.1])]),
  ];
  const [, { difference, final }] = compareResults(results);
  assert.equal(difference!.interval, undefined);
  assert.equal(difference!.shown, null);
  assert.equal(formatDifference(difference), "−70.00 (one seed: no interval)");
  assert.equal(formatMean(final), "10.00 (n = 1)");
});

Deno.test("without dynamic or a common seed there is no difference", async () => {
  const frozen = await experimentResult("frozen", [seedResult(1, [0.5])]);
  assert.equal(compareResults([frozen])[0].difference, null);
  const dynamic = await experimentResult("dynamic", [seedResult(0, [0.5])]);
  const [, row] = compareResults([dynamic, frozen]);
  assert.equal(formatDifference(row.difference), "no seed in common");
});

Deno.test("seconds per epoch are medians, robust against one disturbed epoch", async () => {
  const seed = seedResult(0, [0.1, 0.2, 0.3]);
  seed.history[2].seconds = 1000;
  const [row] = compareResults([await experimentResult("dynamic", [seed])]);
  assert.equal(row.secondsPerEpoch, 20);
});

Deno.test("the table states data, weights, recipe, seeds, machine and dates", async () => {
  const seeds = [seedResult(0, [0.8]), seedResult(1, [0.79])];
  const text = formatComparison([await experimentResult("dynamic", seeds, { augment: false, subset: 100 })]);
  const [head, rule, row, ...notes] = text.split("\n");
  assert.equal(head.split("|").length, row.split("|").length);
  assert.match(rule, /^\|( -+ \|)+$/);
  assert.match(row, /^\| dynamic +\| .* \| 212,481 +\| 79\.50 ± 0\.71 \(n = 2\) +\| .*reference/);
  for (
    const words of [
      "CIFAR-10 (fingerprint 0123456789abcdef)",
      "ResNet-18",
      "`epochs 12`",
      "`subset 100`",
      "`augment false`",
      "Seeds: 0, 1.",
      "Trained 2026-01-01 to 2026-01-02 on A processor, 2 cores, 8 GB",
      "2 runs at once, 1 thread each",
      "chosen on the test set",
    ]
  ) assert.ok(notes.join("\n").includes(words), words);
});
