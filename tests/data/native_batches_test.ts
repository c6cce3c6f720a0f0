import assert from "node:assert/strict";
import { type Batch, batches } from "../../lib/data/batches.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { cropImages } from "../../lib/tensorflow/runtime/library.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { isSame } from "../testing/tensors.ts";

const { train } = createSynthetic({ trainSize: 100, testSize: 0 });

const takeAll = (): Batch[] =>
  [
    {},
    { augment: true },
    { augment: true, shift: 1, epoch: 1 },
    { augment: true, shift: 40 },
  ].flatMap((options) => [...batches(train, { batchSize: 33, shuffle: true, ...options })]);

Deno.test("the library writes the same batches as JavaScript", async () => {
  const nothing = { images: train.images, crops: new Int32Array(), size: 32 };
  const empty = { lookup: new Float32Array(768), values: new Float32Array() };
  assert.equal(cropImages({ ...nothing, ...empty }), false, "the library is open too early to compare");
  const expected = takeAll();
  await useNativeTensorFlow({ device: "cpu" });
  assert.equal(cropImages({ ...nothing, ...empty }), true);
  const actual = takeAll();
  assert.equal(actual.length, expected.length);
  for (const [at, { values }] of actual.entries()) assert(isSame(values, expected[at].values), `batch ${at}`);
});
