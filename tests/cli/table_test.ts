import assert from "node:assert/strict";
import { formatTable } from "../../cli/shared/table.ts";

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
