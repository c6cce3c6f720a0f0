import assert from "node:assert/strict";
import { chooseExamples, predictClasses, runnerUp } from "../../lib/analysis/choose_examples.ts";

/** Scores that give these answers among three classes. */
const scoresOf = (answers: number[]) =>
  Float32Array.from(answers.flatMap((answer) => [0, 1, 2].map((label) => (label === answer ? 1 : 0))));

Deno.test("the first example is the first correct image, not the most confident", () => {
  const scores = Float32Array.of(0, 0.1, 0, /* wrong */ 0.2, 0.3, 0, /* right, barely */ 0, 9, 0 /* right */);
  assert.equal(chooseExamples({ scores, labels: [0, 1, 1] }).first, 1);
});

Deno.test("correct examples are the first of each class, in the set's order", () => {
  const answers = [2, 2, 0, 2, 1, 0];
  const labels = [0, 2, 0, 2, 1, 0];
  const chosen = chooseExamples({ scores: scoresOf(answers), labels });
  assert.deepEqual(chosen, { first: 1, correct: [1, 2, 4], wrong: [0] });
  assert.deepEqual(chooseExamples({ scores: scoresOf(answers), labels, correct: 2, wrong: 0 }), {
    first: 1,
    correct: [1, 2],
    wrong: [],
  });
});

Deno.test("without a correct prediction there is no first example", () => {
  assert.deepEqual(chooseExamples({ scores: scoresOf([1, 0]), labels: [0, 1] }), {
    first: -1,
    correct: [],
    wrong: [0],
  });
});

Deno.test("predicted class and runner-up are the two highest scores", () => {
  assert.deepEqual(predictClasses(Float32Array.of(1, 5, 3, -1, -2, -3), 2), [1, 0]);
  assert.equal(runnerUp([1, 5, 3]), 2);
  assert.equal(runnerUp([-1, -2, -3]), 1);
});
