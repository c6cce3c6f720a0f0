import assert from "node:assert/strict";
import { sourceOf } from "../../../notebooks/jupyter/notebook_file.ts";
import { shorten } from "../../../notebooks/report/shorten.ts";
import { code, notebook, printed, prose } from "./sample.ts";

Deno.test("the short form keeps the title, and tagged cells below their headings", () => {
  const kept = { tags: ["lab-2.1-init", "report-short"] };
  const { file } = notebook(
    "01_sample",
    prose("# 1 · A title\n\n**The question.**\n\n## Left out"),
    code("a();", [printed("a")]),
    prose("Text.\n\n## Kept\n\nMore text."),
    code("b();", [printed("b")]),
    code("c();", [printed("c")], kept),
    prose("## Left out too"),
    prose("An answer.", kept),
  );
  const { cells } = shorten(file);
  assert.deepEqual(cells.map((cell) => cell.outputs?.length ?? sourceOf(cell)), [
    "# 1 · A title",
    "",
    "## Kept",
    "",
    1,
    "## Left out too",
    "An answer.",
  ]);
});
