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

/** Compares experiments given by their seeds' final accuracies, in order; the first is `dynamic`. */
async function compare(...all: number[][]) {
  const names = ["dynamic", "static-per-class", "frozen", "bn-only"];
  return await Promise.all(
    all.map((each, at) =>
      experimentResult(names[at], each.map((accuracy, seed) => seedResult(seed, [accuracy])))
    ),
  );
}

Deno.test("the interval of a difference is Welch's, and beside it that of pairs, as in a textbook example", async () => {
  // differences 1, 2, 3, 4, 5 points: mean 3, s = 1.5811, t(4) = 2.7764, so [1.0368, 4.9632]
  const [, row] = compareResults(await compare([0.5, 0.6, 0.7, 0.8, 0.9], [0.51, 0.62, 0.73, 0.84, 0.95]));
  const { mean, paired, interval, shown } = row.difference!;
  near(mean, 0.03);
  assert.deepEqual(paired!.interval!.map((end) => (100 * end).toFixed(3)), ["1.037", "4.963"]);
  near(paired!.correlation!, 1);
  // t(7.93) · √(0.025 / 5 + 0.03025 / 5) = 0.2427
  assert.deepEqual(
    interval!.map((end) => (100 * end).toFixed(1)),
    ["−21.3", "27.3"].map((end) => end.replace("−", "-")),
  );
  assert.equal(shown, "undecided");
});

Deno.test("pairs have a seed in common; Welch's difference takes all seeds", async () => {
  const reference = [seedResult(0, [0.5]), seedResult(1, [0.9]), seedResult(7, [0.1])];
  const others = [seedResult(1, [0.8]), seedResult(2, [0.2]), seedResult(0, [0.4])];
  const [row] = compareResults([
    await experimentResult("bn-only", others),
    await experimentResult("dynamic", reference),
  ]);
  assert.equal(row.difference!.paired!.n, 2);
  near(row.difference!.paired!.mean, -0.1);
  near(row.difference!.mean, -0.1 / 3);
});

Deno.test("a difference is higher, lower, equivalent or undecided, and the table says the last two", async () => {
  const spread = (middle: number, width: number) => [-1, -0.5, 0, 0.5, 1].map((at) => middle + at * width);
  const results = await compare(
    spread(0.8, 0.001),
    spread(0.8005, 0.001),
    spread(0.75, 0.001),
    spread(0.8, 0.02),
  );
  const [, ...rows] = compareResults(results);
  assert.deepEqual(rows.map(({ difference }) => difference!.shown), ["equivalent", "lower", "undecided"]);
  const text = formatComparison(results);
  assert.match(text, /\| \+0\.05 \[−0\.07, \+0\.17\]: equivalent within 0\.5 points \(p < 0\.001\) *\|/);
  assert.match(text, /\| −5\.00 \[−5\.12, −4\.88\] +\|/);
  assert.match(text, /\| 0\.00 \[[^\]]+\]: undecided +\|/);
  assert.match(text, /\| bn-only +\| 0\.00 \[[^\]]+\] +\| 1\.00 .*\(n = 5\) +\| 1\.00 +\|/);
});

Deno.test("a difference that one test would show can be undecided among several", async () => {
  const [dynamic, other] = [[0.8, 0.81, 0.82, 0.83], [0.83, 0.84, 0.85, 0.846]];
  const [, alone] = compareResults(await compare(dynamic, other));
  assert.equal(alone.difference!.shown, "higher");
  const [, among] = compareResults(await compare(dynamic, other, dynamic, dynamic));
  near(among.difference!.p!, 3 * alone.difference!.p!);
  assert.equal(among.difference!.shown, "undecided");
});

Deno.test("a single seed gives a difference without an interval", async () => {
  const [, { difference, final }] = compareResults(await compare([0.8], [0.1]));
  assert.equal(difference!.interval, undefined);
  assert.equal(difference!.shown, null);
  assert.equal(formatDifference(difference), "−70.00: one seed, no interval");
  assert.equal(formatMean(final), "10.00 (n = 1)");
});

Deno.test("without dynamic there is no difference, without a common seed no pair", async () => {
  const frozen = await experimentResult("frozen", [seedResult(1, [0.5])]);
  assert.equal(compareResults([frozen])[0].difference, null);
  const dynamic = await experimentResult("dynamic", [seedResult(0, [0.5])]);
  const [, row] = compareResults([dynamic, frozen]);
  assert.equal(row.difference!.paired, null);
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
