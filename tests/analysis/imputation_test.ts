import assert from "node:assert/strict";
import { imputePixels } from "../../lib/analysis/imputation.ts";
import { markAtRandom, markCells } from "../../lib/analysis/deletion.ts";
import { createRandom } from "../../lib/support/random.ts";

const random = createRandom(4);
const images = Float32Array.from({ length: 2 * 3072 }, () => random.normal());
const masks = [markCells([0, 1, 8, 20, 63]), markAtRandom(700, 0, 0)];

Deno.test("a removed pixel is the weighted mean of its neighbours, all others stay", () => {
  const result = imputePixels(images, masks, { noise: 0, seed: 0 });
  masks.forEach((mask, image) =>
    mask.forEach((isRemoved, pixel) => {
      const at = image * 3072 + 3 * pixel + 1;
      if (!isRemoved) return assert.equal(result[at], images[at]);
      let [sum, total] = [0, 0];
      for (let y = -1; y <= 1; y++) {
        for (let x = -1; x <= 1; x++) {
          const [row, column] = [Math.floor(pixel / 32) + y, pixel % 32 + x];
          if ((y === 0 && x === 0) || row < 0 || row > 31 || column < 0 || column > 31) continue;
          const weight = y !== 0 && x !== 0 ? 1 : 2;
          sum += weight * result[image * 3072 + 3 * (row * 32 + column) + 1];
          total += weight;
        }
      }
      assert.ok(Math.abs(result[at] - sum / total) < 1e-5);
    })
  );
});

Deno.test("noise is added to the removed pixels alone, by seed", () => {
  const [none, one, same, other] = [0, 0.5, 0.5, 0.5].map((noise, index) =>
    imputePixels(images, masks, { noise, seed: index === 3 ? 1 : 0 })
  );
  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
  const added = [...one].flatMap((value, at) => value === none[at] ? [] : [value - none[at]]);
  assert.equal(added.length, 3 * (5 * 16 + 700));
  const deviation = Math.sqrt(added.reduce((sum, value) => sum + value ** 2, 0) / added.length);
  assert.ok(Math.abs(deviation - 0.5) < 0.03);
});
