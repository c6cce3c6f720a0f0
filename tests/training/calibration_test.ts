import assert from "node:assert/strict";
import { join } from "@std/path";
import { createRandom } from "../../lib/support/random.ts";
import { argMax, softmax } from "../../lib/support/statistics.ts";
import { confidences, fitCalibration, fitTemperature } from "../../lib/training/calibration.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { measure, type Scored } from "../../lib/training/evaluate.ts";
import { calibrationOf } from "../../lib/training/progress.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { trainTiny } from "../testing/training.ts";

const CLASSES = 4;

/** Scores whose labels are drawn from their softmax at a temperature. */
function drawScored(images: number, temperature: number): Scored {
  const random = createRandom(3);
  const scores = Float32Array.from({ length: images * CLASSES }, () => 4 * random.normal());
  const labels = Array.from({ length: images }, (_, image) => {
    let left = random.next();
    const row = softmax(scores.subarray(image * CLASSES, (image + 1) * CLASSES), temperature);
    const label = row.findIndex((probability) => (left -= probability) < 0);
    return label < 0 ? CLASSES - 1 : label;
  });
  return { scores, labels };
}

const divide = ({ scores, labels }: Scored, by: number) => ({
  scores: scores.map((one) => one / by),
  labels,
});

Deno.test("the temperature that labels were drawn with is found, and no other has a lower loss", () => {
  const scored = drawScored(20_000, 2.5);
  const temperature = fitTemperature(scored);
  assert.ok(Math.abs(temperature - 2.5) < 0.1, `${temperature}`);
  const loss = (at: number) => measure(divide(scored, at)).loss;
  for (const other of [1, 0.99 * temperature, 1.01 * temperature]) {
    assert.ok(loss(temperature) < loss(other), `${other}`);
  }
});

Deno.test("95 % of the correct held-out predictions are at or above the threshold", () => {
  const scored = drawScored(1000, 2);
  const { threshold, temperature, images } = fitCalibration(scored);
  const correct = confidences(scored, temperature).filter(({ isCorrect }) => isCorrect);
  const sure = correct.filter(({ probability }) => probability >= threshold).length;
  assert.equal(sure, correct.length - Math.floor(0.05 * correct.length));
  assert.equal(images, 1000);
  assert.deepEqual(
    confidences(scored, 7).map(({ isCorrect }) => isCorrect),
    Array.from(
      scored.labels,
      (label, image) => argMax(scored.scores.subarray(image * CLASSES, (image + 1) * CLASSES)) === label,
    ),
  );
});

Deno.test("scores that mean nothing or everything have a finite temperature", () => {
  const labels = [0, 1];
  assert.equal(fitTemperature({ scores: new Float32Array(4), labels }), 1);
  const [all, none] = [Float32Array.of(1, 0, 0, 1), Float32Array.of(0, 1, 1, 0)];
  assert.ok(Math.abs(fitTemperature({ scores: all, labels }) - 1 / 20) < 1e-6);
  assert.ok(Math.abs(fitTemperature({ scores: none, labels }) - 20) < 1e-6);
  assert.equal(fitCalibration({ scores: none, labels }).threshold, 1);
});

Deno.test("a training with held-out images calibrates its best epoch, and one without does not", async () => {
  using folder = temporaryFolder();
  const { best } = await trainTiny(folder.path, { validation: 7, epochs: 3 });
  const open = (name: string) => openCheckpoint(join(folder.path, "tiny", `${name}.safetensors`));
  const kept = calibrationOf((await open("best")).progress)!;
  assert.deepEqual(kept, best.calibration);
  assert.ok(kept.temperature > 0 && kept.threshold > 0 && kept.images === 7);
  const { progress } = await open("last");
  assert.deepEqual(progress.best, best);
  assert.equal(calibrationOf({ ...progress, best: { ...best, epoch: 2 } }), null); // another epoch's network
  assert.equal((await trainTiny(folder.path, { run: "plain" })).best.calibration, undefined);
});
