import { type NotebookCell, type NotebookFile, sourceOf, tagsOf } from "../jupyter/notebook_file.ts";
import { factsOf } from "./parts.ts";

/** Shortens a notebook to its title and the cells tagged `report-short`, each with its first figure only. */
export function shorten(notebook: NotebookFile): NotebookFile {
  const { cells } = notebook;
  return {
    ...notebook,
    cells: cells.map((cell, index) => {
      if (isShort(cell)) return withFirstFigure(cell);
      const [title, heading] = headingsOf(cell);
      const next = cells.slice(index + 1).find((other) => isShort(other) || headingsOf(other).length > 0);
      const isAbove = next !== undefined && isShort(next);
      const source = [title, ...isAbove ? [heading] : []].filter((line) => line !== undefined).join("\n\n");
      return { cell_type: "markdown", id: cell.id, metadata: {}, source };
    }),
  };
}

function withFirstFigure(cell: NotebookCell): NotebookCell {
  const isFigure = cell.outputs?.map((output) => factsOf(output)?.kind === "figure") ?? [];
  return {
    ...cell,
    outputs: cell.outputs?.filter((_, at) => !isFigure[at] || at === isFigure.indexOf(true)),
  };
}

function isShort(cell: NotebookCell): boolean {
  return tagsOf(cell).includes("report-short");
}

/** The title and the last heading below it of a Markdown cell; empty without any. */
function headingsOf(cell: NotebookCell): (string | undefined)[] {
  if (cell.cell_type !== "markdown") return [];
  const all = sourceOf(cell).match(/^#+ .*$/gm) ?? [];
  if (all.length === 0) return [];
  return [all.find((line) => /^# /.test(line)), all.findLast((line) => !/^# /.test(line))];
}
