import assert from "node:assert/strict";
import { drawAugmentation, NO_AUGMENTATION } from "../../lib/data/augmentation.ts";
import { type Batch, batches, type BatchOptions, countBatches } from "../../lib/data/batches.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import { IMAGE_DEVIATION, IMAGE_MEAN, normaliseImages } from "../../lib/data/normalise.ts";
import { createRandom } from "../../lib/support/random.ts";

function makeDataset(size: number): Dataset {
  const random = createRandom(9, size);
  const images = new Uint8Array(size * 3072).map(() => random.integer(256));
  return { name: "test", images, labels: Uint8Array.from({ length: size }, (_, index) => index % 10) };
}

const DATASET = makeDataset(50);
const take = (options: Partial<BatchOptions> = {}, dataset = DATASET): Batch[] => [
  ...batches(dataset, { batchSize: 16, shuffle: true, augment: true, ...options }),
];

/** Crops and flips as torchvision's RandomCrop(32, padding=4) and RandomHorizontalFlip, pixel by pixel. */
function referenceImage(image: Uint8Array, left: number, top: number, flip: boolean): number[] {
  const padded = (x: number, y: number, channel: number) => {
    const inside = x >= 4 && x < 36 && y >= 4 && y < 36;
    return inside ? image[((y - 4) * 32 + x - 4) * 3 + channel] : 0;
  };
  const values: number[] = [];
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const column = flip ? 31 - x : x;
        const byte = padded(column + left + 4, y + top + 4, channel);
        values.push((byte / 255 - IMAGE_MEAN[channel]) / IMAGE_DEVIATION[channel]);
      }
    }
  }
  return values;
}

Deno.test("a batch holds the images normalised, and their labels", () => {
  const [first] = take({ shuffle: false, augment: false });
  assert.equal(first.values.length, 16 * 3072);
  assert.deepEqual([...first.labels], [...DATASET.labels.subarray(0, 16)]);
  for (const [at, byte] of [...DATASET.images.subarray(0, 3072)].entries()) {
    assert.equal(first.values[at], Math.fround((byte / 255 - IMAGE_MEAN[at % 3]) / IMAGE_DEVIATION[at % 3]));
  }
  assert.deepEqual(normaliseImages(DATASET.images.subarray(0, 16 * 3072)), first.values);
});

