import assert from "node:assert/strict";
import { BACKBONE_WINDOWS, receptiveField, visiblePixels } from "../../lib/analysis/receptive_field.ts";

Deno.test("a cell of the feature map can see 43×43 pixels, more than the image has", () => {
  assert.deepEqual(receptiveField(BACKBONE_WINDOWS), { size: 43, jump: 4, start: 0.5 });
});

Deno.test("each layer widens the window by its kernel less one, in steps of the strides below it", () => {
  const sizes = BACKBONE_WINDOWS.map((_, index) => receptiveField(BACKBONE_WINDOWS.slice(0, index + 1)).size);
  assert.deepEqual(sizes, [7, 11, 19, 27, 35, 43]);
  assert.deepEqual(receptiveField([]), { size: 1, jump: 1, start: 0.5 });
});

Deno.test("without padding the first window begins at the image's edge", () => {
  const { size, start } = receptiveField([{ kernel: 5 }, { kernel: 2, stride: 2 }]);
  assert.deepEqual([size, start - size / 2], [6, 0]);
});

Deno.test("a window that reaches over the edge is cut off there", () => {
  const field = receptiveField(BACKBONE_WINDOWS);
  assert.equal(visiblePixels(field, 0, 32), 22); // from −21 to 22
  assert.equal(visiblePixels(field, 4, 32), 32);
  assert.equal(visiblePixels({ size: 3, jump: 1, start: 0.5 }, 5, 32), 3);
});
