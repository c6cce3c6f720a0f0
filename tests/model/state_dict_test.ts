import assert from "node:assert/strict";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { disposeAll, fromPyTorch, isStatistic, isTrainable, toPyTorch } from "../../lib/model/state_dict.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { BACKBONES, networkSpec } from "../testing/networks.ts";

await useNativeTensorFlow({ device: "cpu" });

const count = (size: number) => Float32Array.from({ length: size }, (_, index) => index);

Deno.test("a convolution's axes are converted to TensorFlow's layout and back", async () => {
  const stored = { shape: [2, 3, 4, 5], data: count(120) }; // [out,in,kH,kW]
  const tensor = fromPyTorch(stored);
  assert.deepEqual(tensor.shape, [4, 5, 3, 2]); // [kH,kW,in,out]
  const values = await (tensor as tf.Tensor4D).array();
  assert.equal(values[3][2][1][0], 0 * 60 + 1 * 20 + 3 * 5 + 2);
  assert.deepEqual(await toPyTorch(tensor), stored);
});

Deno.test("other tensors keep their layout", async () => {
  for (const shape of [[], [6], [2, 3]]) {
    const stored = { shape, data: count(shape.reduce((size, length) => size * length, 1)) };
    const tensor = fromPyTorch(stored);
    assert.deepEqual(tensor.shape, shape);
    assert.deepEqual(await toPyTorch(tensor), stored);
  }
});

Deno.test("converting layouts leaks no tensor and does not dispose its input", async () => {
  const before = tf.memory().numTensors;
  for (const shape of [[2, 2, 1, 1], [4]]) {
    const tensor = fromPyTorch({ shape, data: count(4) });
    await toPyTorch(tensor);
    assert.equal(tf.memory().numTensors, before + 1);
    disposeAll({ tensor });
  }
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("only float32 values are accepted", () => {
  assert.throws(() => fromPyTorch({ shape: [1], data: Int32Array.of(1) }), /float32/);
});

Deno.test("fixed vectors of names are never trained, their projection always", () => {
  const head = listTensors(networkSpec({ variant: "dynamic-names" })).map(({ name }) => name)
    .filter((name) => !name.startsWith("backbone."));
  assert.deepEqual(head.filter((name) => !isTrainable(name, "trainable")), ["class_names.weight"]);
});

Deno.test("the head is always trained, running statistics never, and the backbone by its mode", () => {
  const names = listTensors(networkSpec({ adapter: "3x3" })).map(({ name }) => name);
  const expected = {
    trainable: (name: string) => !isStatistic(name),
    frozen: (name: string) => !isStatistic(name) && !name.startsWith("backbone."),
    "bn-only": (name: string) =>
      !isStatistic(name) && (!name.startsWith("backbone.") || name.includes(".bn")),
  };
  for (const backbone of BACKBONES) {
    for (const name of names) {
      assert.equal(isTrainable(name, backbone), expected[backbone](name), `${backbone} ${name}`);
    }
  }
  assert.deepEqual(names.filter(isStatistic).length, 12); // six norms
});
