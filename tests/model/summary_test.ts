import assert from "node:assert/strict";
import { listTensors } from "../../lib/model/tensor_list.ts";
import { isStatistic } from "../../lib/model/state_dict.ts";
import { summarise } from "../../lib/model/summary.ts";
import { ADAPTERS, BACKBONES, networkSpec, VARIANTS } from "../testing/networks.ts";

const BACKBONE = 157_504; // parameters of torchvision's resnet18 up to layer1

Deno.test("parameter counts are those of the lab", () => {
  const trainable = (changes = {}) => summarise(networkSpec(changes)).trainable;
  assert.equal(trainable(), 212_481);
  assert.equal(trainable({ variant: "dynamic-names" }), 212_481 - 10 * 128 + 385 * 128);
  assert.equal(trainable({ variant: "static-per-class" }), 162_369);
  assert.equal(trainable({ variant: "static-shared" }), BACKBONE + 64 + 4_225);
  assert.equal(trainable({ variant: "static-ten-way" }), BACKBONE + 64 + 4_225 + 9 * 65);
  assert.equal(trainable({ backbone: "frozen" }), 212_481 - BACKBONE);
  assert.equal(trainable({ backbone: "bn-only" }), 212_481 - BACKBONE + 5 * 128);
  const small = { embeddingSize: 32, generatorUnits: 16, predictorUnits: 8 };
  assert.equal(trainable(small), BACKBONE + 10 * 32 + 33 * 16 + 17 * 64 + 65 * 8 + 9);
  assert.equal(trainable({ adapter: "1x1" }), 212_481 + 64 * 64 + 128);
  assert.equal(trainable({ adapter: "3x3" }), 212_481 + 9 * 64 * 64 + 128);
});

Deno.test("every parameter of every network is in one row of its summary", () => {
  for (const variant of VARIANTS) {
    for (const backbone of BACKBONES) {
      for (const adapter of ADAPTERS) {
        const spec = networkSpec({ variant, backbone, adapter, embeddingSize: 32, predictorUnits: 16 });
        const { layers, parameters, trainable } = summarise(spec);
        const all = listTensors(spec).filter(({ name }) => !isStatistic(name));
        assert.equal(parameters, all.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0));
        assert.equal(new Set(layers.map(({ layer }) => layer)).size, layers.length);
        assert.ok(trainable <= parameters && layers.every((layer) => layer.trainable <= layer.parameters));
        const fixed = variant === "dynamic-names" ? 10 * 384 : 0;
        assert.equal(backbone === "trainable", trainable === parameters - fixed);
      }
    }
  }
});

Deno.test("the summary lists layers from the image to the scores", () => {
  const { layers } = summarise(networkSpec());
  assert.deepEqual(
    layers.map(({ layer, outputShape, parameters }) => `${layer} ${outputShape} ${parameters}`),
    [
      "backbone.conv1 B,16,16,64 9408",
      "backbone.bn1 B,16,16,64 128",
      "backbone.maxpool B,8,8,64 0",
      "backbone.layer1.0.conv1 B,8,8,64 36864",
      "backbone.layer1.0.bn1 B,8,8,64 128",
      "backbone.layer1.0.conv2 B,8,8,64 36864",
      "backbone.layer1.0.bn2 B,8,8,64 128",
      "backbone.layer1.1.conv1 B,8,8,64 36864",
      "backbone.layer1.1.bn1 B,8,8,64 128",
      "backbone.layer1.1.conv2 B,8,8,64 36864",
      "backbone.layer1.1.bn2 B,8,8,64 128",
      "class_embeddings 10,128 1280",
      "weights_generator.0 10,256 33024",
      "weights_generator.2 10,64 16448",
      "normalise 10,64 0",
      "response maps B,10,8,8 0",
      "score_predictor.0 B,10,64 4160",
      "score_predictor.2 B,10,1 65",
      "scores B,10 0",
    ],
  );
});
