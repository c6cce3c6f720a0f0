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
export { type OpenModel, openModel, type OpenNotebook, openNotebook } from "./open.ts";
export {
  displayComparison,
  displayCurves,
  openResults,
  type OpenStudy,
  openStudy,
  type ResultRow,
  type Results,
} from "./results.ts";
export { createTrainer, sweepLearningRate } from "./steps.ts";
export {
  type Cell,
  decimal,
  displayTable,
  type Estimate,
  finding,
  md,
  percent,
  points,
  signed,
  type Table,
} from "./text.ts";
export {
  type LiveResult,
  notebookRunsFolder,
  trainLive,
  type TrainLiveOptions,
  trainUntil,
} from "./train_live.ts";
