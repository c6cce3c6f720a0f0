import assert from "node:assert/strict";
import { z } from "zod";
import { type Study, STUDY_FORMAT, type StudyUnit } from "../../../lib/experiments/study.ts";
import { writeStudy } from "../../../lib/experiments/study_results.ts";
import type { MeanInterval } from "../../../lib/support/statistics.ts";
import { ClaimError, createClaim } from "../../../notebooks/cells/claims.ts";
import { compareProbes } from "../../../notebooks/cells/measurements.ts";
import { openResults, openStudy } from "../../../notebooks/cells/results.ts";
import { bundleTable, decimal, md, percent, points, signed } from "../../../notebooks/cells/text.ts";
import { writeResults } from "../../../lib/experiments/results.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { printed } from "../../testing/printed.ts";

const interval = (mean: number, half: number): MeanInterval => ({
  n: 3,
  mean,
  deviation: 1,
  interval: [mean - half, mean + half],
});

Deno.test("a claim holds or fails by its interval", () => {
  const claim = createClaim(null);
  claim("dynamic > frozen", interval(0.2, 0.1));
  claim("frozen < dynamic", interval(-0.2, 0.1), { below: 0 });
  claim("more often than chance", interval(0.3, 0.04), { above: 0.25 });
  claim("a condition", true);
  claim("a cosine", 0.98, { above: 0.95 });
  assert.throws(() => claim("dynamic > frozen", interval(0.1, 0.2)), (error) => {
    assert.ok(error instanceof ClaimError);
    assert.match(
      error.message,
      /"dynamic > frozen": the 95 % interval \[−0\.1000, 0\.3000\] is not above 0/,
    );
    return true;
  });
  assert.throws(() => claim("less", interval(0.1, 0.2), { below: 0 }), /is not below 0/);
  assert.throws(() => claim("one seed", { mean: 1 }), /there is no interval/);
  assert.throws(() => claim("a condition", false), /does not hold/);
  assert.throws(() => claim("a cosine", 0.9, { above: 0.95 }), /0\.9000 is not above 0\.95/);
});

Deno.test("a claim about meaningless numbers is skipped with a note", async () => {
  const claim = createClaim("synthetic images");
  const text = await printed(() => claim("dynamic > frozen", interval(-1, 0.1)));
  assert.equal(text, "NOT TESTED (synthetic images), no finding of this run: dynamic > frozen");
});

