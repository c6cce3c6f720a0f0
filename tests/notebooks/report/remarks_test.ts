import assert from "node:assert/strict";
import { isSynthetic, joinWords, listRemarks, mergeSentences } from "../../../notebooks/report/remarks.ts";
import { codeVersion, experimentResult, seedResult } from "../../experiments/samples.ts";
import { code, notebook, opening, prose } from "./sample.ts";

const FIVE = [1, 2, 3, 4, 5].map((number) => notebook(`0${number}_sample`, prose("# A"), code("a();")));

Deno.test("one reproach for several experiments is one sentence", () => {
  assert.deepEqual(
    mergeSentences([
      "The results of a are old.",
      "There is none.",
      "The results of b are old.",
      "The results of c are new.",
    ]),
    ["The results of a and b are old.", "There is none.", "The results of c are new."],
  );
  assert.equal(joinWords(["a", "b", "c"]), "a, b and c");
});

Deno.test("stale results, missing notebooks and notebooks that were not executed are named", async () => {
  const stale = [await experimentResult("dynamic", [seedResult(0, [0.8], codeVersion("other"))])];
  const remarks = await listRemarks(FIVE, stale);
  assert.ok(
    remarks.some((text) => /^The results of dynamic are older than today's code/.test(text)),
    remarks.join(),
  );
  assert.ok(remarks.some((text) => /^There are no results of static-per-class/.test(text)));
  assert.deepEqual(await listRemarks(FIVE, []), [
    "There are no results of the comparison: deno task compare --publish makes them.",
  ]);
  const idle = notebook("02_sample", { ...code("a();"), execution_count: null });
  const some = [
    FIVE[0],
    idle,
    notebook("03_sample", code("a();", [opening("synthetic", true)])),
  ];
  assert.deepEqual((await listRemarks(some, [])).slice(1), [
    "Notebooks 4 and 5 are missing.",
    "Notebook 2 was not executed to its end.",
    "Notebook 3 is a quick trial of the machinery, whose numbers mean nothing.",
  ]);
});

Deno.test("a report is synthetic if its results are, or a notebook of it", async () => {
  const result = await experimentResult("dynamic", [seedResult(0, [0.8])]);
  assert.equal(isSynthetic(FIVE, [result]), false);
  assert.equal(isSynthetic(FIVE, [{ ...result, data: { name: "synthetic", fingerprint: "0" } }]), true);
  const drawn = notebook(
    "05_sample",
    code("a();", [opening("synthetic")]),
  );
  assert.equal(isSynthetic([...FIVE, drawn], [result]), true);
});
