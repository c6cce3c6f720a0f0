import assert from "node:assert/strict";
import { temporaryVariable } from "../../testing/folder.ts";
import { unzlibSync } from "fflate";
import { InputError } from "../../../lib/support/errors.ts";
import { isExecuted } from "../../../notebooks/report/parts.ts";
import { makeReport, reportDate, type ReportOptions } from "../../../notebooks/report/make_report.ts";
import { readResults } from "../../../lib/experiments/results.ts";
import { listNotebooks, type NotebookCell, readNotebook } from "../../../notebooks/jupyter/notebook_file.ts";
import { projectFolder } from "../../../lib/support/project.ts";
import { experimentResult, seedResult } from "../../experiments/samples.ts";
import { code, figure, findReportPython, markdown, notebook, printed, prose, table } from "./sample.ts";

const python = await findReportPython();
const setsPages = { ignore: python === null };

const NOTEBOOKS = [
  notebook(
    "01_first",
    prose("# 1 · The first notebook\n\n**The question.** What of CIFAR-10?", { tags: ["lab-2.1-init"] }),
    prose("## Parts\n\nA formula $\\hat w = w / \\lVert w \\rVert_2$, and a picture to expect."),
    code(
      "await displayFigure(square);",
      [figure("A black square", "Data: CIFAR-10."), table(), printed("v: [16,8,8,64]\n")],
      { tags: ["report-code", "lab-2.1-forward"], report: { captions: [null, "The `parts` of it."] } },
    ),
    prose(
      "Notebook 2 continues, and [this one](02_second.ipynb), not notebook 9; see " +
        "[the loop](../lib/training/train.ts), [RISE](https://arxiv.org/abs/1806.07421) and 80.31 ± 0.20 %.",
    ),
    prose("<!-- notebook only -->Next: [more](02_second.ipynb).<!-- end -->"),
  ),
  notebook(
    "02_second",
    prose("# 2 · The second notebook\n\nOf notebook 1."),
    code("f();", [markdown("**Said.**")]),
  ),
];

const RESULTS = [
  await experimentResult("dynamic", [seedResult(0, [0.5, 0.8031]), seedResult(1, [0.5, 0.8031])]),
  await experimentResult("static-per-class", [seedResult(0, [0.5, 0.81]), seedResult(1, [0.5, 0.82])]),
];

const make = async (options: Partial<ReportOptions> = {}) =>
  await makeReport({ uid: "u7654321", notebooks: NOTEBOOKS, results: RESULTS, python: python!, ...options });

let usual: ReturnType<typeof make> | undefined; // made once, looked at by several tests

Deno.test(
  "a report is a PDF with title, abstract, contents, sections, references and appendix",
  setsPages,
  async () => {
    const { pdf, pages, synthetic } = await (usual ??= make());
    assert.equal(new TextDecoder().decode(pdf.subarray(0, 5)), "%PDF-");
    assert.equal(synthetic, false);
    const texts = await readPages(pdf);
    if (texts === null) return;
    assert.equal(texts.length, pages);
    const [first, second] = texts;
    for (const words of ["Lab 4", "u7654321", "2 January 2026", "Abstract", "80.31 ± 0.00 %", "Contents"]) {
      assert.ok(first.includes(words), `${words} in\n${first}`);
    }
    assert.match(first, /There are no results of .*static-ten-way/);
    const all = texts.join("\n").replace(/\s+/g, " ");
    assert.match(second, /For the marker/);
    assert.match(second, /1 The first notebook, p\. \d\s+01:1\b/);
    assert.match(second, /1\.1 Parts, p\. \d\s+01:3\b/);
    assert.match(all, /Figure 1\. A black square\. Data: CIFAR-10\./);
    assert.match(all, /Table 1\. The parts of it\./);
    assert.match(all, /a picture to expect \(Figure 1, Table 1\)\./);
    assert.match(all, /Section 2 continues, and this one \(Section 2\), not notebook 9;/);
    assert.match(all, /the loop \(lib\/training\/train\.ts\), RISE \[\d+\] and 80\.31 ± 0\.20 %\./);
    assert.match(all, /Petsiuk/);
    assert.doesNotMatch(all, /Next:/);
    assert.match(all, /await displayFigure\(square\);/);
    assert.match(all, /v: \[16,8,8,64\]/);
    assert.match(all, /Krizhevsky/);
    assert.match(all, /A\.2\s+Options/);
    assert.match(all, /batchSize\s+128\s+128/);
    assert.match(
      all,
      /Programs: deno [\d.]+, jupyterlab [\d.]+, nbconvert [\d.]+, pypandoc [\d.]+, typst [\d.]+\./,
    );
  },
);

