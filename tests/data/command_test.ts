import assert from "node:assert/strict";
import { join } from "@std/path";
import { runCommand } from "../testing/command.ts";
import { makeFolder } from "../testing/folder.ts";
import { makeCifar10Files, writeFolder } from "../testing/small_cifar10.ts";

const run = (...args: string[]) => runCommand("data", args, makeFolder());

Deno.test("deno task data prints the images per class and file", async () => {
  const { code, stdout, stderr } = await run("--data", "synthetic");
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const rows = stdout.split("\n");
  assert.equal(rows[0], "synthetic");
  assert.ok(rows.some((row) => /^airplane +1,000 +200 +1,200$/.test(row)), stdout);
  assert.ok(rows.some((row) => /^truck +1,000 +200 +1,200$/.test(row)), stdout);
  assert.ok(rows.some((row) => /^all +10,000 +2,000 +12,000$/.test(row)), stdout);
});

Deno.test("deno task data reports an error in one line and exits with 2", async () => {
  const damaged = await run("--data", await writeFolder(makeCifar10Files(10)));
  assert.equal(damaged.code, 2);
  assert.equal(damaged.stdout, "");
  assert.match(
    damaged.stderr,
    /^error: Cannot use CIFAR-10 in .*: data_batch_1\.bin has 30,730 bytes, expected 30,730,000; .*\n$/,
  );
  const missing = await run("--data", join(makeFolder(), "none"));
  assert.equal(missing.code, 2);
  assert.match(
    missing.stderr,
    /^error: Cannot use .*none as the data set \(--data\): there is no such folder; give the folder .*, or use --data synthetic\.\n$/,
  );
});
