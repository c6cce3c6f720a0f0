import assert from "node:assert/strict";
import { COLUMNS, listContestants, sizeColumns } from "../../bench/columns.ts";
import { FLOAT32_PEERS, FORMS, parseBatchSizes, parseNames } from "../../bench/forms.ts";
import { checkIdle } from "../../bench/machine.ts";

const ROWS = FORMS.map(({ row }) => row);

Deno.test("names are read in the table's order, whatever theirs", () => {
  assert.deepEqual(parseNames("ours, plain", ROWS, "--rows"), ["plain", "ours"]);
  assert.deepEqual(parseNames("all", ROWS, "--rows"), ROWS);
  assert.throws(() => parseNames("our", ROWS, "--rows"), /there is no our; did you mean ours\?$/);
  assert.throws(
    () => parseNames("torch", ROWS, "--rows"),
    /there is no torch; there are plain, usual, .*, or all\.$/,
  );
  assert.throws(() => parseNames(",", ROWS, "--rows"), /names nothing/);
});

Deno.test("batch sizes are positive whole numbers, each once and in order", () => {
  assert.deepEqual(parseBatchSizes("128, 1,32,1", "--batch-sizes"), [1, 32, 128]);
  for (const text of ["", "0", "1;2", "1.5", "-1", "1,"]) {
    assert.throws(
      () => parseBatchSizes(text, "--batch-sizes"),
      /^InputError: Cannot use --batch-sizes /,
      text,
    );
  }
});

Deno.test("columns name rows that there are, and torch.compile is not built for large batches", () => {
  const columns = [...COLUMNS, ...sizeColumns([1, 128, 512])];
  assert.deepEqual(columns.flatMap(({ rows }) => rows.filter((row) => !ROWS.includes(row))), []);
  assert.equal(new Set(columns.map(({ id }) => id)).size, columns.length);
  assert.deepEqual(sizeColumns([1, 512]).map(({ rows }) => rows), [["best", "compiled", "ours"], [
    "best",
    "ours",
  ]]);
  assert.ok(!FLOAT32_PEERS.includes("bf16"));
});

Deno.test("in a column ours come first, then a peer, then ours again", () => {
  const arena = { processOf: fail, open: fail, load: fail as never, epochImages: 1 };
  const rows = listContestants(COLUMNS[0], ["ours", "direct", "plain", "best", "usual"], arena).map((
    { row },
  ) => row);
  assert.deepEqual(rows, ["ours", "best", "direct", "usual", "plain"]);
});

function fail(): never {
  throw new Error("nothing is to be started");
}

Deno.test("a busy machine is refused, or warned of where that is wanted", () => {
  assert.equal(checkIdle(0.6, 2, false), null);
  assert.throws(
    () => checkIdle(0.61, 2, false),
    /^InputError: Cannot measure .* 0\.61 on 2 cores.*--force\.$/,
  );
  assert.match(checkIdle(8, 2, true)!, /^THE MACHINE IS BUSY: .* 8\.00 on 2 cores/);
});
