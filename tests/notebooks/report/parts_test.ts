import assert from "node:assert/strict";
import { InputError } from "../../../lib/support/errors.ts";
import { createRandom } from "../../../lib/support/random.ts";
import {
  cleanOutputs,
  formatNotebook,
  type NotebookCell,
  parseNotebook,
} from "../../../notebooks/jupyter/notebook_file.ts";
import { makeSection } from "../../../notebooks/report/section.ts";
import { isSynthetic } from "../../../notebooks/report/warnings.ts";
import { mutateBytes } from "../../torture/mutate.ts";
import { isExecuted, type Part, readParts } from "../../../notebooks/report/parts.ts";
import { code, drawFigure, figure, markdown, notebook, opening, printed, prose, table } from "./sample.ts";

function partsOf(...cells: NotebookCell[]): Part[] {
  const { file, path } = notebook("01_sample", ...cells);
  return readParts(file, path);
}

Deno.test("prose, figures, tables and printed text are printed; code is not", () => {
  const parts = partsOf(
    prose("# A\n\nText."),
    code("await show();", [
      figure("A square"),
      table(),
      markdown("Said."),
      printed("v: [16,8,8,64]\n"),
    ]),
    code("const a = 1;"),
  );
  assert.deepEqual(parts.map(({ kind, cell }) => [kind, cell]), [
    ["prose", 1],
    ["figure", 2],
    ["table", 2],
    ["prose", 2],
    ["text", 2],
  ]);
  assert.deepEqual(parts.map((part) => part.kind === "prose" && !part.isComputed), [
    true,
    false,
    false,
    false,
    false,
  ]);
  assert.equal(parts[4].kind === "text" && parts[4].text, "v: [16,8,8,64]");
});

