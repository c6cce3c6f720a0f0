import { composeFigure, type Figure } from "../../../lib/figures/figure.ts";
import { svgToPng } from "../../../lib/figures/svg_to_png.ts";
import type { OutputFacts } from "../../../notebooks/cells/display.ts";
import type { CellOutput, NotebookCell, NotebookFile } from "../../../notebooks/jupyter/notebook_file.ts";
import type { ReportNotebook } from "../../../notebooks/report/section.ts";
import { InputError } from "../../../lib/support/errors.ts";
import { collectFiles } from "../../../notebooks/report/zip.ts";
import { PROJECT } from "../../testing/sources.ts";
import { ensurePythonPackages } from "../../../lib/setup.ts";

/** A cell of Markdown. */
export function prose(source: string, metadata: Record<string, unknown> = {}): NotebookCell {
  return { cell_type: "markdown", id: "prose", metadata, source };
}

/** An executed cell of code with what it shows. */
export function code(
  source: string,
  outputs: CellOutput[] = [],
  metadata: Record<string, unknown> = {},
): NotebookCell {
  return { cell_type: "code", id: "code", metadata, source, outputs, execution_count: 1 };
}

/** A figure as a notebook keeps it. */
export function figure(title: string, subtitle?: string): CellOutput {
  const { svg, ...text } = drawFigure(title, subtitle);
  const data = {
    "image/png": svgToPng(svg).toBase64(),
    "image/svg+xml": svg.split(/(?<=\n)/),
    "text/plain": [title],
  };
  return { output_type: "display_data", data, metadata: { report: { kind: "figure", ...text } } };
}

/** A figure of `lib/figures`: a square of 100 pixels. */
export function drawFigure(title?: string, subtitle?: string): Figure {
  const body = { markup: '<rect width="100" height="100"/>', height: 100, alt: "A black square." };
  return composeFigure(body, { title, subtitle, width: 240 });
}

/** What `displayMarkdown` and `displayTable` show. */
export function markdown(text: string, facts?: OutputFacts): CellOutput {
  const data = { "text/markdown": text, "text/plain": text };
  return { output_type: "display_data", data, metadata: { ...facts && { report: facts } } };
}

/** A table as `displayTable` shows it. */
export function table(): CellOutput {
  return markdown(TABLE, { kind: "table", rows: 1, columns: 2 });
}

/** What a notebook says as it opens. */
export function opening(data: string, quick = false): CellOutput {
  const circumstances = {
    data,
    sizes: [50_000, 10_000] as const,
    weights: "random",
    runtime: "CPU, TensorFlow 2.21.0",
    synthetic: data === "synthetic",
    quick,
  };
  return markdown(`Data: ${data}`, { kind: "circumstances", ...circumstances });
}

/** What `console.log` prints. */
export function printed(text: string): CellOutput {
  return { output_type: "stream", name: "stdout", text };
}

/** A notebook of these cells. */
export function notebook(name: string, ...cells: NotebookCell[]): ReportNotebook {
  const file: NotebookFile = { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
  return { path: `${name}.ipynb`, file };
}

/** A table in Markdown. */
export const TABLE = "| part | parameters |\n| --- | ---: |\n| `backbone` | 157,504 |";

/** Python with pandoc and typst; null, with a message, if they can be neither found nor fetched. */
export async function findReportPython(): Promise<string | null> {
  try {
    return (await ensurePythonPackages("report")).python;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.warn(`The tests that set pages are left out: ${error.message}`);
    return null;
  }
}

/** Tells whether git tracks this project, which the unpacked zip of a report is not. */
export async function isTracked(): Promise<boolean> {
  try {
    await collectFiles(PROJECT);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
