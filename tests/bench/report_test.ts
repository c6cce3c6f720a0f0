import assert from "node:assert/strict";
import { drawResult, formatProfile, formatResult } from "../../bench/report.ts";
import { findRow } from "../../bench/result.ts";
import { sampleResult } from "./samples.ts";

const row = (text: string, label: string) =>
  text.split("\n").find((line) => line.startsWith(`| ${label} `))?.split("|").map((cell) => cell.trim())
    .slice(2, -1);

Deno.test("PyTorch's best form is looked for in each column, among those of our precision", () => {
  const [step, , single] = sampleResult().columns;
  assert.deepEqual([step.reference, single.reference], ["best", "compiled"]);
  assert.equal(findRow(sampleResult(), "step", "ours")!.ratio!.median, 1.25);
  assert.deepEqual(findRow(sampleResult(), "step", "bf16")!.ratio!.median, 2.5);
});

Deno.test("rows are compared round by round, not by their medians", () => {
  const { spread, ratio } = findRow(sampleResult(), "step", "plain")!;
  assert.equal(spread.median, 130);
  assert.deepEqual(ratio!.median, 50 / 130); // 100/260 and 50/120 in the others
});

Deno.test("the table says times, and how often as fast as PyTorch's best; memory, how much of it", () => {
  const text = formatResult(sampleResult());
  assert.deepEqual(row(text, "ours"), ["40.0 · 1.25 ×", "600 · 0.60 ×"]);
  assert.deepEqual(row(text, "PyTorch, tuned"), ["50.0 · **1 ×**", "1,000 · **1 ×**"]);
  assert.deepEqual(row(text, "plain TensorFlow.js"), ["130 · 0.38 ×", ""]);
  assert.deepEqual(row(text, "1"), ["3.00 (compiled)", "2.00", "1.50 (1.50–1.50)", "500"]);
  assert.deepEqual(row(text, "128"), ["50.0 (best)", "40.0", "1.25 (1.25–1.25)", "3,200"]);
  assert.match(text, /^- Gradients differ .* ours 4\.0e-6\.$/m);
  assert.match(text, /^- Making the batches takes 2\.1 % of our epoch\.$/m);
  assert.match(text, /^- Outside TensorFlow's own computing our step of 128 spends 1\.2 %\.$/m);
});

Deno.test("a trial and a busy machine are written above the table", () => {
  const text = formatResult({ ...sampleResult(), isQuick: true, warning: "THE MACHINE IS BUSY." });
  assert.match(
    text,
    /^\*\*A quick trial: these are no measurements\.\*\*\n\n\*\*THE MACHINE IS BUSY\.\*\*\n\n\|/,
  );
});

Deno.test("a profile lists the longest operations, the others in one row, and the rate", () => {
  const operations = Array.from({ length: 22 }, (_, k) => ({
    operation: `Op${k}`,
    count: 2,
    milliseconds: 4,
    share: 0.04,
  }));
  const text = formatProfile({
    ...{ batchSize: 128, steps: 5, milliseconds: 100, javaScript: 0.12, operations },
    ...{ compiled: { milliseconds: 40, javaScript: 0.01 }, flops: 8e9, matMulRate: 400e9 },
  });
  assert.deepEqual(row(text, "Op0"), ["2", "4.00", "4.0 %"]);
  assert.deepEqual(row(text, "2 others"), ["4", "8.00", "8.0 %"]);
  assert.deepEqual(row(text, "JavaScript"), ["", "12.00", "12.0 %"]);
  assert.match(
    text,
    /a step is 8\.0 GFLOP\. As one graph that is 200 GFLOP\/s, 50\.0 % of .*\(400 GFLOP\/s\)/,
  );
});

Deno.test("the figure draws each column with PyTorch's best as the measure", () => {
  const svg = drawResult(sampleResult())!;
  assert.match(svg, /^<svg[^>]* xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(
    svg,
    /train step, batch 128: PyTorch at its best 50\.0 ms, plain TensorFlow\.js 130 ms, ours 40\.0 ms\./,
  );
  assert.match(svg, /train step, batch 1: PyTorch at its best 3\.00 ms, ours 2\.00 ms\./);
  assert.equal(drawResult({ ...sampleResult(), columns: [] }), null);
});

Deno.test("without PyTorch there is nothing to compare with", () => {
  const result = sampleResult();
  for (const column of result.columns) {
    column.reference = null;
    column.rows = column.rows.filter(({ row }) => row === "ours").map((row) => ({ ...row, ratio: null }));
  }
  const text = formatResult({ ...result, pytorch: null, agreement: [] });
  assert.deepEqual(row(text, "ours"), ["40.0", "600"]);
  assert.deepEqual(row(text, "1"), ["", "2.00", "", "500"]);
});
