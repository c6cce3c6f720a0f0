import assert from "node:assert/strict";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { toPyTorch } from "../../lib/model/state_dict.ts";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { ADAPTERS, networkSpec, VARIANTS } from "../testing/networks.ts";
import { assertClose } from "../testing/oracle.ts";
import { assertSameValues, readAll, type Values } from "../testing/tensors.ts";

await useNativeTensorFlow({ device: "cpu" });

const create = async (changes: Partial<NetworkSpec> = {}, seed = 0): Promise<Values> =>
  await readAll(createNetwork(networkSpec(changes), { seed }));

const BACKBONE = {
  "backbone.conv1.weight": [64, 3, 7, 7],
  "backbone.layer1.0.conv1.weight": [64, 64, 3, 3],
  "backbone.layer1.0.conv2.weight": [64, 64, 3, 3],
  "backbone.layer1.1.conv1.weight": [64, 64, 3, 3],
  "backbone.layer1.1.conv2.weight": [64, 64, 3, 3],
};
const norm = (name: string) =>
  Object.fromEntries(
    ["weight", "bias", "running_mean", "running_var"].map((part) => [`${name}.${part}`, [64]]),
  );
const NORMS = ["bn1", "layer1.0.bn1", "layer1.0.bn2", "layer1.1.bn1", "layer1.1.bn2"].map((name) =>
  norm(`backbone.${name}`)
);
const predictor = (outputs: number) => ({
  "score_predictor.0.weight": [64, 64],
  "score_predictor.0.bias": [64],
  "score_predictor.2.weight": [outputs, 64],
  "score_predictor.2.bias": [outputs],
});
const HEADS = {
  "dynamic": {
    "class_embeddings.weight": [10, 128],
    "weights_generator.0.weight": [256, 128],
    "weights_generator.0.bias": [256],
    "weights_generator.2.weight": [64, 256],
    "weights_generator.2.bias": [64],
    ...predictor(1),
  },
  "dynamic-names": {
    "class_names.weight": [10, 384],
    "name_projection.weight": [128, 384],
    "name_projection.bias": [128],
    "weights_generator.0.weight": [256, 128],
    "weights_generator.0.bias": [256],
    "weights_generator.2.weight": [64, 256],
    "weights_generator.2.bias": [64],
    ...predictor(1),
  },
  "static-per-class": { "filters.weight": [10, 64, 1, 1], ...predictor(1) },
  "static-ten-way": { "filters.weight": [1, 64, 1, 1], ...predictor(10) },
  "static-shared": { "filters.weight": [1, 64, 1, 1], ...predictor(1) },
};

for (const variant of VARIANTS) {
  Deno.test(`${variant} has the tensor names and shapes of PyTorch's state dict`, async () => {
    for (const adapter of ADAPTERS) {
      const size = Number(adapter[0]);
      const adapted = adapter === "none"
        ? {}
        : { "adapter.0.weight": [64, 64, size, size], ...norm("adapter.1") };
      const expected = Object.assign({}, BACKBONE, ...NORMS, adapted, HEADS[variant]);
      const network = createNetwork(networkSpec({ variant, adapter }));
      const shapes: Record<string, number[]> = {};
      for (const [name, tensor] of Object.entries(network)) shapes[name] = (await toPyTorch(tensor)).shape;
      await readAll(network);
      assert.deepEqual(shapes, expected);
    }
  });
}

Deno.test("the same seed gives the same network, another seed a different one", async () => {
  const [one, same, other] = [await create({}, 1), await create({}, 1), await create({}, 2)];
  assertSameValues(same, one);
  for (const { name, start } of listTensors(networkSpec())) {
    if (start.kind !== "constant") assert.notDeepEqual(other[name], one[name], name);
  }
});

