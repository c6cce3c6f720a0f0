import { basename } from "@std/path";
import type { FigureFacts } from "../cells/display.ts";
import type { NotebookFile } from "../jupyter/notebook_file.ts";
import type { Piece } from "./markdown.ts";
import { type CellPlace, type FigurePart, type Part, readParts } from "./parts.ts";
import { block, call, escapeParagraph, inline, toTypst } from "./typst.ts";

/** A notebook to print. */
export interface ReportNotebook {
  /** Path or name: `04_frozen_backbone.ipynb`. */
  path: string;
  file: NotebookFile;
}

/** A notebook as a section of the report. */
export interface Section {
  /** The notebook's number, and the section's. */
  number: number;
  /** The notebook's file name. */
  name: string;
  /** Markdown with embedded typst. */
  pieces: Piece[];
  /** Pictures by name. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Answers to the lab's tasks, by tag. */
  answers: Map<string, Answer[]>;
  /** Parts of the notebook that are not printed. */
  leftOut: LeftOut[];
}

/** Something of a cell that the report leaves out or prints in another form. */
export interface LeftOut {
  place: CellPlace;
  /** A sentence's end: "is a raw cell and left out". */
  what: string;
}

/** Place of an answer. */
export interface Answer {
  /** Typst's label. */
  label: string;
  /** The cell's number. */
  cell: number;
  /** The heading above it. */
  heading: string;
}

/** Returns the number that a notebook's name begins with. */
export function notebookNumber(path: string): number {
  return Number.parseInt(basename(path), 10);
}

/** Returns the label of a notebook's section. */
export function sectionLabel(notebook: number): string {
  return `notebook-${notebook}`;
}

/** Prints a notebook as a section. @throws {InputError} If one of its cells failed. */
export function makeSection({ path, file }: ReportNotebook): Section {
  const number = notebookNumber(path);
  const name = basename(path);
  const parts = readParts(file, path).map((part, index) => ({
    ...part,
    label: `${part.kind}-${number}-${index + 1}`,
  }));
  const files: Section["files"] = new Map();
  const answers: Section["answers"] = new Map();
  const pieces: Piece[] = [];
  const leftOut: LeftOut[] = [];
  let heading = basename(name, ".ipynb");
  for (const [index, part] of parts.entries()) {
    const { label, cell } = part;
    if (part.kind === "prose") heading = /^#+ (.*)$/m.exec(part.markdown)?.[1] ?? heading;
    for (const tag of part.answers) {
      answers.set(tag, [...answers.get(tag) ?? [], { label, cell, heading }]);
    }
    const place = { path, number: cell, attachments: file.cells[cell - 1].attachments };
    const add = (...texts: string[]) => pieces.push(...texts.map((markdown) => ({ markdown, place })));
    const mark = part.answers.length > 0 ? `#metadata(none) <${label}>` : "";
    if (part.kind === "prose") {
      const prose = part.isComputed ? part.markdown : pointTo(part.markdown, following(parts, index));
      const marked = markPlace(prose, mark);
      add(pieces.length === 0 ? nameSection(marked, number) : marked);
    } else if (part.kind === "figure") {
      const file = `${label}.${part.format}`;
      files.set(file, part.data);
      add(...printFigure(part, { file, label, heading }));
    } else if (part.kind === "table") {
      const { rows, columns, caption, markdown } = part;
      const bodies = [caption ?? escapeParagraph(heading), markdown];
      add(...call("captioned-table", { rows, columns }, bodies, label));
    } else if (part.kind === "left-out") leftOut.push({ place, what: part.what });
    else {
      const typst = part.kind === "code"
        ? `#listing(${toTypst(part.source)})`
        : `#printed(${toTypst(part.text)})`;
      add(block(`${typst} ${mark}`));
    }
  }
  return { number, name, pieces, files, answers, leftOut };
}

/** Labels of the figures and tables between a Markdown cell and the next. */
function following(parts: readonly (Part & { label: string })[], from: number): string[] {
  const end = parts.findIndex((part, at) => at > from && part.kind === "prose" && !part.isComputed);
  return parts.slice(from + 1, end === -1 ? undefined : end)
    .filter(({ kind }) => kind === "figure" || kind === "table").map(({ label }) => label);
}

/** Refers to figures and tables at the end of the running paragraph above: "… orthogonal (Figure 3)." */
export function pointTo(markdown: string, labels: readonly string[]): string {
  if (labels.length === 0) return markdown;
  const paragraphs = markdown.split(/\n{2,}/);
  const last = paragraphs.findLastIndex((text) => /^(?!#|>|\||\$\$|```|[-*+] |\d+\. ).*[.:]$/s.test(text));
  if (last === -1) return markdown;
  const references = labels.map((label) => inline(`#ref(<${label}>);`)).join(", ");
  paragraphs[last] = paragraphs[last].replace(/[.:]$/, (end) => ` (${references})${end}`);
  return paragraphs.join("\n\n");
}

/** Makes a notebook's title the section's heading; typst numbers it. */
function nameSection(prose: string, number: number): string {
  const named = /^# /.test(prose) ? prose : `# Notebook ${number}\n\n${prose}`;
  const counter = block(`#counter(heading).update(${number - 1})`);
  const label = inline(`<${sectionLabel(number)}>`);
  return named.replace(/^# (?:\d+ · )?(.*)$/m, (_, title) => `${counter}# ${title} ${label}`);
}

/** Puts a mark at the beginning of a cell's text, below its heading. */
function markPlace(prose: string, mark: string): string {
  if (mark === "") return prose;
  return prose.replace(/^(\s*#+ .*\n+)?/, (heading) => `${heading}${inline(mark)}\n\n`);
}

interface FigurePlace {
  file: string;
  label: string;
  heading: string;
}

/** Points per pixel of every figure, so that their text has one size in the whole report. */
const SCALE = 0.57;
/** Smallest text on paper in points: a figure with smaller one is enlarged. */
const SMALLEST_TEXT = 6.5;
/** A figure's widest and tallest in points. */
const [WIDEST, TALLEST] = [487, 580];
/** Pixels at a figure's edges that are not printed: the page is its sheet. */
export const FIGURE_EDGE = 12;

/** Points that a pixel of a figure has on paper. */
export function figureScale({ width, height, top }: FigureFacts, svg: string): number {
  const sizes = [...svg.matchAll(/font-size="([\d.]+)"/g)].map(([, size]) => Number(size));
  const wanted = Math.max(SCALE, SMALLEST_TEXT / Math.min(...sizes));
  return Math.min(wanted, WIDEST / (width - 2 * FIGURE_EDGE), TALLEST / (height - top));
}

function printFigure(part: FigurePart, { file, label, heading }: FigurePlace): string[] {
  const { facts, caption, data } = part;
  const own = [facts?.title ?? heading, facts?.caption ?? ""].filter((text) => text !== "")
    .map((text) => /[.?!]$/.test(text) ? text : `${text}.`).join(" ");
  const options = {
    file,
    ...facts && {
      alt: facts.alt,
      size: [facts.width, facts.height],
      top: facts.top,
      edge: FIGURE_EDGE,
      scale: figureScale(facts, new TextDecoder().decode(data)),
    },
  };
  return call("picture", options, [caption ?? escapeParagraph(own)], label);
}