Deno.test(
  "contents and marker's page agree, and no list is torn, wherever a page ends",
  setsPages,
  async () => {
    // the answer stands a page after its heading, and the lists end pages in many ways
    const lines = Array.from(
      { length: 4 },
      () => "A line of text that is as long as a line of this report.\n\n",
    );
    const list = Array.from({ length: 9 }, (_, at) => `- entry ${at + 1} of nine\n`).join("");
    const long = notebook(
      "01_first",
      prose("# 1 · A"),
      ...Array.from(
        { length: 9 },
        (_, at) => prose(`## Part ${at + 1}\n\n${lines.slice(at % 4).join("")}${list}`),
      ),
      prose("## The answer\n\n" + lines.join("").repeat(12)),
      prose("It is this.", { tags: ["lab-3.2-downsides"] }),
    );
    const pages = await readPages((await make({ notebooks: [long] })).pdf);
    if (pages === null) return;
    const contents = /The answer[ .\u2060]+(\d+)/.exec(pages[0])?.[1];
    const marker = /1\.10 The answer, p\. (\d+)/.exec(pages[1])?.[1];
    assert.ok(contents !== undefined && pages[Number(contents) - 1].includes("1.10 The answer"), pages[0]);
    assert.equal(marker, contents);
    assert.ok(!pages[Number(contents) - 1].includes("It is this."));
    for (const page of pages) {
      assert.equal(page.split("entry 1 of nine").length, page.split("entry 9 of nine").length, page);
    }
  },
);

Deno.test(
  "the short form of this project's report has 6 to 8 pages, with the code of the tasks",
  setsPages,
  async () => {
    const notebooks = listNotebooks().map((path) => ({ path, file: readNotebook(path) }));
    const results = readResults();
    const { pdf, pages } = await make({ notebooks, results, short: true });
    assert.ok((await make({ notebooks, results })).pages > 2 * pages);
    // outputs of other cells than these say nothing
    const isCurrent = notebooks.every(({ file }) => isExecuted(file));
    assert.ok(!isCurrent || pages >= 6 && pages <= 8, `${pages} pages`);
    const all = (await readPages(pdf) ?? []).join("\n").replace(/\s+/g, " ");
    if (all === "") return;
    for (
      const words of [
        "For the marker",
        "function normaliseRows",
        "function resumeTraining",
        "Advantages",
        "Jia",
      ]
    ) {
      assert.ok(all.includes(words), words);
    }
    assert.doesNotMatch(all, /Contents|Provenance/);
  },
);

Deno.test("the same input gives the same bytes, on A4 and on letter paper", setsPages, async () => {
  const [one, other, letter] = [await (usual ??= make()), await make(), await make({ paper: "letter" })];
  assert.deepEqual(one.pdf, other.pdf);
  const sizeOf = (pdf: Uint8Array) => /\/MediaBox \[0 0 ([\d.]+ [\d.]+)\]/.exec(unpackPdf(pdf))?.[1];
  assert.match(sizeOf(one.pdf)!, /^595\.\d+ 841\.\d+$/);
  assert.equal(sizeOf(letter.pdf), "612 792");
});

Deno.test("on synthetic data every page says so", setsPages, async () => {
  const results = RESULTS.map((result) => ({ ...result, data: { name: "synthetic", fingerprint: "0" } }));
  const { pdf, synthetic } = await make({ results });
  assert.equal(synthetic, true);
  for (const text of await readPages(pdf) ?? []) {
    assert.match(text, /Synthetic data: measured on generated images/);
  }
});

Deno.test(
  "a report has vector figures, embedded fonts and no local path",
  setsPages,
  async () => {
    const { pdf } = await (usual ??= make());
    const inside = unpackPdf(pdf);
    for (const folder of [projectFolder(), Deno.env.get("HOME") ?? "/root", "/tmp/", "node_modules"]) {
      assert.ok(!inside.includes(folder), folder);
    }
    assert.match(inside, /Arimo/);
    assert.doesNotMatch(inside, /\/Subtype \/Image/);
  },
);

Deno.test("a notebook whose outputs have a local path is refused", setsPages, async () => {
  const said = notebook(
    "01_first",
    prose("# A"),
    code("f();", [printed(`saved in ${projectFolder()}/checkpoints`)]),
  );
  await assert.rejects(make({ notebooks: [said] }), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^Cannot make the report: the notebooks name a folder of this machine, /);
    return true;
  });
});

Deno.test("hostile names in results and notebooks are printed as they are", setsPages, async () => {
  const hostile = '#panic("x") `#panic("y")`{=typst} <script>alert(1)</script> | $x$ \\panic @a <b> ]]> "c"';
  const results = structuredClone(RESULTS);
  for (const result of results) {
    [result.data.name, result.weights, result.change] = [hostile, hostile, hostile];
    result.seeds[0].sessions[0].machine.cpu = hostile;
    result.seeds[0].sessions[0].tensorflow = hostile;
  }
  const shown = { ...figure(hostile, hostile), metadata: { report: { ...facts(hostile) } } };
  const said = notebook(
    "01_first",
    prose("# A"),
    code(hostile, [shown, printed(hostile)], { tags: ["report-code"] }),
  );
  const { pdf } = await make({ results, notebooks: [said] });
  const text = (await readPages(pdf) ?? [hostile.repeat(8)]).join("").replace(/\s+/g, " ");
  const count = text.split("<script>alert(1)</script> |").length - 1;
  assert.ok(count >= 7, `${count} times in ${text}`);
});