Deno.test("no two tensors of a network have the same initial values", async () => {
  const network = await create({ adapter: "3x3" });
  const drawn = listTensors(networkSpec({ adapter: "3x3" })).filter(({ start }) => start.kind !== "constant");
  // in units of the start's spread, so that a generator shared by two tensors would show
  const firsts = drawn.map(({ name, start }) => {
    const spread = start.kind === "normal" ? start.deviation : start.kind === "uniform" ? start.bound : 1;
    return (network[name][0] / spread).toFixed(4);
  });
  assert.equal(new Set(firsts).size, drawn.length, `${firsts}`);
});

Deno.test("variants with the same seed start from the same common tensors", async () => {
  const dynamic = await create();
  for (
    const changes of [{ variant: "static-per-class" }, { adapter: "3x3" }, { backbone: "frozen" }] as const
  ) {
    const network = await create(changes);
    const shared = Object.keys(network).filter((name) => name in dynamic);
    assert.ok(shared.length >= 29, `${shared.length} tensors`); // the backbone's 25, and the score predictor's 4
    const pick = (values: Values) => Object.fromEntries(shared.map((name) => [name, values[name]]));
    assertSameValues(pick(network), pick(dynamic));
  }
});

Deno.test("initial values have PyTorch's distributions", async () => {
  const network = await create({ adapter: "1x1" });
  const stored = await create({ variant: "static-per-class" });
  const normal = {
    "backbone.conv1.weight": Math.sqrt(2 / (64 * 49)),
    "backbone.layer1.1.conv2.weight": Math.sqrt(2 / (64 * 9)),
  };
  for (const [name, deviation] of Object.entries({ ...normal, "class_embeddings.weight": 1 })) {
    const values = network[name];
    assertClose(
      [Math.hypot(...values) / Math.sqrt(values.length)],
      [deviation],
      0.05,
      `deviation of ${name}`,
    );
    assert.ok(Math.max(...values) > 2.5 * deviation, name); // a normal distribution has tails
  }
  const uniform = {
    "weights_generator.0.weight": 128,
    "weights_generator.0.bias": 128,
    "weights_generator.2.weight": 256,
  };
  const fanIn = { ...uniform, "score_predictor.0.weight": 64, "adapter.0.weight": 64 };
  for (const [name, fan] of Object.entries(fanIn)) {
    const [bound, values] = [1 / Math.sqrt(fan), network[name]];
    assertClose([Math.max(...values), Math.min(...values)], [bound, -bound], 0.05, `bounds of ${name}`);
    assert.ok(values.every((value) => Math.abs(value) <= bound), name);
    assertClose(
      [Math.hypot(...values) / Math.sqrt(values.length)],
      [bound / Math.sqrt(3)],
      0.15,
      `deviation of ${name}`,
    );
  }
  assertClose([Math.max(...stored["filters.weight"])], [1 / 8], 0.05, "bound of filters");
});

Deno.test("batch normalisation is initialised to the identity", async () => {
  const network = await create({ adapter: "3x3" });
  for (const name of ["backbone.bn1", "backbone.layer1.1.bn2", "adapter.1"]) {
    const parts = ["weight", "bias", "running_mean", "running_var"].map((part) => network[`${name}.${part}`]);
    assert.deepEqual(parts.map((values) => new Set(values)), [
      new Set([1]),
      new Set([0]),
      new Set([0]),
      new Set([1]),
    ]);
  }
});

Deno.test("pretrained tensors are loaded bit for bit, into the backbone only", async () => {
  const spec = networkSpec();
  const names = listTensors(spec).filter(({ name }) => name.startsWith("backbone."));
  const pretrained = new Map(names.map(({ name, shape }, key) => {
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      (_, at) => Math.sin(at + 1000 * key),
    );
    return [name.slice("backbone.".length), { shape, data }];
  }));
  pretrained.set("score_predictor.0.bias", { shape: [64], data: new Float32Array(64) });
  const network = createNetwork(spec, { pretrained });
  for (const [name, stored] of pretrained) {
    if (`backbone.${name}` in network) {
      assert.deepEqual(await toPyTorch(network[`backbone.${name}`]), stored, name);
    }
  }
  assert.deepEqual(
    await network["score_predictor.0.bias"].data(),
    (await create())["score_predictor.0.bias"],
  );
});
