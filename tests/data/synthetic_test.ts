import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { countClasses } from "../../lib/data/dataset.ts";
import { argMax, mean } from "../../lib/support/statistics.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";

Deno.test("the synthetic set is the same on every machine and in every version", () => {
  const { train, test } = createSynthetic({ trainSize: 200, testSize: 100 });
  const sum = createHash("sha256");
  for (const { images, labels } of [train, test]) sum.update(images).update(labels);
  // another sum means another data set: earlier results on it can no longer be compared
  assert.equal(sum.digest("hex").slice(0, 16), "e424f3af5d63838f");
});

Deno.test("the synthetic set is named and has ten equal classes in random order", () => {
  const { train, test } = createSynthetic({ trainSize: 200, testSize: 100 });
  assert.deepEqual(countClasses(train.labels), new Array(10).fill(20));
  assert.deepEqual(countClasses(test.labels), new Array(10).fill(10));
  assert.notDeepEqual([...train.labels.subarray(0, 10)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(train.name, "synthetic");
  assert.equal(test.name, "synthetic");
});

Deno.test("all synthetic training and test images are different", () => {
  const { train, test } = createSynthetic({ trainSize: 300, testSize: 300 });
  const seen = new Set<string>();
  for (const { images } of [train, test]) {
    for (let index = 0; index < 300; index++) {
      seen.add(images.subarray(index * 3072, (index + 1) * 3072).join());
    }
  }
  assert.equal(seen.size, 600);
});

Deno.test("the synthetic classes are learnable, but hardly by nearest pixels", () => {
  const { train, test } = createSynthetic({ trainSize: 1000, testSize: 200 });
  const greys = ({ images }: { images: Uint8Array }, index: number) => {
    const grey = Float32Array.from({ length: 1024 }, (_, at) => images[index * 3072 + at * 3 + 1]);
    const average = mean(grey);
    const deviation = Math.sqrt(grey.reduce((sum, value) => sum + (value - average) ** 2, 0));
    return grey.map((value) => (value - average) / deviation);
  };
  const known = [...train.labels.keys()].map((index) => greys(train, index));
  let correct = 0;
  for (let index = 0; index < 200; index++) {
    const one = greys(test, index);
    const likeness = known.map((other) =>
      Math.abs(other.reduce((sum, value, at) => sum + value * one[at], 0))
    );
    if (train.labels[argMax(likeness)] === test.labels[index]) correct++;
  }
  assert.ok(correct / 200 > 0.13 && correct / 200 < 0.5, `nearest neighbour: ${correct / 200}`);
});
