/**
 * Functions for the notebooks' cells: open data and models, train live, show tables, figures and conclusions.
 *
 * @module
 */
export { displayFigure } from "./display.ts";
export { compareCheckpoints, compareProbes, measureGradient, probeBackbones } from "./measurements.ts";
export {
  displayDiagram,
  displayShapes,
  makeBatch,
  makeExample,
  pictureAt,
  sampleClasses,
} from "./network.ts";
export { openModel, openNotebook } from "./open.ts";
export { displayComparison, displayCurves, openResults, openStudy } from "./results.ts";
export { createTrainer, sweepLearningRate } from "./steps.ts";
export { decimal, displayTable, finding, md, percent, points, signed } from "./text.ts";
export { notebookRunsFolder, trainLive, trainUntil } from "./train_live.ts";
