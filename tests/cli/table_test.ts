import assert from "node:assert/strict";
import { formatTable, wrapText } from "../../cli/shared/table.ts";

Deno.test("numbers stand to the right with thousands separators, text to the left, sums below a rule", () => {
  const text = formatTable({
    header: ["layer", "output shape", "parameters", "trainable"],
    rows: [
      ["backbone.conv1", "[B,16,16,64]", 9408, "yes"],
      ["class_embeddings", "[10,128]", 1280, "yes"],
    ],
    footer: [["total", "", 212481, ""]],
  });
  assert.equal(
    text,
    `layer             output shape  parameters  trainable
─────────────────────────────────────────────────────
backbone.conv1    [B,16,16,64]       9,408  yes
class_embeddings  [10,128]           1,280  yes
─────────────────────────────────────────────────────
total                              212,481`,
  );
});

Deno.test("a column with text among its numbers stands to the left", () => {
  assert.equal(formatTable({ rows: [["a", 1000], ["b", "none"]] }), "a  1,000\nb  none");
});

Deno.test("rows may be shorter than others, and there may be none", () => {
  assert.equal(formatTable({ rows: [["a"], ["b", 2]] }), "a\nb  2");
  assert.equal(formatTable({ header: ["a", "b"], rows: [] }), "a  b\n────");
});

const WIDE = {
  header: ["layer", "kind", "output shape", "parameters", "trainable"],
  rows: [[
    "backbone.layer1.0.conv1",
    "batch normalisation, + shortcut, ReLU",
    "[B,16,16,64]",
    36_864,
    36_864,
  ]],
  footer: [["total", "", "", 212_481, 212_481]],
  prose: 1,
};

Deno.test("prose is wrapped where the table is too wide for 90 columns", () => {
  assert.equal(
    formatTable({ ...WIDE, width: 90 }),
    `layer                    kind                    output shape  parameters  trainable
────────────────────────────────────────────────────────────────────────────────────
backbone.layer1.0.conv1  batch normalisation, +  [B,16,16,64]      36,864     36,864
                         shortcut, ReLU
────────────────────────────────────────────────────────────────────────────────────
total                                                             212,481    212,481`,
  );
});

Deno.test("prose goes below its row at 60 columns, and no number is broken", () => {
  const text = formatTable({ ...WIDE, width: 60 });
  assert.equal(
    text,
    `layer                    output shape  parameters  trainable
  kind
────────────────────────────────────────────────────────────
backbone.layer1.0.conv1  [B,16,16,64]      36,864     36,864
  batch normalisation, + shortcut, ReLU
────────────────────────────────────────────────────────────
total                                     212,481    212,481`,
  );
});

Deno.test("headings are wrapped before anything else, and optional columns left out last", () => {
  const table = {
    header: ["run", "final test accuracy", "seconds per epoch"],
    rows: [["dynamic", "80.3\u00a0%", 60]],
  };
  assert.equal(
    formatTable({ ...table, width: 26 }),
    `            final  seconds
             test      per
run      accuracy    epoch
──────────────────────────
dynamic    80.3 %       60`,
  );
  assert.equal(
    formatTable({ ...table, optional: [2], width: 20 }),
    `            final
             test
run      accuracy
─────────────────
dynamic    80.3 %`,
  );
});

Deno.test("text is wrapped between words; a percentage stays whole, and so does a path", () => {
  assert.equal(
    wrapText("accuracy 80.3\u00a0% in /a/long/path/to/it", 13),
    "accuracy\n80.3 % in\n/a/long/path/to/it",
  );
  assert.equal(wrapText("- one two three", 9, 2), "- one\n  two\n  three");
});
