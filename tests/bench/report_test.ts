import assert from "node:assert/strict";
import {
  drawResult,
  findRow,
  listNotes,
  summariseResult,
  tabulateProfile,
  tabulateSpreads,
} from "../../bench/report.ts";
import { requireSameDevice } from "../../bench/run_bench.ts";
import { sampleResult } from "./samples.ts";

Deno.test("PyTorch's best row is chosen in each column, by its median", () => {
  const [step, , single] = sampleResult().columns;
  assert.deepEqual([step.reference, single.reference], ["best", "compiled"]);
  assert.equal(findRow(step, "ours")!.ratio!.median, 1.25);
});

Deno.test("rows are compared round by round, not by their medians", () => {
  const { spread, ratio } = findRow(sampleResult().columns[0], "plain")!;
  assert.equal(spread.median, 130);
  assert.equal(ratio!.median, 50 / 130); // 100/260 and 50/120 in the others
});

Deno.test("the summary shows times as fast as PyTorch's best; for memory its multiple", () => {
  assert.deepEqual(summariseResult(sampleResult().columns).rows, [
    ["train step, batch 128", "130 ms", "50.0 ms", "40.0 ms", "1.25"],
    ["peak memory", "–", "1,000 MB", "600 MB", "0.60"],
    ["train step, batch 1", "–", "3.00 ms", "2.00 ms", "1.50"],
  ]);
  const [step] = tabulateSpreads(sampleResult().columns);
  assert.deepEqual(step.rows.at(-1), ["ours", "40.0", "40.0", "40.0–60.0", "1.25 (1.25–1.25)", "3 × 8"]);
});

Deno.test("notes name data, weights, agreement of the gradients and overheads", () => {
  const notes = listNotes(sampleResult()).join("\n");
  assert.match(notes, /^Images: CIFAR-10\. Weights: random\./m);
  assert.match(notes, /^Gradients differ from those of best by 4\.0e-6 \(ours\)/m);
  assert.match(notes, /^Making the batches takes 2\.1\s% of our epoch\.$/m);
  assert.match(notes, /^1\.2\s% of our step of 128 is spent outside TensorFlow\.$/m);
});

Deno.test("a profile lists the longest operations and sums the others", () => {
  const operations = Array.from(
    { length: 22 },
    (_, k) => ({ operation: `Op${k}`, count: 2, milliseconds: 4, share: 0.04 }),
  );
  const compiled = { milliseconds: 40, outside: 0.01 };
  const { rows } = tabulateProfile({
    ...{ batchSize: 128, steps: 5, milliseconds: 100, outside: 0.12, operations, compiled },
  });
  assert.deepEqual([rows[0], ...rows.slice(-3)], [
    ["Op0", "2", "4.00", "4.0\u00a0%"],
    ["2 others", "4", "8.00", "8.0\u00a0%"],
    ["outside TensorFlow", "", "12.00", "12.0\u00a0%"],
    ["step", "", "100.00", "100.0\u00a0%"],
  ]);
});

Deno.test("the figure draws each column relative to PyTorch's best", () => {
  const svg = drawResult(sampleResult())!;
  assert.match(svg, /batch 128: PyTorch at its best 50\.0 ms, plain TensorFlow\.js 130 ms, ours 40\.0 ms\./);
  assert.match(svg, /batch 1: PyTorch at its best 3\.00 ms, ours 2\.00 ms\./);
  assert.equal(drawResult({ ...sampleResult(), columns: [] }), null);
});

Deno.test("without PyTorch there is no ratio, and a GPU is not compared with a CPU", () => {
  const result = sampleResult();
  const columns = result.columns.map((column) => ({
    ...column,
    reference: null,
    rows: column.rows.filter(({ row }) => row === "ours").map((row) => ({ ...row, ratio: null })),
  }));
  assert.deepEqual(summariseResult(columns).rows[0], ["train step, batch 128", "–", "–", "40.0 ms", "–"]);
  const { own, pytorch } = result;
  requireSameDevice(own!, pytorch);
  assert.throws(
    () => requireSameDevice({ ...own!, device: "gpu" }, pytorch),
    /^InputError: Cannot compare: /,
  );
});