const facts = (text: string) => ({
  ...{ kind: "figure" as const, title: text, caption: text, alt: text, width: 240, height: 180, top: 60 },
});

Deno.test("what cannot be printed is told on the first page by notebook and cell", setsPages, async () => {
  const said = notebook(
    "01_first",
    prose("# A"),
    prose("<b>HTML</b> and 你好"),
    { ...prose("raw"), cell_type: "raw" },
    code("1", [figure("A 你")]),
  );
  const { warnings } = await make({ notebooks: [said] });
  const found = warnings.filter((text) => /cell|figure/.test(text));
  assert.deepEqual(found.sort(), [
    "In 01_first.ipynb, cell 2 has HTML or raw typst, which is left out.",
    "In 01_first.ipynb, cell 3 is a raw cell and left out.",
    "No font of the report has these characters of a figure or a name, so that boxes are printed: U+4F60.",
    "No font of the report has these characters of cell 2 of 01_first.ipynb, so that boxes are printed: U+4F60, U+597D.",
    "No font of the report has these characters of cell 4 of 01_first.ipynb, so that boxes are printed: U+4F60.",
  ]);
});

Deno.test("a cell that typst cannot set is refused by its number", setsPages, async () => {
  const shown = (data: Record<string, string>) => ({
    output_type: "display_data" as const,
    data,
    metadata: {},
  });
  const cases: [cell: NotebookCell, why: RegExp][] = [
    [code("1", [shown({ "image/svg+xml": "<svg" })]), /: failed to parse SVG/],
    [code("1", [shown({ "image/png": "AQI=" })]), /: /],
    [prose(`[x](${"a".repeat(9000)})`), /: URL is too long/],
  ];
  for (const [cell, why] of cases) {
    const said = notebook("01_first", prose("# A"), prose("Text."), cell, prose("More."));
    await assert.rejects(make({ notebooks: [said] }), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /^Cannot print cell 3 of 01_first\.ipynb: /);
      assert.match(error.message, why);
      return true;
    });
  }
});

Deno.test("two notebooks of one number are refused by name", async () => {
  const notebooks = [notebook("01_build-Copy1", prose("# A")), notebook("01_build", prose("# A"))];
  await assert.rejects(makeReport({ uid: "u1234567", notebooks, results: [], python: "none" }), {
    message: "Cannot make the report: 01_build-Copy1.ipynb and 01_build.ipynb have the same number.",
  });
});

Deno.test("a report's date is that of the latest training, or SOURCE_DATE_EPOCH", () => {
  using _variable = temporaryVariable("SOURCE_DATE_EPOCH", null);
  assert.equal(reportDate(RESULTS)!.toISOString(), "2026-01-02T10:00:00.000Z");
  assert.equal(reportDate([]), null);
  Deno.env.set("SOURCE_DATE_EPOCH", "86400");
  assert.equal(reportDate(RESULTS)!.toISOString(), "1970-01-02T00:00:00.000Z");
  Deno.env.set("SOURCE_DATE_EPOCH", "today");
  assert.throws(() => reportDate([]), InputError);
});

/** Unpacks a PDF's compressed streams, as Latin-1 text. */
function unpackPdf(pdf: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(pdf);
  const streams = [...text.matchAll(/stream\r?\n/g)].filter(({ index }) =>
    !text.slice(0, index).endsWith("end")
  )
    .map(({ index, 0: word }) => {
      const start = index + word.length;
      return pdf.subarray(start, text.indexOf("endstream", start));
    });
  return [text, ...streams.map(inflate)].join("\n");
}

function inflate(stream: Uint8Array): string {
  try {
    return new TextDecoder("latin1").decode(unzlibSync(stream));
  } catch {
    return ""; // not compressed: it is in the text already
  }
}

/** Reads the text of each page by `pdftotext`; null on a machine without it. */
async function readPages(pdf: Uint8Array): Promise<string[] | null> {
  const path = await Deno.makeTempFile({ suffix: ".pdf" });
  try {
    await Deno.writeFile(path, pdf);
    const { success, stdout } = await new Deno.Command("pdftotext", { args: ["-layout", path, "-"] })
      .output();
    return success ? new TextDecoder().decode(stdout).split("\f").slice(0, -1) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  } finally {
    await Deno.remove(path);
  }
}
