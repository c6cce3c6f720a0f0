import assert from "node:assert/strict";
import {
  BACKBONE_WINDOWS,
  findWindow,
  measureInfluence,
  receptiveField,
  visiblePixels,
} from "../../lib/analysis/receptive_field.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { networkSpec } from "../testing/networks.ts";
import { randomTensor } from "../testing/tensors.ts";

Deno.test("the receptive field is 43×43 pixels, larger than the image", () => {
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

Deno.test("a window is clipped at the image's edges", () => {
  const field = receptiveField(BACKBONE_WINDOWS);
  assert.equal(visiblePixels(field, 0, 32), 22); // from −21 to 22
  assert.equal(visiblePixels(field, 4, 32), 32);
  assert.equal(visiblePixels({ size: 3, jump: 1, start: 0.5 }, 5, 32), 3);
});

await useNativeTensorFlow({ device: "cpu" });

Deno.test("a cell is influenced only by its receptive field, most by pixels near it", async () => {
  const images = await randomTensor([2, 32, 32, 3], 1).data() as Float32Array;
  for (const spec of [networkSpec(), networkSpec({ backbone: "frozen", adapter: "1x1" })]) {
    const place = { row: 0, column: 7 };
    const network = createNetwork(spec, { seed: 1 });
    const influence = await measureInfluence(network, spec, { images, classes: [3, 8], ...place });
    // the windows of the first row reach 22 pixels down, those of the last column begin at 28.5 − 21.5 = 7
    influence.forEach((share, pixel) => {
      const [row, column] = [Math.floor(pixel / 32), pixel % 32];
      if (row >= 22 || column < 7) assert.equal(share, 0, `pixel ${row}, ${column}`);
    });
    assert.ok(influence[21 * 32 + 20] > 0 && influence[0 * 32 + 7] > 0);
    assert.ok(Math.abs(influence.reduce((sum, share) => sum + share, 0) - 1) < 1e-4);
    assert.ok(findWindow(influence, place, 0.5) < findWindow(influence, place, 0.99));
  }
});

Deno.test("the influence on a cell depends on the class", async () => {
  const images = await randomTensor([1, 32, 32, 3], 1).data() as Float32Array;
  const network = createNetwork(networkSpec(), { seed: 1 });
  const look = (label: number) =>
    measureInfluence(network, networkSpec(), { images, classes: [label], row: 4, column: 4 });
  assert.deepEqual(await look(3), await look(3));
  assert.notDeepEqual(await look(3), await look(8));
});

Deno.test("the window is the smallest one around the cell's block with the fraction of influence", () => {
  const influence = new Float32Array(1024);
  influence[16 * 32 + 16] = 0.5; // in the block of cell 4, 4
  influence[16 * 32 + 13] = 0.4; // three pixels left of it
  influence[0] = 0.1;
  const place = { row: 4, column: 4 };
  assert.deepEqual([0.5, 0.6, 0.9, 1].map((share) => findWindow(influence, place, share)), [4, 10, 10, 36]);
});
