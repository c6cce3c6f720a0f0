import assert from "node:assert/strict";
import { FIGURE_EDGE, figureScale, makeSection, pointTo } from "../../../notebooks/report/section.ts";
import { RAW_FORMAT } from "../../../notebooks/report/typst.ts";
import { listNotebooks, readNotebook, sourceOf } from "../../../notebooks/jupyter/notebook_file.ts";
import { readParts } from "../../../notebooks/report/parts.ts";
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
  assert.match(markdown, /#picture\(file: "figure-3-3\.svg", alt: "A black square\.", size: /);
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

const PRINTED = listNotebooks().flatMap((path) =>
  readParts(readNotebook(path), path).map((part) => ({ path, ...part }))
);

Deno.test("every figure of the notebooks has text of at least 6.5 pt on paper", () => {
  const figures = PRINTED.flatMap((part) =>
    part.kind === "figure" && part.facts ? [{ ...part, facts: part.facts }] : []
  );
  assert.ok(figures.length > 10);
  for (const { path, cell, data, facts } of figures) {
    const svg = new TextDecoder().decode(data);
    const scale = figureScale(facts, svg);
    const smallest = scale *
      Math.min(...[...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => Number(size)));
    assert.ok(smallest > 6.49, `cell ${cell} of ${path} has text of ${smallest} pt`);
    assert.ok(
      scale * (facts.width - 2 * FIGURE_EDGE) < 488,
      `cell ${cell} of ${path} is wider than the page`,
    );
  }
});

Deno.test("a figure is enlarged until its text can be read, but not beyond the page", () => {
  const facts = {
    kind: "figure",
    title: "",
    caption: "",
    alt: "",
    width: 424,
    height: 300,
    top: 20,
  } as const;
  assert.equal(figureScale(facts, '<text font-size="12"/>'), 0.57);
  assert.equal(figureScale(facts, '<text font-size="10"/><text font-size="16"/>'), 0.65);
  assert.equal(figureScale({ ...facts, width: 1024 }, '<text font-size="10"/>'), 0.487);
  assert.equal(figureScale({ ...facts, height: 2020 }, ""), 0.29);
});

Deno.test("a report instructs no reader as a notebook does", () => {
  for (const part of PRINTED) {
    if (part.kind !== "prose") continue;
    const found =
      /(?:^|\n\n|[.:;!?]\s+)(?:look (?!like)|watch|run|click|note what)\b|\b(?:next cell|run this|cell fails|look (?:whether|closely))\b/i
        .exec(part.markdown);
    assert.equal(found, null, `cell ${part.cell} of ${part.path}: ${found?.[0]}`);
  }
});

Deno.test("every paper that the notebooks link to is a reference of the report", () => {
  const papers = Deno.readTextFileSync(new URL("../../../notebooks/report/references.yml", import.meta.url));
  const sources = listNotebooks().flatMap((path) => readNotebook(path).cells.map(sourceOf)).join("\n");
  const links = [...sources.matchAll(/\]\((https:\/\/(?:arxiv|doi)\.org\/[^)]*)\)/g)].map(([, url]) => url);
  assert.ok(links.length > 10);
  for (const url of links) assert.ok(papers.includes(`  url: "${url}"\n`), url);
});
