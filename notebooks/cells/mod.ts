/**
 * What the notebooks call beside the library itself: what is shown below a cell, and what every notebook begins with.
 *
 * @module
 */
export { answerQuestions, concludeMaps, formatChance } from "./answers.ts";
export { describeBlend, measureBlend } from "./blends.ts";
export { type CheckpointComparison, compareCheckpoints } from "./compare_checkpoints.ts";
export {
  concludeComparison,
  displayComparison,
  type DisplayComparisonOptions,
  displayCurves,
  listLimits,
  nameData,
} from "./comparison.ts";
export { concludeFrozen, describeBudget } from "./frozen_backbone.ts";
export { createLiveFigure, displayFigure, type LiveFigure } from "./figures.ts";
export { type LossAndGradient, measureGradient } from "./gradient.ts";
export { describeMoments, displayMoments, fitsStored } from "./moments.ts";
export {
  displayDiagram,
  type DisplayDiagramOptions,
  displayLayers,
  displayParts,
  makeExample,
} from "./network.ts";
export { formatDifference, formatMeanInterval, formatPoints, formatShare } from "./intervals.ts";
export { isQuick, type OpenNotebook, openNotebook } from "../jupyter/open_notebook.ts";
export { type OpenModel, openModel } from "./open_model.ts";
export { firstOfClass, pictureAt, sampleClasses } from "./pictures.ts";
export { ADAPTED, describeProbes, ENLARGED, probeBackbones } from "./probes.ts";
export { compareRemedies, describeFreezing, describeRemedies, displayRemedies } from "./remedies.ts";
export {
  describeAreas,
  describePointing,
  displayAreas,
  displayPointing,
  pickExample,
} from "./response_evidence.ts";
export { openResults } from "./results.ts";
export { compareValues, displayShapes, makeBatch, readRows } from "./tensors.ts";
export { type Cell, displayMarkdown, displayTable, type Table } from "./text.ts";
export { notebookRunsFolder, trainLive, type TrainLiveOptions, trainUntil } from "./train_live.ts";
