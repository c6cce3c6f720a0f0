import assert from "node:assert/strict";
import { leadMaps, leadScores } from "../../lib/analysis/leads.ts";

Deno.test("a lead is counted from the mean of the classes that have no part in it, image by image", () => {
  const scores = new Float32Array(20).fill(2, 10);
  scores.set([50, 70], 3); // the parts' own scores do not count
  scores[0] = 8;
  assert.deepEqual(leadScores([[5, 6], [5, 6]], scores, [3, 4]), [[4, 5], [3, 4]]);
});

Deno.test("… and so is a map's, cell by cell", () => {
  const classMaps = new Float32Array(2 * 640);
  classMaps[640 + 3 * 64 + 7] = 90; // a part
  classMaps[640 + 5 * 64 + 7] = 16; // another class, cell 7 of the second image
  const maps = new Float32Array(2 * 3 * 64).fill(1);
  const leads = leadMaps(maps, classMaps, [3, 4]);
  const changed = [...leads].flatMap((value, at) => value === 1 ? [] : [[at, value]]);
  assert.deepEqual(changed, [0, 1, 2].map((blend) => [3 * 64 + blend * 64 + 7, -1]));
});