Deno.test("red, green and blue are normalised by ImageNet's mean and deviation, each by its own", () => {
  // torchvision: Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
  const pixel = [255, 102, 0];
  const expected = [(1 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (0 - 0.406) / 0.225]; // 2.2489, -0.25, -1.8044
  const images = Uint8Array.from({ length: 3072 }, (_, at) => pixel[at % 3]);
  const dataset = { name: "one colour", images, labels: Uint8Array.of(0) };
  const [batch] = batches(dataset, { batchSize: 1 });
  for (const values of [batch.values, normaliseImages(images)]) {
    for (const [at, value] of values.entries()) assert.equal(value, Math.fround(expected[at % 3]));
  }
});

Deno.test("crops and flips equal a slow reference", () => {
  let compared = 0;
  for (const { values: all, labels, indices, size } of take({ seed: 3, epoch: 2 })) {
    for (let position = 0; position < size; position++) {
      const index = indices[position];
      const image = DATASET.images.subarray(index * 3072, (index + 1) * 3072);
      const values = all.subarray(position * 3072, (position + 1) * 3072);
      const fits = [];
      for (let left = -4; left <= 4; left++) {
        for (let top = -4; top <= 4; top++) {
          for (const flip of [false, true]) {
            const center = (16 * 32 + 16) * 3; // a quick look first
            const column = flip ? 15 : 16;
            const byte = image[((16 + top) * 32 + column + left) * 3];
            if (values[center] !== Math.fround((byte / 255 - IMAGE_MEAN[0]) / IMAGE_DEVIATION[0])) continue;
            if (
              referenceImage(image, left, top, flip).every((value, at) => Math.fround(value) === values[at])
            ) {
              fits.push([left, top, flip]);
            }
          }
        }
      }
      assert.equal(fits.length, 1, `image ${index} is no crop of itself`);
      assert.equal(labels[position], DATASET.labels[index]);
      compared++;
    }
  }
  assert.equal(compared, 50);
});

Deno.test("crops and flips are uniform and independent", () => {
  const drawn = { ...NO_AUGMENTATION };
  const counts = new Map<string, number>();
  const count = 162_000;
  for (let index = 0; index < count; index++) {
    drawAugmentation({ seed: 1, epoch: 2, index }, {}, drawn);
    const key = `${drawn.left} ${drawn.top} ${drawn.flip}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 9 * 9 * 2);
  // expected 1000 each, with a deviation of 32
  for (const [key, times] of counts) assert.ok(Math.abs(times - 1000) < 160, `${key}: ${times}`);
});

Deno.test("smaller shifts are uniform too", () => {
  const drawn = { ...NO_AUGMENTATION };
  const counts = new Map<string, number>();
  for (let index = 0; index < 25_000; index++) {
    drawAugmentation({ seed: 1, epoch: 2, index }, { shift: 2 }, drawn);
    const key = `${drawn.left} ${drawn.top}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 5 * 5);
  for (const [key, times] of counts) assert.ok(Math.abs(times - 1000) < 160, `${key}: ${times}`);
});

Deno.test("an epoch has each image once, in its own order", () => {
  const orderOf = (options: Partial<BatchOptions>) => take(options).flatMap(({ indices }) => [...indices]);
  const ascending = Array.from({ length: 50 }, (_, index) => index);
  const orders = [{ seed: 0, epoch: 0 }, { seed: 0, epoch: 1 }, { seed: 1, epoch: 0 }].map(orderOf);
  for (const order of orders) {
    assert.deepEqual(order.toSorted((one, other) => one - other), ascending);
    assert.notDeepEqual(order, ascending);
  }
  assert.equal(new Set(orders.map(String)).size, 3);
  assert.deepEqual(orderOf({ shuffle: false }), ascending);
});

Deno.test("the last batch has the remaining images", () => {
  assert.deepEqual(take().map(({ size, values, labels }) => [size, values.length / 3072, labels.length]), [
    [16, 16, 16],
    [16, 16, 16],
    [16, 16, 16],
    [2, 2, 2],
  ]);
  assert.equal(countBatches(DATASET, 16), 4);
  assert.equal(countBatches(DATASET, 25), 2);
  assert.deepEqual(take({ batchSize: 25 }).map(({ size }) => size), [25, 25]);
  assert.deepEqual(take({ batchSize: 64 }).map(({ size }) => size), [50]);
});

Deno.test("the same options give the same batches from any step on", () => {
  const whole = take({ seed: 5, epoch: 3 });
  assert.deepEqual(take({ seed: 5, epoch: 3 }), whole);
  for (let startStep = 0; startStep <= 4; startStep++) {
    assert.deepEqual(take({ seed: 5, epoch: 3, startStep }), whole.slice(startStep));
  }
});

Deno.test("an image's crop depends on seed, epoch and index, not on its position in the order", () => {
  const byIndex = (options: Partial<BatchOptions>) => {
    const found = new Map<number, Float32Array>();
    for (const { values, indices, size } of take(options)) {
      for (let at = 0; at < size; at++) found.set(indices[at], values.slice(at * 3072, (at + 1) * 3072));
    }
    return found;
  };
  const one = byIndex({ seed: 1, epoch: 1 });
  assert.deepEqual(
    byIndex({ seed: 1, epoch: 1, shuffle: false, batchSize: 7 }),
    new Map([...one].sort(([a], [b]) => a - b)),
  );
  const differing = (other: Map<number, Float32Array>) =>
    [...one].filter(([index, values]) => values.some((value, at) => value !== other.get(index)![at])).length;
  assert.ok(differing(byIndex({ seed: 1, epoch: 2 })) > 40);
  assert.ok(differing(byIndex({ seed: 2, epoch: 1 })) > 40);
});

Deno.test("batches belong to the caller unless buffers are reused", () => {
  const kept = take();
  assert.equal(new Set(kept.map(({ values }) => values.buffer)).size, 4);
  const reused = take({ buffers: 2 });
  assert.equal(new Set(reused.map(({ values }) => values.buffer)).size, 2);
  let step = 0;
  let before: Batch | undefined;
  for (const batch of batches(DATASET, { batchSize: 16, shuffle: true, augment: true, buffers: 2 })) {
    assert.deepEqual(batch, kept[step]);
    if (before) assert.deepEqual(before, kept[step - 1]); // it still holds one batch later
    before = batch;
    step++;
  }
});

Deno.test("a batch larger than the set takes no more memory than the set", () => {
  assert.equal([...batches(DATASET, { batchSize: 2 ** 40, buffers: 2 })].length, 1);
});

Deno.test("an invalid batch size is refused", () => {
  for (const batchSize of [0, -1, 1.5, NaN]) assert.throws(() => take({ batchSize }), RangeError);
});
