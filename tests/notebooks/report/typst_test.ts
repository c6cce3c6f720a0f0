import assert from "node:assert/strict";
import { InputError } from "../../../lib/support/errors.ts";
import { convertMarkdown, escapeMarkdown, toTypst } from "../../../notebooks/report/typst.ts";
import { findReportPython, TABLE } from "./sample.ts";

const python = await findReportPython();
const converts = { ignore: python === null };

Deno.test("Markdown becomes typst, formulas included, and embedded typst is kept", converts, async () => {
  const typst = await convertMarkdown("# A `b`\n\nText: $x^2$ `#cite(<he2016>);`{=typst}\n- a list", python!);
  assert.match(typst, /^= A `b`\n/);
  assert.match(typst, /Text: \$x\^2\$ #cite\(<he2016>\);/);
  assert.match(typst, /^- a list$/m);
});

Deno.test("a table's columns are aligned one by one", converts, async () => {
  assert.match(await convertMarkdown(TABLE, python!), /align: \(left,right,\)/);
});

Deno.test("thick spaces, text on arrows and large brackets are repaired", converts, async () => {
  const typst = await convertMarkdown("$$a,\\; b \\xrightarrow{\\text{pool}} \\bigl(c\\bigr)$$", python!);
  assert.match(typst, /\\, thick b/);
  assert.match(typst, /stretch\(arrow\.r\)\^\(/);
  assert.match(typst, /lr\(size: #120%, \\\(\)/);
  assert.doesNotMatch(typst, /#scale|#h\(0em\)/);
});

Deno.test("a formula that cannot be converted is refused with its source", converts, async () => {
  await assert.rejects(
    convertMarkdown("$x \\foo y$", python!),
    new InputError({
      what: "print the formula x \\foo y",
      why: "pandoc does not know a command in it",
      next: [{ advice: "rewrite it" }],
    }),
  );
});

Deno.test("text is escaped for Markdown and typst", () => {
  assert.equal(escapeMarkdown("a_b *c* [d] 1. $e$ 50 %"), "a\\_b \\*c\\* \\[d\\] 1\\. \\$e\\$ 50 %");
  assert.equal(toTypst(['a"b\\c\nd', null, true, []]), '("a\\"b\\\\c\\nd", none, true, (),)');
});
