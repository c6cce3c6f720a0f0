import assert from "node:assert/strict";
import {
  type BenchContext,
  COLUMNS,
  listCases,
  parseBatchSizes,
  ROW_NAMES,
  selectNames,
  sizeColumns,
} from "../../bench/cases.ts";
import { checkIdle } from "../../cli/bench.ts";

Deno.test("names are selected in the table's order", () => {
  assert.deepEqual(selectNames("ours, plain", ROW_NAMES, "rows"), ["plain", "ours"]);
  assert.deepEqual(selectNames("all", ROW_NAMES, "rows"), ROW_NAMES);
  assert.throws(() => selectNames("torch", ROW_NAMES, "rows"), /^InputError: .* there is no "torch"/);
  assert.throws(() => selectNames(",", ROW_NAMES, "rows"), /^InputError: .* it is empty/);
});

Deno.test("batch sizes are positive integers, sorted and unique", () => {
  assert.deepEqual(parseBatchSizes("128, 1,32,1"), [1, 32, 128]);
  for (const text of ["", "0", "1;2", "1.5", "-1", "1,"]) {
    assert.throws(() => parseBatchSizes(text), /^InputError: Cannot use the batch sizes /, text);
  }
});

Deno.test("columns have unique names, and torch.compile is not built for large batches", () => {
  const columns = [...COLUMNS, ...sizeColumns([1, 128, 512])];
  assert.equal(new Set(columns.map(({ id }) => id)).size, columns.length);
  const [small, large] = sizeColumns([1, 512]).map(({ rows }) => rows);
  assert.deepEqual([small, large], [["best", "compiled", "ours"], ["best", "ours"]]);
});

Deno.test("cases alternate between our side and PyTorch", () => {
  const context = { load: { command: "load", state: "", data: null, images: 1 }, epochImages: 1 } as const;
  const cases = listCases(
    COLUMNS[0],
    ["ours", "eager", "plain", "best", "usual"],
    context as never as BenchContext,
  );
  assert.deepEqual(cases.map(({ name }) => name), ["ours", "best", "eager", "usual", "plain"]);
});

Deno.test("a busy machine is refused, or warned of where that is wanted", () => {
  assert.equal(checkIdle(0.6, 2, false), null);
  assert.throws(() => checkIdle(0.61, 2, false), /^InputError: Cannot measure .* 0\.61 on 2 cores/);
  assert.match(checkIdle(8, 2, true)!, /^THE MACHINE IS BUSY: .* 8\.00 on 2 cores/);
});
