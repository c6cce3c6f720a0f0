// DESIGN: nothing finished is lost, nothing damaged is believed; a few tries of each kind
import assert from "node:assert/strict";
import { join } from "@std/path";
import { startProcess } from "../../lib/support/processes.ts";
import { PROJECT } from "../testing/sources.ts";
import type { Row } from "./runner.ts";

Deno.test("a quick torture loses nothing", async () => {
  const args = [
    "run",
    "-A",
    "-q",
    "--no-check",
    join(PROJECT, "tests/torture/torture.ts"),
    "--quick",
    "--json",
  ];
  const { stdout, stderr, code } = await (await startProcess(Deno.execPath(), args)).ended;
  assert.ok(stdout.startsWith("{"), stderr);
  const rows: Row[] = JSON.parse(stdout).rows;
  assert.deepEqual(rows.flatMap(({ lost }) => lost), []);
  assert.equal(code, 0, stderr);
  assert.ok(rows.filter(({ needs }) => needs === undefined).every(({ tries }) => tries > 0));
});
