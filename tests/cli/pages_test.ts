import assert from "node:assert/strict";
import { join } from "@std/path";
import { refuseUnusable, replaceTable } from "../../cli/pages.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { experimentResult, seedResult } from "../experiments/samples.ts";
import { PROJECT } from "../testing/sources.ts";

const all = () => Promise.all(EXPERIMENTS.map(({ name }) => experimentResult(name, [seedResult(0, [0.5])])));

Deno.test("the README shows no results of other data, of an edited recipe or of synthetic images", async () => {
  await refuseUnusable(await all());
  const [mixed, edited, synthetic] = [await all(), await all(), await all()];
  mixed[4].data = { name: "CIFAR-10 (a copy)", fingerprint: "f" };
  edited[3].recipe = { ...edited[3].recipe, learningRate: 1 };
  for (const { data } of synthetic) data.name = "synthetic";
  await assert.rejects(
    refuseUnusable(mixed),
    /static-shared cannot be compared with those of dynamic: other data/,
  );
  await assert.rejects(refuseUnusable(edited), /static-ten-way were edited by hand/);
  await assert.rejects(refuseUnusable(synthetic), /those of dynamic were measured on synthetic images/);
});

Deno.test("a table is replaced only between its two marks", () => {
  const readme = "# A\n\n<!-- x: begin -->\n\nold\n\n<!-- x: end -->\n\nmore\n";
  assert.equal(replaceTable(readme, ["x", "new"]), readme.replace("old", "new"));
  for (const wrong of ["# A\n", readme.replace("<!-- x: end -->", ""), readme + readme]) {
    assert.throws(() => replaceTable(wrong, ["x", "new"]), { name: "InputError" });
  }
});

Deno.test("the README's pictures have colours for a light and for a dark page", () => {
  for (const name of ["response_maps", "network"]) {
    const svg = Deno.readTextFileSync(join(PROJECT, "docs", `${name}.svg`));
    assert.match(svg, /<style>@media\(prefers-color-scheme:dark\)/, name);
  }
});
