import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { generateFilters, makeFilters, normaliseRows } from "../../lib/model/filters.ts";
import { createForwardContext } from "../../lib/model/network.ts";
import { networkSpec } from "../testing/networks.ts";
import { assertClose, initialState } from "../testing/oracle.ts";
import { randomTensor } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const context = createForwardContext(initialState(networkSpec()), { ...networkSpec(), mode: "evaluate" });
const embeddings = context.tensors["class_embeddings.weight"] as tf.Tensor2D;

Deno.test("a class's filter depends on its embedding only", async () => {
  const all = await generateFilters(context).array();
  const seventh = tf.slice(embeddings, [7, 0], [1, 128]);
  assertClose(await generateFilters(context, seventh).data(), all[7], 1e-6, "filter 7");
  const blend = tf.add<tf.Tensor2D>(
    tf.mul(seventh, 0.5),
    tf.mul(tf.slice(embeddings, [2, 0], [1, 128]), 0.5),
  );
  const blended = await generateFilters(context, blend).data();
  assert.throws(() => assertClose(blended, all[7], 0.01, "blend"));
  assert.ok(blended.every((value) => Math.abs(value) < 1)); // a tanh
});

Deno.test("normalised rows keep their directions", async () => {
  const rows = randomTensor<tf.Tensor2D>([3, 5]);
  const [before, after] = [await rows.array(), await normaliseRows(rows).array()];
  before.forEach((row, at) => {
    const length = Math.hypot(...row);
    assertClose(after[at], row.map((value) => value / length), 1e-6, `row ${at}`);
  });
});

Deno.test("the network's filters are the generated ones, normalised", async () => {
  const expected = await normaliseRows(generateFilters(context)).data();
  assert.deepEqual(await makeFilters(context, "dynamic").data(), expected);
});

Deno.test("stored filters are rows of PyTorch's [K,64,1,1]", async () => {
  const spec = networkSpec({ variant: "static-per-class" });
  const data = Float32Array.from(
    { length: 640 },
    (_, at) => 1 + Math.floor(at / 64) + (at % 64 === 3 ? 100 : 0),
  );
  const tensors = { "filters.weight": tf.transpose(tf.tensor4d(data, [10, 64, 1, 1]), [2, 3, 1, 0]) };
  const filters = await makeFilters(
    createForwardContext(tensors, { ...spec, mode: "evaluate" }),
    spec.variant,
  ).array();
  filters.forEach((row, k) => {
    const length = Math.hypot(k + 101, (k + 1) * Math.sqrt(63));
    assertClose(
      [row[0], row[3], row[63]],
      [(k + 1) / length, (k + 101) / length, (k + 1) / length],
      1e-6,
      `filter ${k}`,
    );
  });
});
