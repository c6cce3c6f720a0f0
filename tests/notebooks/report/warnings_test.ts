import assert from "node:assert/strict";
import { isSynthetic, listWarnings } from "../../../notebooks/report/warnings.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";
import { code, notebook, opening, prose } from "./sample.ts";

const FIVE = [1, 2, 3, 4, 5].map((number) => notebook(`0${number}_sample`, prose("# A"), code("a();")));

Deno.test("stale results, missing notebooks and notebooks that were not executed are named", async () => {
  const stale = [await experimentResult("dynamic", [seedResult(0, [0.8])], { epochs: 3 })];
  const warnings = await listWarnings(FIVE, stale);
  assert.ok(
    warnings.some((text) => /^The results of dynamic were obtained with epochs 3/.test(text)),
    warnings.join(),
  );
  assert.ok(warnings.some((text) => /^There are no results of .*static-per-class/.test(text)));
  assert.deepEqual(await listWarnings(FIVE, []), [
    "There are no results of the comparison: deno task compare --publish trains them.",
  ]);
  const idle = notebook("02_sample", { ...code("a();"), execution_count: null });
  const some = [
    FIVE[0],
    idle,
    notebook("03_sample", code("a();", [opening("synthetic", true)])),
  ];
  assert.deepEqual((await listWarnings(some, [])).slice(1), [
    "Notebooks 4 and 5 are missing.",
    "Notebook 2 is not executed to the end.",
    "Notebook 3 is only tried out by --quick, so that the numbers mean nothing.",
  ]);
});

Deno.test("a report is synthetic if its results or a notebook are", async () => {
  const result = await experimentResult("dynamic", [seedResult(0, [0.8])]);
  assert.equal(isSynthetic(FIVE, [result]), false);
  assert.equal(isSynthetic(FIVE, [{ ...result, data: { name: "synthetic", fingerprint: "0" } }]), true);
  const drawn = notebook(
    "05_sample",
    code("a();", [opening("synthetic")]),
  );
  assert.equal(isSynthetic([...FIVE, drawn], [result]), true);
});
