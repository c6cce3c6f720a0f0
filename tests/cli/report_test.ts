import assert from "node:assert/strict";
import { join } from "@std/path";
import { unzipSync } from "fflate";
import { LAB_TASKS } from "../../notebooks/report/marker_page.ts";
import { listFiles, PROJECT } from "../testing/sources.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { runCommand } from "../testing/command.ts";
import { findReportPython, isTracked } from "../notebooks/report/sample.ts";

Deno.test("report refuses a missing or malformed student number in one line, and writes nothing", async () => {
  using folder = temporaryFolder();
  const cases: [string[], string][] = [
    [[], "Cannot start without --uid: write deno task report --uid UID."],
    [["--uid", "u123456"], "Cannot use --uid u123456: it must be u and seven digits, as u1234567."],
    [["--uid", "1234567"], "Cannot use --uid 1234567: it must be u and seven digits, as u1234567."],
    [["--uid", "u12345678"], "Cannot use --uid u12345678: it must be u and seven digits, as u1234567."],
    [["--uid", "u1234567", "--paper", "a5"], "Cannot use --paper a5: it must be a4 or letter."],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runCommand(
      "report",
      [...args, "--output", folder.path],
      folder.path,
    );
    assert.deepEqual([code, stdout, stderr], [2, "", `error: ${message}\n`]);
  }
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("report refuses a model that is not there before it executes anything", async () => {
  using folder = temporaryFolder();
  const { code, stderr } = await runCommand(
    "report",
    ["--uid", "u1234567", "--model", "nobody", "--output", folder.path],
    folder.path,
  );
  assert.equal(code, 2);
  assert.match(stderr, /^error: Cannot find a checkpoint of nobody: [^\n]*there are no runs yet\.\n$/);
});

Deno.test("report writes the PDF of the notebooks, and the zip with it and the code", {
  ignore: await findReportPython() === null || !await isTracked(),
}, async () => {
  using folder = temporaryFolder();
  const output = join(folder.path, "new");
  const { code, stdout, stderr } = await runCommand(
    "report",
    ["--uid", "u7654321", "--short", "--output", output],
    folder.path,
  );
  assert.equal(code, 0, stderr);
  const [, pages] = /^\S+Lab_4_u7654321\.pdf: (\d+) pages, /.exec(stdout) ?? [];
  assert.ok(Number(pages) >= 6 && Number(pages) <= 10, stdout);
  const pdf = Deno.readFileSync(join(output, "Lab_4_u7654321.pdf"));
  const files = unzipSync(Deno.readFileSync(join(output, "Lab_4_u7654321.zip")));
  assert.deepEqual(files["Lab_4_u7654321/Lab_4_u7654321.pdf"], pdf);
  assert.deepEqual(files["Lab_4_u7654321/deno.json"], Deno.readFileSync(join(PROJECT, "deno.json")));
  assert.ok(Object.keys(files).every((path) => path.startsWith("Lab_4_u7654321/")));
});

Deno.test("every task of the lab is answered in a notebook", () => {
  const tags = listFiles("notebooks", ".ipynb").filter((path) => !path.includes(".ipynb_checkpoints"))
    .flatMap((path) => {
      const { cells } = JSON.parse(Deno.readTextFileSync(join(PROJECT, path))) as {
        cells: { metadata: { tags?: string[] } }[];
      };
      return cells.flatMap(({ metadata: { tags = [] } }) => tags);
    });
  for (const path of LAB_TASKS.flatMap(({ code }) => code)) {
    assert.ok(Deno.statSync(join(PROJECT, path)).isFile);
  }
  assert.deepEqual(LAB_TASKS.filter(({ tag }) => !tags.includes(tag)).map(({ tag }) => tag), []);
  const known = LAB_TASKS.map(({ tag }) => tag);
  assert.deepEqual(tags.filter((tag) => tag.startsWith("lab-") && !known.includes(tag)), []);
});
