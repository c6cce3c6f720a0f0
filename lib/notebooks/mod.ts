/**
 * What the notebooks call beside the library itself: what is shown below a cell, and what every notebook begins with.
 *
 * @module
 */
export { type CheckpointComparison, compareCheckpoints } from "./compare_checkpoints.ts";
export {
  concludeComparison,
  displayComparison,
  type DisplayComparisonOptions,
  displayCurves,
  listLimits,
  nameData,
} from "./comparison.ts";
export { createLiveFigure, displayFigure, type LiveFigure } from "./figures.ts";
export { type LossAndGradient, measureGradient } from "./gradient.ts";
export {
  displayDiagram,
  type DisplayDiagramOptions,
  displayLayers,
  displayParts,
  makeExample,
} from "./network.ts";
export { isQuick, type OpenNotebook, openNotebook } from "./open_notebook.ts";
export { type OpenModel, openModel } from "./open_model.ts";
export { firstOfClass, pictureAt, sampleClasses } from "./pictures.ts";
export { openResults } from "./results.ts";
export { compareValues, displayShapes, makeBatch, readRows } from "./tensors.ts";
export { type Cell, displayMarkdown, displayTable, type Table } from "./text.ts";
export { notebookRunsFolder, trainLive, type TrainLiveOptions, trainUntil } from "./train_live.ts";
