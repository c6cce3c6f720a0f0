import assert from "node:assert/strict";
import { formatCircumstances } from "../../../notebooks/cells/circumstances.ts";

const USUAL = {
  data: "CIFAR-10 (JPEG-repacked copy), its own order",
  sizes: [50_000, 10_000],
  weights: "ResNet-18 layer1",
  runtime: "CPU, TensorFlow 2.21.0",
  synthetic: false,
  quick: false,
} as const;

Deno.test("a notebook's first line names images, weights and what computes", () => {
  assert.equal(
    formatCircumstances(USUAL),
    "Data: CIFAR-10 (JPEG-repacked copy), its own order, 50,000 + 10,000 images · weights: ResNet-18 layer1 · CPU, TensorFlow 2.21.0",
  );
});
