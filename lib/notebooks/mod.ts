/**
 * What the notebooks call beside the library itself: what is shown below a cell, and what every notebook begins with.
 *
 * @module
 */
export { createLiveFigure, displayFigure, type LiveFigure } from "./figures.ts";
export { isQuick, type OpenNotebook, openNotebook } from "./open_notebook.ts";
export { type OpenModel, openModel } from "./open_model.ts";
export { openResults } from "./results.ts";
export { displayMarkdown, displayTable, type Table } from "./text.ts";
export { notebookRunsFolder, trainLive, type TrainLiveOptions } from "./train_live.ts";