Deno.test("a figure is printed as SVG where possible, else as PNG", () => {
  const svg = figure("A square");
  const png = { ...svg, data: { "image/png": svg.data!["image/png"] } };
  const parts = partsOf(code("", [svg, png]));
  assert.deepEqual(parts.map((part) => part.kind === "figure" && part.format), ["svg", "png"]);
  const [vector, pixels] = parts.map((part) => part.kind === "figure" ? part.data : new Uint8Array());
  assert.equal(new TextDecoder().decode(vector), drawFigure("A square").svg);
  assert.deepEqual([...pixels.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
});

Deno.test("tags print a cell's code, leave out its outputs or all of it, and mark the task it answers", () => {
  const tagged = (...tags: string[]) => ({ tags });
  const parts = partsOf(
    prose("Skipped.", tagged("report-skip")),
    code("a();", [printed("b")], tagged("report-skip")),
    code("c();\n", [printed("d")], tagged("report-code", "report-skip-output", "lab-2.1-init")),
    code("e();", [], tagged("lab-2.1-forward")),
    prose("Answer.", tagged("lab-3.2-downsides", "other")),
    code("g();", [printed("h"), markdown("## Answer")], tagged("lab-3.1-usage")),
  );
  assert.deepEqual(parts, [
    { kind: "code", source: "c();", cell: 3, answers: ["lab-2.1-init"] },
    { kind: "prose", markdown: "", isComputed: true, cell: 4, answers: ["lab-2.1-forward"] },
    { kind: "prose", markdown: "Answer.", isComputed: false, cell: 5, answers: ["lab-3.2-downsides"] },
    { kind: "text", text: "h", cell: 6, answers: [] },
    { kind: "prose", markdown: "## Answer", isComputed: true, cell: 6, answers: ["lab-3.1-usage"] },
  ]);
});

Deno.test("captions belong to a cell's figures and tables in order, and are kept in the file", () => {
  const metadata = { report: { captions: ["One", null, false, "Four"] } };
  const outputs = [figure("A"), markdown("Said."), table(), figure("left out"), figure("D")];
  const file = notebook("01_sample", code("", outputs, metadata)).file;
  const kept = JSON.parse(formatNotebook(file));
  const parts = readParts(kept, "01_sample.ipynb");
  assert.deepEqual(parts.map((part) => "caption" in part ? part.caption : "–"), ["One", "–", null, "Four"]);
});

Deno.test("notes for the notebook, circumstances and standard error are left out", () => {
  const parts = partsOf(
    prose("Before. <!-- notebook only -->Run the cell.<!-- end --> After."),
    code("", [
      opening("CIFAR-10"),
      printed("kept\n"),
      markdown("> **Note.** There are no results of dynamic yet.", { kind: "note" }),
      { output_type: "stream", name: "stderr", text: "a warning" },
    ]),
  );
  assert.deepEqual(
    parts.map((part) => part.kind === "prose" ? part.markdown : part.kind === "text" && part.text),
    [
      "Before.  After.",
      "kept",
    ],
  );
});

Deno.test("a notebook with a failed cell is refused by name and cell", () => {
  const failed = { output_type: "error" as const, ename: "TypeError", evalue: "no" };
  assert.throws(
    () => partsOf(prose("A"), code("a();", [failed])),
    new InputError({
      what: "make a report of 01_sample.ipynb",
      why: "its cell 2 (code) failed with TypeError",
      next: [{ task: "notebooks" }],
    }),
  );
});

Deno.test("a notebook counts as executed if all its code cells are", () => {
  const idle = { ...code("a();"), execution_count: null };
  assert.equal(isExecuted(notebook("01", prose("A"), code("a();")).file), true);
  assert.equal(isExecuted(notebook("01", code("a();"), idle).file), false);
});

Deno.test("raw cells and forms that cannot be printed are noticed", () => {
  const shown = (data: Record<string, unknown>) => ({
    output_type: "display_data" as const,
    data,
    metadata: {},
  });
  const parts = partsOf(
    { ...prose("\\begin{center}"), cell_type: "raw" },
    code("", [shown({ "text/html": "<b>1</b>", "text/plain": "1" }), shown({ "application/json": {} })]),
    code("", [{ ...figure("A"), data: { ...figure("A").data, "text/html": "<img>" } }]),
    code("", [shown({ "image/jpeg": "AQI=", "text/plain": "x" })]),
  );
  assert.deepEqual(parts.map((part) => part.kind === "left-out" ? part.what : part.kind), [
    "is a raw cell and left out",
    "shows text/html, which is printed as plain text",
    "text",
    "shows application/json, which is left out",
    "figure",
    "figure",
  ]);
});

Deno.test("a damaged picture and a very long text are refused by notebook and cell", () => {
  const damaged = { output_type: "display_data" as const, data: { "image/png": "#" }, metadata: {} };
  assert.throws(() => partsOf(prose("A"), code("", [printed("x".repeat(1e6))])), {
    message: "Cannot print cell 2 of 01_sample.ipynb: it has more than 50,000 characters.",
  });
  assert.throws(() => partsOf(prose("A"), code("", [damaged])), {
    name: "InputError",
    message: "Cannot print the picture of cell 2 of 01_sample.ipynb: it is damaged.",
  });
});

Deno.test("a mutation of a notebook is refused in a sentence, or read", () => {
  const metadata = { tags: ["report-code", "lab-2.1-init"], report: { captions: [null, "A"] } };
  const outputs = [figure("A"), table(), markdown("b"), printed("c"), opening("CIFAR-10")];
  const { file } = notebook("01_sample", prose("# A"), code("a();", outputs, metadata));
  const bytes = new TextEncoder().encode(formatNotebook(file));
  let read = 0;
  for (let seed = 0; seed < 1000; seed++) {
    const text = new TextDecoder().decode(mutateBytes(bytes, createRandom(seed, 12)).bytes);
    try {
      const mutated = parseNotebook(text, "01_sample.ipynb");
      makeSection({ path: "01_sample.ipynb", file: mutated });
      formatNotebook(cleanOutputs(mutated, "01_sample.ipynb", []));
      isSynthetic([{ path: "01_sample.ipynb", file: mutated }], []);
      read++;
    } catch (error) {
      if (!(error instanceof InputError)) throw new Error(`mutation ${seed}`, { cause: error });
    }
  }
  assert.ok(read > 100 && read < 900, String(read));
});
