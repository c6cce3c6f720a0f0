import assert from "node:assert/strict";
import { cellMaps } from "../../lib/figures/mod.ts";

const map = { title: "A map", values: new Float32Array(64), measure: "Nothing" };

Deno.test("maps of cells stand side by side, each with its scale", () => {
  const { svg } = cellMaps([map, { ...map, title: "Another", values: [1, 2, 3, 4] }]);
  assert.equal(svg.match(/<image /g)!.length, 4);
  assert.match(svg, /A map, Another: maps of the network/);
});

Deno.test("what is no square map is refused, and so is a figure of nothing", () => {
  assert.throws(() => cellMaps([]), RangeError);
  assert.throws(() => cellMaps([{ ...map, values: [1, 2, 3] }]), RangeError);
});
