import assert from "node:assert/strict";
import { combineViews, type ViewPrediction } from "../../lib/prediction/classify.ts";
import { VIEWS } from "../../lib/prediction/prepare_picture.ts";

/** A view for each list of probabilities; pixels and maps hold its position. */
function viewsOf(...lists: number[][]): ViewPrediction[] {
  return lists.map((probabilities, index) => ({
    view: VIEWS[index],
    pixels: Uint8Array.of(index),
    prediction: {
      scores: Float32Array.from(probabilities, (probability) => 8 * probability),
      probabilities,
      predictedClass: probabilities.indexOf(Math.max(...probabilities)),
      maps: Float32Array.of(index),
    },
  }));
}

Deno.test("probabilities and scores are averaged, and the view shown is the one that agrees most", () => {
  const views = viewsOf([0.5, 0.25, 0.25], [0, 0.75, 0.25], [0.25, 0.5, 0.25]);
  const { pixels, view, prediction } = combineViews(views, "average");
  assert.deepEqual(prediction.probabilities, [0.25, 0.5, 0.25]);
  assert.deepEqual([...prediction.scores], [2, 4, 2]);
  assert.deepEqual([prediction.predictedClass, view, [...pixels], [...prediction.maps]], [1, "crop", [1], [
    1,
  ]]);
});

Deno.test("a view is taken as it is, and a square picture's only one for each", () => {
  const views = viewsOf([0.5, 0.5], [0.25, 0.75], [1, 0]);
  for (const [index, view] of VIEWS.entries()) assert.equal(combineViews(views, view), views[index]);
  for (const fit of [...VIEWS, "average"] as const) {
    assert.deepEqual(combineViews(views.slice(0, 1), fit), views[0]);
  }
});
