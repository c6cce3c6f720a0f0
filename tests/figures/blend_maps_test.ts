import assert from "node:assert/strict";
import { blendMaps } from "../../lib/figures/mod.ts";
import { sampleImage } from "./samples.ts";

const shares = [0, 0.5, 1];
const example = { image: sampleImage(1), label: "cat", maps: new Float32Array(3 * 64), scores: [3, 2, 1] };
const curve = { name: "cats", share: shares, value: [3, 2, 1] };
const both = { from: "cat", to: "dog", shares };

Deno.test("a figure of blends has a column a blend, the classes' names at its ends", () => {
  const { svg } = blendMaps({ ...both, examples: [example, example], curves: [curve] });
  assert.equal(svg.match(/<image /g)!.length, 2 * (1 + shares.length) + 1); // and the colour bar
  for (const name of ["cat", "50 %", "dog"]) assert.ok(svg.includes(`>${name}</text>`), name);
});

Deno.test("a blend without a map or a score is refused, and so is a figure of nothing", () => {
  for (
    const wrong of [
      { examples: [{ ...example, maps: new Float32Array(2 * 64) }], curves: [curve] },
      { examples: [{ ...example, scores: [1, 2] }], curves: [curve] },
      { examples: [], curves: [curve] },
      { examples: [example], curves: [] },
    ]
  ) assert.throws(() => blendMaps({ ...both, ...wrong }), RangeError);
});
