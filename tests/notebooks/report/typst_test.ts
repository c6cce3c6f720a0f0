import assert from "node:assert/strict";
import { InputError } from "../../../lib/support/errors.ts";
import { convertPieces } from "../../../notebooks/report/markdown.ts";
import { escapeParagraph, inline, runPython, toTypst } from "../../../notebooks/report/typst.ts";
import { join } from "@std/path";
import { temporaryFolder, temporaryVariable } from "../../testing/folder.ts";
import { findReportPython, TABLE } from "./sample.ts";

const python = await findReportPython();
const converts = { ignore: python === null };

const PLACE = { path: "notebooks/03_sample.ipynb", number: 4 };

/** Converts one piece. */
async function convert(markdown: string, attachments?: Record<string, Record<string, string>>) {
  const [piece] = await convertPieces([{ markdown, place: { ...PLACE, attachments } }], python!);
  return piece;
}

const convertMarkdown = async (markdown: string) => (await convert(markdown)).typst;

Deno.test("Markdown becomes typst, formulas included, and embedded typst is kept", converts, async () => {
  const typst = await convertMarkdown(`# A \`b\`\n\nText: $x^2$ ${inline("#cite(<he2016>);")}\n- a list`);
  assert.match(typst, /^= A `b`\n/);
  assert.match(typst, /Text: \$x\^2\$ #cite\(<he2016>\);/);
  assert.match(typst, /^- a list$/m);
});

Deno.test("a table's columns are aligned one by one", converts, async () => {
  assert.match(await convertMarkdown(TABLE), /align: \(left,right,\)/);
});

Deno.test("columns of numbers are right-aligned, with intervals and units too", converts, async () => {
  const rows = [
    "| a | b | c | d | e |\n| --- | --- | --- | --- | --- |",
    "| frozen | 41.4 % [40.4, 42.4] | 43° | 8 of 64 | 3×3 pixels |",
    "| 2nd | −0.1 [−0.2, +0.1]: undecided | – | reference | backbone |",
  ];
  assert.match(await convertMarkdown(rows.join("\n")), /align: \(left,right,right,right,left,\)/);
});

Deno.test("what announces a list stands on its page", converts, async () => {
  assert.match(
    await convertMarkdown("Alone.\n\nThree of them:\n\n- a\n- b"),
    /^Alone\.\n\n#block\(sticky: true\)\[\s*Three of them:\s*\]\s*- a/,
  );
});

Deno.test("thick spaces, text on arrows and large brackets are repaired", converts, async () => {
  const typst = await convertMarkdown("$$a,\\; b \\xrightarrow{\\text{pool}} \\bigl(c\\bigr)$$");
  assert.match(typst, /\\, thick b/);
  assert.match(typst, /stretch\(arrow\.r\)\^\(/);
  assert.match(typst, /lr\(size: #120%, \\\(\)/);
  assert.doesNotMatch(typst, /#scale|#h\(0em\)/);
});

Deno.test("a formula that cannot be converted is refused with its source", converts, async () => {
  await assert.rejects(
    convertMarkdown("$x \\foo y$"),
    new InputError({
      what: "print the formula x \\foo y of cell 4 of 03_sample.ipynb",
      why: "pandoc does not know a command in it",
      next: [{ advice: "rewrite it" }],
    }),
  );
});

Deno.test("text is escaped for Markdown and typst", () => {
  assert.equal(escapeParagraph("a_b *c* [d] 1. $e$ 50 %"), "a\\_b \\*c\\* \\[d\\] 1\\. \\$e\\$ 50 %");
  assert.equal(toTypst(['a"b\\c\nd', null, true, []]), '("a\\"b\\\\c\\nd", none, true, (),)');
});

Deno.test("a notebook's own typst does not run, and HTML is left out and noticed", converts, async () => {
  const hostile = '`#panic("x")`{=typst}\n\n```{=typst}\n#panic("y")\n```\n\n#panic("z") @a <b> $c$ \\text';
  const { typst, hasHtml } = await convert(hostile);
  assert.doesNotMatch(typst, /(?<!\\)#panic|(?<!\\)[@<]/);
  assert.match(typst, /\\#panic/);
  assert.equal(hasHtml, true); // raw typst is left out as HTML is
  for (const html of ["a <b>c</b>", "<table><tr><td>x</td></tr></table>", "<script>alert(1)</script>"]) {
    const piece = await convert(html);
    assert.ok(piece.hasHtml && !/[<>]/.test(piece.typst), html);
  }
  assert.equal((await convert("a \ud800 b")).typst, "a \ufffd b\n\n"); // half of a surrogate pair
  const harmless = await convert("a<br>b <!-- c -->\n\n[d](#e)");
  assert.deepEqual([harmless.hasHtml, harmless.typst], [false, "a \\\nb\n\nd\n\n"]);
});

Deno.test("what a cell leaves open ends with it", converts, async () => {
  const pieces = ["<!-- open", "```\nopen", "<pre>", "| a |\n|---|\n| b |", "last"];
  const converted = await convertPieces(pieces.map((markdown) => ({ markdown })), python!);
  assert.deepEqual(converted.map(({ hasHtml }) => hasHtml), [true, false, true, false, false]);
  assert.match(converted[3].typst, /\[b\]/);
  assert.equal(converted[4].typst, "last\n\n");
});

Deno.test(
  "a picture is an attachment, or a file beside the notebook; a missing one is refused by its cell",
  converts,
  async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "01_a.ipynb");
    Deno.writeTextFileSync(join(folder.path, "a b.svg"), "<svg/>");
    const read = async (source: string) => {
      const attachments = { "x.png": { "image/png": "AQI=" } };
      const place = { path, number: 2, attachments };
      const [{ files, typst }] = await convertPieces([{ markdown: `![alt](${source})`, place }], python!);
      assert.match(typst, /image\("picture-1-1"/);
      return [...files.get("picture-1-1")!];
    };
    assert.deepEqual(await read("attachment:x.png"), [1, 2]);
    assert.deepEqual(await read("a%20b.svg"), [...new TextEncoder().encode("<svg/>")]);
    const refused: [string, RegExp][] = [
      ["b.svg", /^Cannot print the picture b\.svg of cell 2 of 01_a\.ipynb: there is no such file\.$/],
      ["50%.png", /there is no such file/],
      ["%ff%.png", /there is no such file/],
      ["https://example.org/a.png", /the notebook does not hold it/],
      ["attachment:y.png", /the notebook does not hold it/],
    ];
    for (const [source, message] of refused) {
      await assert.rejects(
        read(source),
        (error) => error instanceof InputError && message.test(error.message),
      );
    }
  },
);

Deno.test("a program that does not start, fails or is killed is told in a sentence", async () => {
  using folder = temporaryFolder();
  const program = join(folder.path, "python");
  const run = async (script: string) => {
    Deno.writeTextFileSync(program, script, { mode: 0o755 });
    const error = await runPython("pandoc", program, [], "x".repeat(1e6)).catch((error) => error);
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  };
  assert.equal(
    await run("#!/bin/sh\nexit 3\n"),
    "Cannot make the report by pandoc: it failed (exit code 3).",
  );
  assert.match(await run("#!/bin/sh\necho a >&2; echo b >&2; exit 1\n"), /: it failed \(a\)\.$/);
  assert.match(await run("#!/bin/sh\necho Traceback >&2; echo b >&2; exit 1\n"), /: it failed \(b\)\.$/);
  assert.match(await run("#!/bin/sh\nkill -9 $$\n"), /: SIGKILL ended it, as where memory runs out or after/);
  assert.match(await run("#!/no/such/interpreter\n"), /not installed or not executable/);
  using _variable = temporaryVariable("TMPDIR", "/nowhere");
  await assert.rejects(runPython("pandoc", program, []), Deno.errors.NotFound); // the commands word it
});
