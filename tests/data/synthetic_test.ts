import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { countClasses } from "../../lib/data/dataset.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";

Deno.test("the synthetic set is the same on every machine and in every version", () => {
  const { train, test } = createSynthetic({ trainSize: 200, testSize: 100 });
  const sum = createHash("sha256");
  for (const { images, labels } of [train, test]) sum.update(images).update(labels);
  // another sum means another data set: earlier results on it can no longer be compared
  assert.equal(sum.digest("hex").slice(0, 16), "e424f3af5d63838f");
});

Deno.test("the synthetic set has ten equal classes, in random order, and says its name", () => {
  const { train, test } = createSynthetic({ trainSize: 200, testSize: 100 });
  assert.deepEqual(countClasses(train.labels), new Array(10).fill(20));
  assert.deepEqual(countClasses(test.labels), new Array(10).fill(10));
  assert.notDeepEqual([...train.labels.subarray(0, 10)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(train.name, "synthetic");
  assert.equal(test.name, "synthetic");
});

Deno.test("no two synthetic images are alike, in the training set or the test set", () => {
  const { train, test } = createSynthetic({ trainSize: 300, testSize: 300 });
  const seen = new Set<string>();
  for (const { images } of [train, test]) {
    for (let index = 0; index < 300; index++) {
      seen.add(images.subarray(index * 3072, (index + 1) * 3072).join());
    }
  }
  assert.equal(seen.size, 600);
});

Deno.test("the synthetic classes can be told apart, but not by comparing pixels alone", () => {
  const guess = (difficulty: number) => {
    const { train, test } = createSynthetic({ trainSize: 1000, testSize: 200, difficulty });
    const greys = ({ images }: { images: Uint8Array }, index: number) => {
      const grey = Float32Array.from({ length: 1024 }, (_, at) => images[index * 3072 + at * 3 + 1]);
      const mean = grey.reduce((sum, value) => sum + value, 0) / 1024;
      const deviation = Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0));
      return grey.map((value) => (value - mean) / deviation);
    };
    const known = [...train.labels.keys()].map((index) => greys(train, index));
    let right = 0;
    for (let index = 0; index < 200; index++) {
      const one = greys(test, index);
      let [best, label] = [-1, -1];
      known.forEach((other, at) => {
        let likeness = 0;
        for (let pixel = 0; pixel < 1024; pixel++) likeness += one[pixel] * other[pixel];
        if (Math.abs(likeness) > best) [best, label] = [Math.abs(likeness), train.labels[at]];
      });
      if (label === test.labels[index]) right++;
    }
    return right / 200;
  };
  const [plain, full] = [guess(0), guess(1)];
  assert.ok(plain > 0.9, `plain drawings: ${plain}`);
  assert.ok(full > 0.13 && full < 0.5, `at full difficulty: ${full}`);
});
