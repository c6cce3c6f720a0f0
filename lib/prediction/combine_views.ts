import { argMax, mean } from "../support/statistics.ts";
import type { Prediction } from "./classify.ts";
import type { PictureView, View } from "./prepare_picture.ts";

/** The view that a picture is classified by, or the average of all. */
export type Fit = View | "average";

/** Prediction for one view of a picture. */
export interface ViewPrediction extends PictureView {
  /** Prediction for its pixels. */
  prediction: Prediction;
}

/**
 * Combines the predictions for a picture's views. Averaged are scores and probabilities; pixels and maps, which
 * have no average, are those of the view that gives the predicted class the highest probability.
 *
 * @param views Of a square picture one, which is every view.
 */
export function combineViews(views: readonly ViewPrediction[], fit: Fit): ViewPrediction {
  if (fit !== "average") return views.find(({ view }) => view === fit) ?? views[0];
  const average = (lists: ArrayLike<number>[]) =>
    Array.from(lists[0], (_, label) => mean(lists.map((list) => list[label])));
  const probabilities = average(views.map(({ prediction }) => prediction.probabilities));
  const predictedClass = argMax(probabilities);
  const likeliest = argMax(views.map(({ prediction }) => prediction.probabilities[predictedClass]));
  const scores = Float32Array.from(average(views.map(({ prediction }) => prediction.scores)));
  const { prediction, ...view } = views[likeliest];
  return { ...view, prediction: { ...prediction, scores, probabilities, predictedClass } };
}