Deno.test("a study's published rows are read, and without them nothing is claimed", async () => {
  using folder = temporaryFolder();
  Deno.env.set("NOTEBOOK_RESULTS", folder.path);
  try {
    const note = await printed(async () => {
      const { rows, claim } = await openStudy(STUDY);
      assert.deepEqual(rows, []);
      claim("a > b", NaN);
    });
    assert.match(
      note,
      /no results of sizes yet\. `deno task study sizes --publish`[^]*NOT TESTED \(no results/,
    );
    writeStudy(STUDY, {
      format: STUDY_FORMAT,
      study: "sizes",
      data: { name: "CIFAR-10 (a _copy_)", fingerprint: "f".repeat(16) },
      weights: "w",
      recipe: {},
      sessions: seedResult(0, [0.5]).sessions,
      rows: [{ size: 3 }],
    }, folder.path);
    const { rows, data, claim } = await openStudy(STUDY);
    assert.deepEqual([rows, data], [[{ size: 3 }], "CIFAR-10 (a \\_copy\\_)"]);
    assert.throws(() => claim("a > b", -1), ClaimError);
  } finally {
    Deno.env.delete("NOTEBOOK_RESULTS");
  }
});

const STUDY: Study<StudyUnit, { size: number }> = {
  name: "sizes",
  about: "How large?",
  seeds: 1,
  units: () => [],
  row: z.strictObject({ size: z.number() }),
  measure: () => Promise.reject(new Error("not measured here")),
  format: (rows) => JSON.stringify(rows),
};

Deno.test("a difference that Holm's correction leaves undecided is no claim", () => {
  const claim = createClaim(null);
  const evidence = { ...interval(0.2, 0.1), shown: "undecided" } as const;
  assert.throws(() => claim("dynamic > frozen", evidence), /no difference is left after Holm's correction/);
  claim("dynamic > frozen", { ...evidence, shown: "higher" });
});

Deno.test("published results are compared", async () => {
  using folder = temporaryFolder();
  const accuracies = {
    dynamic: [0.8, 0.81, 0.82],
    frozen: [0.56, 0.57, 0.58],
    "frozen-1x1": [0.7, 0.71, 0.72],
  };
  const all = await Promise.all(
    Object.entries(accuracies).map(([name, each]) =>
      experimentResult(name, each.map((accuracy, seed) => seedResult(seed, [0.3, accuracy])), { epochs: 2 })
    ),
  );
  writeResults(all, folder.path);
  Deno.env.set("NOTEBOOK_RESULTS", folder.path);
  try {
    await printed(async () => {
      const results = await openResults(Object.keys(accuracies));
      assert.equal(percent(results.of("frozen").final.mean), "57.0\u00a0%");
      assert.equal(points(results.of("frozen").difference), "−24.0 [−26.3, −21.7] points");
      const [gain] = results.differences([["frozen-1x1", "frozen"], ["dynamic", "frozen"]]);
      assert.equal(points(gain), "+14.0 [+11.7, +16.3] points");
      results.claim("frozen-1x1 > frozen", gain);
      assert.ok(results.of("dynamic").trainAccuracy > 0);
    });
    const text = await printed(async () => {
      const results = await openResults(["dynamic", "bn-only"]);
      results.claim("bn-only > frozen", results.differences([["bn-only", "dynamic"]])[0]);
      assert.equal(points(results.of("bn-only").difference), "– points");
      assert.equal(percent(results.of("bn-only").final.mean), "–");
    });
    assert.match(text, /There are no results of bn-only yet/);
    assert.match(text, /NOT TESTED \(no results of bn-only\).*bn-only > frozen/);
  } finally {
    Deno.env.delete("NOTEBOOK_RESULTS");
  }
});

Deno.test("two probes differ where their intervals are apart", () => {
  const [low, high] = compareProbes(interval(0.78, 0.01), interval(0.67, 0.01)).interval!;
  assert.ok(Math.abs(low - 0.09) < 1e-9 && Math.abs(high - 0.13) < 1e-9);
  assert.ok(compareProbes(interval(0.67, 0.01), interval(0.66, 0.01)).interval![0] < 0);
});

Deno.test("estimates are written with sign, unit and interval", () => {
  assert.equal(percent(interval(0.586, 0.02)), "58.6\u00a0% [56.6, 60.6]");
  assert.equal(signed(interval(-0.02, 0.03)), "−0.020 [−0.050, +0.010]");
  assert.equal(points(interval(0.131, 0.01)), "+13.1 [+12.1, +14.1] points");
  assert.deepEqual([decimal(0.5), decimal(NaN), percent(0.5, 0)], ["0.50", "–", "50\u00a0%"]);
});

Deno.test("Markdown of a cell loses the indentation of its source", async () => {
  const text = await printed(() =>
    md`
    - **${percent(0.5, 0)}** of
      ${10_000} images
  `
  );
  assert.equal(text, "- **50\u00a0%** of\n10,000 images");
});

Deno.test("a table is aligned Markdown with numbers on the right", () => {
  const { "text/markdown": markdown } = bundleTable({
    header: ["layer", "parameters", "share"],
    rows: [["conv1", 9408, "86.0 %"], ["a|b", 128, "−1.2e-3"]],
    footer: [["all", 9536, ""]],
  });
  assert.equal(
    markdown,
    [
      "| layer   | parameters |   share |",
      "| ------- | ---------: | ------: |",
      "| conv1   |      9,408 |  86.0 % |",
      "| a\\|b    |        128 | −1.2e-3 |",
      "| **all** |  **9,536** |         |",
    ].join("\n"),
  );
});
