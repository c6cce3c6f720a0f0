import assert from "node:assert/strict";
import { InputError } from "../../../lib/support/errors.ts";
import { convertMarkdown } from "../../../notebooks/report/typeset.ts";
import { findReportPython, TABLE } from "./sample.ts";

const python = await findReportPython();
const converts = { ignore: python === null };

Deno.test("Markdown becomes typst, formulas and all, and typst in it stays", converts, async () => {
  const typst = await convertMarkdown("# A `b`\n\nText: $x^2$ `#cite(<he2016>);`{=typst}\n- a list", python!);
  assert.match(typst, /^= A `b`\n/);
  assert.match(typst, /Text: \$x\^2\$ #cite\(<he2016>\);/);
  assert.match(typst, /^- a list$/m);
});

Deno.test("a table's columns have sides of their own", converts, async () => {
  assert.match(await convertMarkdown(TABLE, python!), /align: \(left,right,\)/);
});

Deno.test("thick spaces, words on arrows and large brackets are mended", converts, async () => {
  const typst = await convertMarkdown("$$a,\\; b \\xrightarrow{\\text{pool}} \\bigl(c\\bigr)$$", python!);
  assert.match(typst, /\\, thick b/);
  assert.match(typst, /stretch\(arrow\.r\)\^\(/);
  assert.match(typst, /lr\(size: #120%, \\\(\)/);
  assert.doesNotMatch(typst, /#scale|#h\(0em\)/);
});

Deno.test("a formula that cannot be converted is refused by its text", converts, async () => {
  await assert.rejects(
    convertMarkdown("$x \\foo y$", python!),
    new InputError(
      "Cannot print the formula x \\foo y: pandoc does not know a command in it; write it in another way.",
    ),
  );
});
