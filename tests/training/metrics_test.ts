import assert from "node:assert/strict";
import { measure } from "../../lib/training/evaluate.ts";
import { assertClose, readOracle, values } from "../testing/oracle.ts";
import { argMax, softmax } from "../../lib/support/statistics.ts";

const near = (actual: number, expected: number) => assertClose([actual], [expected], 1e-6, "value");

Deno.test("loss, accuracy, accuracy of each class and confusions are counted from the scores", () => {
  const scores = Float32Array.of(
    ...[2, 1, 0], // 0, taken for 0
    ...[0, 0, 5], // 0, taken for 2
    ...[9, 1, 0], // 1, taken for 0
    ...[0, 1, 0], // 1, taken for 1
  );
  const { loss, accuracy, perClass, confusion } = measure({ scores, labels: [0, 0, 1, 1] });
  assert.equal(accuracy, 0.5);
  assert.deepEqual(perClass, [0.5, 0.5, null]); // there is no 2
  assert.deepEqual(confusion, [[1, 0, 1], [1, 1, 0], [0, 0, 0]]);
  const crossEntropies = [[2, 1, 0, 0], [0, 0, 5, 0], [9, 1, 0, 1], [0, 1, 0, 1]].map(([a, b, c, label]) =>
    Math.log(Math.exp(a) + Math.exp(b) + Math.exp(c)) - [a, b, c][label]
  );
  near(loss, crossEntropies.reduce((sum, value) => sum + value) / 4);
});

Deno.test("the loss is PyTorch's", () => {
  const oracle = readOracle("cross_entropy");
  const labels = oracle.tensors.get("labels")!.data as Int32Array;
  near(measure({ scores: values(oracle, "scores"), labels }).loss, values(oracle, "none.loss")[0]);
});

Deno.test("of equal scores the first is the answer: ten equal ones are right in one class of ten", () => {
  const { accuracy, loss, perClass } = measure({
    scores: new Float32Array(200).fill(0.7),
    labels: Array.from({ length: 20 }, (_, at) => at % 10),
  });
  assert.equal(accuracy, 0.1);
  assert.deepEqual(perClass, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  near(loss, Math.log(10));
  assert.equal(argMax([3, 7, 7]), 1);
});

Deno.test("huge scores have a finite loss and probabilities that add up to 1", () => {
  near(measure({ scores: Float32Array.of(1e4, -1e4), labels: [1] }).loss, 2e4);
  assert.deepEqual(softmax([1e4, -1e4, 1e4]), [0.5, 0, 0.5]);
  near(softmax([1, 2, 3]).reduce((sum, value) => sum + value), 1);
  near(softmax([0, Math.log(3)])[1], 0.75);
});
