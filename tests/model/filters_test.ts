import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { foldNetwork } from "../../lib/export/fold_network.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { toPyTorch } from "../../lib/model/state_dict.ts";
import type { StoredTensor } from "../../lib/support/safetensors.ts";
import { compile } from "../../lib/tensorflow/compile/compile.ts";
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

Deno.test("rows of norm 0 or nearly 0 are normalised as torch.nn.functional.normalize does", async () => {
  const tiny = [3e-14, -4e-14, 0, 0]; // of norm 5e-14, below the eps of 1e-12
  const rows = tf.tensor2d([[0, 0, 0, 0], tiny, [3, 0, -4, 0]]);
  const slopes = tf.tensor2d([[1, 2, 3, 4], [1, -2, 3, -4], [1, 2, 3, 4]]);
  const expected = [[0, 0, 0, 0], tiny.map((value) => value * 1e12), [0.6, 0, -0.8, 0]];
  const gradients = [
    [1e12, 2e12, 3e12, 4e12], // below eps the norm is a constant
    [1e12, -2e12, 3e12, -4e12],
    [0.416, 0.4, 0.312, 0.8], // (slope − y (y · slope)) / norm
  ];
  const differentiate = (rows: tf.Tensor2D, slopes: tf.Tensor2D) => {
    const sum = (rows: tf.Tensor) => tf.sum(tf.mul(normaliseRows(rows as tf.Tensor2D), slopes));
    return { y: normaliseRows(rows), gradient: tf.grad(sum)(rows) };
  };
  const compiled = compile(differentiate);
  for (const run of [differentiate, compiled]) {
    const { y, gradient } = run(rows, slopes);
    const found = [await y.array(), await gradient.array() as number[][]];
    expected.forEach((row, at) => assertClose(found[0][at], row, 1e-6, `row ${at}`));
    gradients.forEach((row, at) => assertClose(found[1][at], row, 1e-6, `gradient ${at}`));
  }
  compiled.dispose();
});

Deno.test("an exported network normalises filters of norm 0 or nearly 0 alike", async () => {
  const spec = networkSpec({ variant: "static-per-class" });
  const network = createNetwork(spec);
  const sizes = Array.from({ length: 10 }, (_, k) => [0, 1e-14, 1][k % 3]);
  network["filters.weight"] = tf.mul(network["filters.weight"], sizes); // [1,1,64,10]
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(network)) stored.set(name, await toPyTorch(tensor));
  const filters = makeFilters(createForwardContext(network, { ...spec, mode: "evaluate" }), spec.variant);
  assertClose(foldNetwork(stored, spec).filters, await tf.div(filters, 8).data(), 1e-6, "filters");
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
