import { basename } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { formatCount } from "../../lib/support/format.ts";
import type { FigureFacts, OutputFacts } from "../cells/display.ts";
import {
  type CellOutput,
  type NotebookCell,
  type NotebookFile,
  sourceOf,
  tagsOf,
} from "../jupyter/notebook_file.ts";

/** A cell of a notebook, for messages, and to find its pictures. */
export interface CellPlace {
  /** Path of the notebook. */
  path: string;
  /** The cell's number, counted from 1 with Markdown cells included. */
  number: number;
  attachments?: NotebookCell["attachments"];
}

/** A piece of a section, in the notebook's order. */
export type Part = PartContent & {
  /** The cell's number, counted from 1 with Markdown cells included. */
  cell: number;
  /** Tasks of the lab that this cell answers, by its `lab-…` tags; on its first part but printed text. */
  answers: string[];
};

/** Content of a {@linkcode Part}. Captions are Markdown; null: the figure's title, a table's heading. */
export type PartContent =
  /** A Markdown cell, or Markdown that a cell displayed. */
  | { kind: "prose"; markdown: string; isComputed: boolean }
  | { kind: "code"; source: string }
  | FigurePart
  | { kind: "table"; markdown: string; caption: string | null; rows: number; columns: number }
  /** Printed text. */
  | { kind: "text"; text: string }
  /** Something that the report does not print: "is a raw cell and left out". */
  | { kind: "left-out"; what: string };

/** A figure with its caption. */
export interface FigurePart {
  kind: "figure";
  format: "svg" | "png" | "jpeg";
  data: Uint8Array<ArrayBuffer>;
  caption: string | null;
  /** Absent for a picture that another library displayed. */
  facts?: FigureFacts;
}

/**
 * Splits a notebook into what the report prints: Markdown, figures, tables and printed text, without code.
 *
 * Tags (in JupyterLab's property inspector) change that: `report-code` prints a cell's code too,
 * `report-skip` leaves the cell out, `report-skip-output` leaves its outputs out, `report-short` puts it in
 * the short form too, and `lab-…` marks the answer to a task (see `LAB_TASKS`). In Markdown, text between
 * `<!-- notebook only -->` and `<!-- end -->` is left out.
 *
 * @param path For messages.
 * @throws {InputError} If a cell failed when the notebook was executed, or is too long.
 */
export function readParts(notebook: NotebookFile, path: string): Part[] {
  return notebook.cells.flatMap((cell, index): Part[] => {
    const tags = tagsOf(cell);
    if (tags.includes("report-skip")) return [];
    const contents = readContents(cell, { path, number: index + 1 });
    refuseLong(contents, { path, number: index + 1 });
    const answers = tags.filter((tag) => tag.startsWith("lab-"));
    // a cell without outputs can answer a task too: what follows it is the answer
    if (contents.length === 0 && answers.length > 0) {
      contents.push({ kind: "prose", markdown: "", isComputed: true });
    }
    // what a cell prints may stand above the heading of its answer
    const first = Math.max(0, contents.findIndex(({ kind }) => kind !== "text"));
    return contents.map((content, at) => ({
      ...content,
      cell: index + 1,
      answers: at === first ? answers : [],
    }));
  });
}

const MAXIMUM_LENGTH = 50_000; // characters, ten pages or more

function refuseLong(contents: readonly PartContent[], { path, number }: CellPlace): void {
  for (const content of contents) {
    const texts = [content].flatMap(Object.values).filter((value) => typeof value === "string");
    if (texts.every(({ length }) => length <= MAXIMUM_LENGTH)) continue;
    throw new InputError({
      what: `print cell ${number} of ${basename(path)}`,
      why: `it has more than ${formatCount(MAXIMUM_LENGTH)} characters`,
      next: [{ advice: "shorten it, or leave it out by the tag report-skip" }],
    });
  }
}

/** Tells whether every code cell was executed. */
export function isExecuted({ cells }: NotebookFile): boolean {
  return cells.every((cell) =>
    cell.cell_type !== "code" || sourceOf(cell).trim() === "" || typeof cell.execution_count === "number"
  );
}

/** Reads the facts that a cell left beside an output. */
export function factsOf({ metadata }: CellOutput): OutputFacts | undefined {
  return metadata?.report;
}

