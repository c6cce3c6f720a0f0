import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/native.ts";
import { batchMajor, changeLayout, chooseLayout, pixelMajor } from "../../lib/model/layout.ts";
import { assertClose } from "../testing/oracle.ts";
import { onPlainBackend, randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

for (const [name, layout] of Object.entries({ batchMajor, pixelMajor })) {
  Deno.test(`maps that enter the ${name} layout leave it as they were`, async () => {
    const maps = randomTensor([2, 3, 5, 4]);
    const inside = layout.enter(maps);
    assert.equal(inside.shape[3], 4); // channels last
    assert.deepEqual(await layout.leave(inside).array(), await maps.array());
    assert.deepEqual(
      await layout.leaveChannelsFirst(inside).array(),
      await tf.transpose(maps, [0, 3, 1, 2]).array(),
    );
  });

  Deno.test(`the ${name} layout convolves as PyTorch with padding 1`, async () => {
    const [maps, kernel] = [randomTensor([2, 8, 8, 4], 1), randomTensor([3, 3, 4, 6], 2)];
    const padded = tf.pad(maps, [[0, 0], [1, 1], [1, 1], [0, 0]]);
    const y = layout.leave(layout.convolve3x3(layout.enter(maps), kernel));
    assertClose(await y.data(), await tf.conv2d(padded, kernel, 1, "valid").data(), 1.2e-5, "y"); // as winograd_test.ts
  });
}

Deno.test("Winograd's algorithm is for what learns on the native backend's CPU, and can be left out", async () => {
  assert.equal(chooseLayout({ winograd: true, learns: true }), pixelMajor);
  assert.equal(chooseLayout({ winograd: true, learns: false }), batchMajor);
  assert.equal(chooseLayout({ winograd: false, learns: true }), batchMajor);
  await onPlainBackend(() => {
    assert.equal(chooseLayout({ winograd: true, learns: true }), batchMajor);
    return {};
  });
});

Deno.test("maps change from any layout into any other", async () => {
  const maps = randomTensor([2, 3, 5, 4]);
  for (const from of [batchMajor, pixelMajor]) {
    for (const to of [batchMajor, pixelMajor]) {
      const changed = changeLayout(from.enter(maps), from, to);
      assert.deepEqual(await changed.array(), await to.enter(maps).array());
    }
  }
});
