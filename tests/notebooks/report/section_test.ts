import assert from "node:assert/strict";
import { makeSection, pointTo } from "../../../notebooks/report/section.ts";
import { RAW_FORMAT } from "../../../notebooks/report/typst.ts";
import { code, figure, notebook, prose, table } from "./sample.ts";

Deno.test("a section has the notebook's title, captioned figures and labelled answers", () => {
  const metadata = { tags: ["lab-2.1-init"], report: { captions: [null, "The `parts`."] } };
  const { number, pieces, files, answers } = makeSection(notebook(
    "03_sample",
    prose("# 3 · A title\n\nText."),
    prose("## Parts\n\nSee below."),
    code("", [figure("A square", "Data: CIFAR-10."), table()], metadata),
  ));
  const markdown = pieces.map((piece) => piece.markdown).join("\n\n").replaceAll(RAW_FORMAT, "typst");
  assert.equal(number, 3);
  assert.deepEqual([...new Set(pieces.map(({ place }) => place?.number))], [1, 2, 3]);
  assert.match(
    markdown,
    /^\s*```+\{=typst\}\n#counter\(heading\)\.update\(2\)[^]*# A title `<notebook-3>`\{=typst\}/,
  );
  assert.match(
    markdown,
    /See below \(`#ref\(<figure-3-3>\);`\{=typst\}, `#ref\(<table-3-4>\);`\{=typst\}\)\./,
  );
  assert.match(markdown, /#picture\(file: "figure-3-3\.svg", floats: false, alt: "A black square\.", size: /);
  assert.match(markdown, /\nA square\\\. Data: CIFAR\\-10\\\.\n/);
  assert.match(markdown, /#captioned-table\(rows: 1, columns: 2\)\[[^]*\nThe `parts`\.\n/);
  assert.deepEqual([...files.keys()], ["figure-3-3.svg"]);
  assert.deepEqual([...answers], [["lab-2.1-init", [{ label: "figure-3-3", cell: 3, heading: "Parts" }]]]);
});

Deno.test("the last running paragraph before figures refers to them", () => {
  const one = `(\`#ref(<figure-1-4>);\`{=${RAW_FORMAT}})`;
  assert.equal(
    pointTo("First.\n\nExpect little.\n\n- a list", ["figure-1-4"]),
    `First.\n\nExpect little ${one}.\n\n- a list`,
  );
  assert.equal(pointTo("$$x.$$", ["figure-1-4"]), "$$x.$$");
});
