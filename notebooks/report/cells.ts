import { basename, dirname, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import type { FigureFacts, OutputFacts } from "../cells/display.ts";
import { type CellOutput, type NotebookCell, type NotebookFile, sourceOf } from "../jupyter/notebook_file.ts";

/** A piece of a section, in the order of the notebook. */
export type Part = ProsePart | CodePart | FigurePart | TablePart | TextPart;

/** What all parts know of the cell they are from. */
export interface OfCell {
  /** The cell's number as JupyterLab's reader counts, from 1. */
  cell: number;
  /** Places of the lab's text that this cell answers: its tags that begin with `lab-`, on its first part only. */
  answers: string[];
}

/** Markdown: a cell of it, or a sentence that a cell computed. */
export interface ProsePart extends OfCell {
  /** Tells the parts apart. */
  kind: "prose";
  /** As in the notebook. */
  markdown: string;
  /** Whether somebody wrote it, and no cell computed it. */
  isWritten: boolean;
}

/** The source of a cell with the tag `report-code`. */
export interface CodePart extends OfCell {
  /** Tells the parts apart. */
  kind: "code";
  /** TypeScript. */
  source: string;
}

/** A picture with its caption. */
export interface FigurePart extends OfCell {
  /** Tells the parts apart. */
  kind: "figure";
  /** Vectors where there are any. */
  format: "svg" | "png";
  /** The picture's file. */
  data: Uint8Array<ArrayBuffer>;
  /** Title, caption and alternative text; null for a picture that none came with. */
  facts: FigureFacts | null;
  /** Markdown; null where the figure's own title is to serve. */
  caption: string | null;
  /** Share of the text's width that it takes, where the author has set one. */
  width: number | null;
}

/** A table that a cell computed, in Markdown. */
export interface TablePart extends OfCell {
  /** Tells the parts apart. */
  kind: "table";
  /** The table, and nothing else. */
  markdown: string;
  /** Markdown; null where the heading above is to serve. */
  caption: string | null;
}

/** What a cell printed. */
export interface TextPart extends OfCell {
  /** Tells the parts apart. */
  kind: "text";
  /** Lines as they were printed. */
  text: string;
}

/** What a cell's metadata may say for the report. */
interface CellReport {
  /** Captions (Markdown) of the cell's figures and tables, in their order: null for one that has a title, false for one to leave out. */
  captions?: (string | null | false)[];
  /** Share of the text's width for the cell's figures, 0–1. */
  width?: number;
}

/**
 * Takes a notebook apart into what its report prints.
 *
 * Prose, figures, tables and printed text are kept; code is left out. Tags of a cell, which JupyterLab's property inspector shows, change
 * that: `report-code` prints its code too, `report-skip` leaves the cell out, `report-skip-output` leaves out what it shows, and `lab-…`
 * marks where something that the lab asks for is answered (see {@linkcode LAB_TASKS}). Captions stand under `report.captions` in its
 * metadata. In Markdown, what stands between `<!-- notebook only -->` and `<!-- end -->` is left out.
 *
 * @param path Of the notebook: for messages, and for pictures its prose refers to.
 * @throws {InputError} If a cell failed when the notebook was executed.
 */
export async function takeApart(notebook: NotebookFile, path: string): Promise<Part[]> {
  const parts: Part[] = [];
  for (const [index, cell] of notebook.cells.entries()) {
    const tags = tagsOf(cell);
    if (cell.cell_type === "raw" || tags.includes("report-skip")) continue;
    const own = cell.cell_type === "markdown" ? await splitProse(sourceOf(cell), path, index + 1) : [
      ...tags.includes("report-code") ? [codePart(cell, index + 1)] : [],
      ...outputParts(cell, index + 1, path),
    ];
    // a cell that prints nothing still says where a task is answered: what follows it does
    const answers = tags.filter((tag) => tag.startsWith("lab-"));
    if (own.length > 0) own[0].answers = answers;
    else if (answers.length > 0) {
      own.push({ kind: "prose", markdown: "", isWritten: false, cell: index + 1, answers });
    }
    parts.push(...own);
  }
  return parts;
}

/** Whether every code cell that says anything was executed. */
export function isExecuted({ cells }: NotebookFile): boolean {
  return cells.every((cell) =>
    cell.cell_type !== "code" || sourceOf(cell).trim() === "" || typeof cell.execution_count === "number"
  );
}

function tagsOf({ metadata }: NotebookCell): string[] {
  return Array.isArray(metadata.tags) ? metadata.tags.map(String) : [];
}

function codePart(cell: NotebookCell, number: number): CodePart {
  return { kind: "code", source: sourceOf(cell).trim(), cell: number, answers: [] };
}

const NOTEBOOK_ONLY = /<!-- notebook only -->[^]*?(?:<!-- end -->|$)/g;
const LONELY_PICTURE = /^!\[(.*)\]\((\S+)\)$/m;

/** Pictures that stand alone become figures of their own. */
async function splitProse(source: string, path: string, cell: number): Promise<Part[]> {
  const parts: Part[] = [];
  const [first, ...rest] = source.replace(NOTEBOOK_ONLY, "").split(new RegExp(LONELY_PICTURE, "gm"));
  const add = (markdown: string) =>
    void (markdown.trim() !== "" &&
      parts.push({ kind: "prose", markdown: markdown.trim(), isWritten: true, cell, answers: [] }));
  add(first);
  for (let at = 0; at < rest.length; at += 3) {
    parts.push(await readPicture(rest[at], rest[at + 1], path, cell));
    add(rest[at + 2]);
  }
  return parts;
}

async function readPicture(caption: string, target: string, path: string, cell: number): Promise<FigurePart> {
  const format = /\.(svg|png)$/.exec(target)?.[1] as "svg" | "png" | undefined;
  if (format === undefined || /^\w+:/.test(target)) {
    throw new InputError(
      `Cannot print the picture ${target} of ${
        basename(path)
      }: it must be an SVG or PNG file of the project.`,
    );
  }
  const data = await Deno.readFile(join(dirname(path), target));
  return {
    kind: "figure",
    format,
    data,
    facts: null,
    caption: caption || null,
    width: null,
    cell,
    answers: [],
  };
}

function outputParts(cell: NotebookCell, number: number, path: string): Part[] {
  const failed = cell.outputs?.find(({ output_type }) => output_type === "error");
  if (failed !== undefined) {
    throw new InputError(
      `Cannot make a report of ${
        basename(path)
      }: its cell ${number} (${cell.id}) failed with ${failed.ename}; ` +
        "mend it and run deno task notebooks.",
    );
  }
  if (tagsOf(cell).includes("report-skip-output")) return [];
  const { captions = [], width = null } = (cell.metadata.report ?? {}) as CellReport;
  let shown = 0;
  return (cell.outputs ?? []).flatMap((output): Part[] => {
    const part = outputPart(output, number);
    if (part === null) return [];
    if (part.kind !== "figure" && part.kind !== "table") return [part];
    const caption = captions[shown++] ?? null;
    if (caption === false) return [];
    return [part.kind === "figure" ? { ...part, caption, width } : { ...part, caption }];
  });
}

/** The best form of an output that can be printed; null for none. */
function outputPart(output: CellOutput, cell: number): Part | null {
  const { output_type, name, text, data = {} } = output;
  const facts = factsOf(output);
  const common = { cell, answers: [] };
  const figure = { kind: "figure", facts: facts?.kind === "figure" ? facts : null } as const;
  const svg = textOf(data["image/svg+xml"]);
  if (svg !== "") {
    return { ...figure, format: "svg", data: encode(svg), caption: null, width: null, ...common };
  }
  const png = textOf(data["image/png"]).replace(/\s/g, "");
  if (png !== "") {
    return {
      ...figure,
      format: "png",
      data: Uint8Array.fromBase64(png),
      caption: null,
      width: null,
      ...common,
    };
  }
  const markdown = textOf(data["text/markdown"]).trim();
  if (facts?.kind === "note" || facts?.kind === "circumstances") return null;
  if (facts?.kind === "table") return { kind: "table", markdown, caption: null, ...common };
  if (markdown !== "") return { kind: "prose", markdown, isWritten: false, ...common };
  if (output_type === "stream" && name !== "stdout") return null;
  const printed = (textOf(text) || textOf(data["text/plain"])).replace(/^\n+|\s+$/g, "");
  return printed === "" ? null : { kind: "text", text: printed, ...common };
}

/** Facts that a cell left beside an output. */
export function factsOf({ metadata }: CellOutput): OutputFacts | undefined {
  return metadata?.report as OutputFacts | undefined;
}

function textOf(value: unknown): string {
  if (value === undefined) return "";
  return Array.isArray(value) ? value.join("") : String(value);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
