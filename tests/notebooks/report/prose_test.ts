import assert from "node:assert/strict";
import { adaptProse, pointTo, referToFigures } from "../../../notebooks/report/prose.ts";
import { SOURCES } from "../../../notebooks/report/sources.ts";
import { escapeMarkdown, toTypst } from "../../../notebooks/report/markup.ts";

const adapt = (markdown: string, notebooks = [1, 2, 3]) =>
  adaptProse(markdown, { notebooks, cited: new Set() });
const section = (number: number) => `\`#ref(<notebook-${number}>);\`{=typst}`;

Deno.test("links and words for other notebooks become references to their sections, where they are in the report", () => {
  assert.equal(adapt("Notebook 3 and notebook 02."), `${section(3)} and ${section(2)}.`);
  assert.equal(adapt("(notebooks 3 and 1)"), `(${section(3)} and ${section(1)})`);
  assert.equal(adapt("notebooks 3 and 5"), `${section(3)} and notebook 5`);
  assert.equal(adapt("See [notebook 3](03_static_comparison.ipynb)."), `See ${section(3)}.`);
  assert.equal(adapt("[training it](02_train.ipynb)"), `training it (${section(2)})`);
  assert.equal(adapt("[why](05_response_maps.ipynb), notebook 5"), "why, notebook 5");
});

Deno.test("links to files become their names, and links to pages stay", () => {
  assert.equal(adapt("[the loop](../lib/training/train.ts)"), "the loop (`lib/training/train.ts`)");
  assert.equal(adapt("[`train.ts`](../lib/training/train.ts)"), "`train.ts`");
  assert.equal(adapt("[a page](https://example.org/a)"), "[a page](https://example.org/a)");
});

Deno.test("the way on to the next notebook is left out", () => {
  assert.equal(adapt("Found.\n\nNext: [training it](02_train.ipynb)."), "Found.");
});

Deno.test("a work is cited once in a section, and never within code, formulas or links", () => {
  const cited = (markdown: string) => adapt(markdown).replace(/ `#cite\(<(\w+)>\);`\{=typst\}/g, " [$1]");
  assert.equal(cited("CIFAR-10, again CIFAR-10."), "CIFAR-10 [krizhevsky2009], again CIFAR-10.");
  const untouched =
    "`CIFAR-10` and $\\text{CIFAR-10}$ and [CIFAR-10](https://example.org)\n\n```sh\nCIFAR-10\n```";
  assert.equal(cited(untouched), untouched);
  assert.equal(
    cited("De Brabandere et al. (2016): dynamic filter networks"),
    "De Brabandere et al. (2016) [debrabandere2016]: dynamic filter networks",
  );
});

Deno.test("every work that can be cited is in the list of references, and the lab's six can be", () => {
  const entries = Deno.readTextFileSync(new URL("../../../notebooks/report/references.yml", import.meta.url));
  for (const { key } of SOURCES) assert.match(entries, new RegExp(`^${key}:$`, "m"));
  for (const key of ["debrabandere2016", "he2016", "krizhevsky2009", "ioffe2015", "lavin2016", "smith2018"]) {
    assert.ok(SOURCES.some((source) => source.key === key), key);
  }
});

Deno.test("the figure below and the table above are called by their numbers", () => {
  const labels = { below: { figure: "figure-1-4" }, above: { table: "table-1-2" } };
  assert.equal(
    referToFigures("The figure below, the table above, the table below.", labels),
    "`#ref(<figure-1-4>);`{=typst}, `#ref(<table-1-2>);`{=typst}, the table below.",
  );
});

Deno.test("figures that prose leads to are named at the end of its last running paragraph, but once", () => {
  const one = "(`#ref(<figure-1-4>);`{=typst})";
  assert.equal(
    pointTo("First.\n\nExpect little.\n\n- a list", ["figure-1-4"]),
    `First.\n\nExpect little ${one}.\n\n- a list`,
  );
  assert.equal(pointTo("$$x.$$", ["figure-1-4"]), "$$x.$$");
  const named = "In `#ref(<figure-1-4>);`{=typst} it shows.";
  assert.equal(pointTo(named, ["figure-1-4"]), named);
});

Deno.test("texts reach Markdown and typst as they are", () => {
  assert.equal(escapeMarkdown("a_b *c* [d] 1. $e$ 50 %"), "a\\_b \\*c\\* \\[d\\] 1\\. \\$e\\$ 50 %");
  assert.equal(toTypst(['a"b\\c\nd', null, true, []]), '("a\\"b\\\\c\\nd", none, true, (),)');
});