/** Lists the facts beside all outputs of a notebook. */
export function outputFacts({ cells }: NotebookFile): OutputFacts[] {
  return cells.flatMap(({ outputs = [] }) => outputs.flatMap((output) => factsOf(output) ?? []));
}

function readContents(cell: NotebookCell, place: CellPlace): PartContent[] {
  if (cell.cell_type === "markdown") return readMarkdown(cell);
  if (cell.cell_type === "raw") return [{ kind: "left-out", what: "is a raw cell and left out" }];
  const hasCode = tagsOf(cell).includes("report-code");
  return [
    ...hasCode ? [{ kind: "code" as const, source: sourceOf(cell).trim() }] : [],
    ...readOutputs(cell, place),
  ];
}

function readMarkdown(cell: NotebookCell): PartContent[] {
  const markdown = sourceOf(cell).replace(/<!-- notebook only -->[^]*?(?:<!-- end -->|$)/g, "").trim();
  return markdown === "" ? [] : [{ kind: "prose", markdown, isComputed: false }];
}

function readOutputs(cell: NotebookCell, place: CellPlace): PartContent[] {
  const failed = cell.outputs?.find(({ output_type }) => output_type === "error");
  if (failed !== undefined) {
    throw new InputError({
      what: `make a report of ${basename(place.path)}`,
      why: `its cell ${place.number} (${cell.id}) failed with ${failed.ename}`,
      next: [{ task: "notebooks" }],
    });
  }
  if (tagsOf(cell).includes("report-skip-output")) return [];
  const captions = cell.metadata.report?.captions ?? [];
  let shown = 0;
  return (cell.outputs ?? []).flatMap((output) => readOutput(output, place)).flatMap(
    (content): PartContent[] => {
      if (content.kind !== "figure" && content.kind !== "table") return [content];
      const caption = captions[shown++] ?? null;
      if (caption === false) return [];
      return [{ ...content, caption }];
    },
  );
}

/** Kinds of outputs that the report's pages do not repeat. */
const IN_NOTEBOOK: readonly OutputFacts["kind"][] = ["note", "circumstances", "model"];

/** Picks the best printable form of an output, and says if a better one cannot be printed. */
function readOutput(output: CellOutput, place: CellPlace): PartContent[] {
  const { output_type, name, text, data = {} } = output;
  const facts = factsOf(output);
  const figure = {
    kind: "figure",
    caption: null,
    ...facts?.kind === "figure" && { facts },
  } as const;
  const svg = textOf(data["image/svg+xml"]);
  if (svg !== "") return [{ ...figure, format: "svg", data: new TextEncoder().encode(svg) }];
  for (const format of ["png", "jpeg"] as const) {
    const pixels = textOf(data[`image/${format}`]).replace(/\s/g, "");
    if (pixels !== "") return [{ ...figure, format, data: decodePicture(pixels, place) }];
  }
  const markdown = textOf(data["text/markdown"]).trim();
  if (facts !== undefined && IN_NOTEBOOK.includes(facts.kind)) return [];
  if (facts?.kind === "table") return [{ ...facts, markdown, caption: null }];
  if (markdown !== "") return [{ kind: "prose", markdown, isComputed: true }];
  if (output_type === "stream" && name !== "stdout") return [];
  const printed = (textOf(text) || textOf(data["text/plain"])).replace(/^\n+|\s+$/g, "");
  const [rich] = Object.keys(data).filter((type) => type !== "text/plain");
  const end = printed === "" ? "left out" : "printed as plain text";
  return [
    ...rich === undefined ? [] : [{ kind: "left-out", what: `shows ${rich}, which is ${end}` } as const],
    ...printed === "" ? [] : [{ kind: "text", text: printed } as const],
  ];
}

function decodePicture(base64: string, { path, number }: CellPlace): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (cause) {
    const what = `print the picture of cell ${number} of ${basename(path)}`;
    throw new InputError({ what, why: "it is damaged", next: [{ task: "notebooks" }] }, { cause });
  }
}

/** Jupyter keeps text as one string or as lines. */
function textOf(value: unknown = ""): string {
  return Array.isArray(value) ? value.join("") : String(value);
}
