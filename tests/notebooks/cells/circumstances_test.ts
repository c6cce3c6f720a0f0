import assert from "node:assert/strict";
import { formatCircumstances, parseCircumstances } from "../../../notebooks/cells/circumstances.ts";

const USUAL = {
  data: "CIFAR-10 (JPEG-repacked copy), its own order",
  sizes: [50_000, 10_000],
  weights: "ResNet-18 layer1",
  runtime: "CPU, TensorFlow 2.21.0",
  quick: false,
} as const;

Deno.test("a notebook's first line names images, weights and what computes", () => {
  assert.equal(
    formatCircumstances(USUAL),
    "Data: CIFAR-10 (JPEG-repacked copy), its own order, 50,000 + 10,000 images · weights: ResNet-18 layer1 · CPU, TensorFlow 2.21.0",
  );
});

Deno.test("what a notebook's first line says can be read back, and nothing else is taken for one", () => {
  assert.deepEqual(parseCircumstances(formatCircumstances(USUAL)), { data: USUAL.data, quick: false });
  const trial = { ...USUAL, data: "synthetic", sizes: [640, 200], quick: true } as const;
  assert.deepEqual(parseCircumstances(formatCircumstances(trial) + "\n"), { data: "synthetic", quick: true });
  for (const text of ["", "Data: synthetic.", "Said. " + formatCircumstances(trial)]) {
    assert.equal(parseCircumstances(text), null);
  }
});
