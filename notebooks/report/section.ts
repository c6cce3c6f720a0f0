import { basename } from "@std/path";
import type { NotebookFile } from "../jupyter/notebook_file.ts";
import { type FigurePart, type Part, takeApart } from "./cells.ts";
import { block, captionTable, escapeMarkdown, inline, toTypst } from "./markup.ts";
import { adaptProse, cite, pointTo, type ProseContext, referToFigures, sectionLabel } from "./prose.ts";

/** A notebook to print. */
export interface ReportNotebook {
  /** `04_frozen_backbone.ipynb`, with or without a folder. */
  path: string;
  /** Its content. */
  file: NotebookFile;
}

/** A notebook as a section of the report. */
export interface Section {
  /** The notebook's number, and the section's. */
  number: number;
  /** The notebook's file name. */
  name: string;
  /** Markdown with typst in it. */
  markdown: string;
  /** Pictures by the names that the markdown knows them by. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** The places where the lab's tasks are answered, by tag. */
  answers: Map<string, Answer[]>;
}

/** A place where something is answered. */
export interface Answer {
  /** What typst knows it by. */
  label: string;
  /** The cell's number. */
  cell: number;
  /** What it stands under. */
  heading: string;
}

/** The number a notebook's name begins with. */
export function notebookNumber(path: string): number {
  return Number.parseInt(basename(path), 10);
}

/**
 * Makes a section of a notebook.
 *
 * @param notebooks Numbers of all notebooks in the report.
 * @throws {InputError} If a cell of it had failed.
 */
export async function makeSection(
  { path, file }: ReportNotebook,
  notebooks: readonly number[],
): Promise<Section> {
  const number = notebookNumber(path);
  const context: ProseContext = { notebooks, cited: new Set() };
  const parts = await takeApart(file, path);
  const labels = parts.map((part, index) => isNumbered(part) ? `${part.kind}-${number}-${index + 1}` : null);
  const files: Section["files"] = new Map();
  const answers: Section["answers"] = new Map();
  const pieces: string[] = [];
  const firstFigure = parts.find(({ kind }) => kind === "figure");
  let heading = basename(path, ".ipynb");
  for (const [index, part] of parts.entries()) {
    const label = labels[index] ?? `place-${number}-${index + 1}`;
    if (part.kind === "prose") heading = /^#+ (.*)$/m.exec(part.markdown)?.[1] ?? heading;
    for (const tag of part.answers) {
      const places = answers.get(tag) ?? [];
      answers.set(tag, [...places, { label, cell: part.cell, heading }]);
    }
    if (part.kind === "prose") {
      const first = pieces.length === 0;
      let prose = adaptProse(part.markdown, context);
      prose = referToFigures(prose, {
        below: near(parts, labels, index, 1),
        above: near(parts, labels, index, -1),
      });
      if (part.isWritten) prose = pointTo(prose, following(parts, labels, index));
      if (part.answers.length > 0) prose = markPlace(prose, label);
      pieces.push(first ? nameSection(prose, number) : prose);
    } else if (part.kind === "figure") {
      const name = `${label}.${part.format}`;
      pieces.push(printFigure(part, { name, label, heading, floats: part !== firstFigure }, files, context));
    } else if (part.kind === "table") {
      const caption = cite(part.caption ?? escapeMarkdown(heading), context);
      pieces.push(captionTable(keepTogether(part.markdown), caption, label));
    } else {
      const marks = part.answers.length > 0 ? ` #metadata(none) <${label}>` : "";
      pieces.push(
        part.kind === "code"
          ? block(`#listing(${toTypst(part.source)})${marks}`)
          : block(`#printed(${toTypst(part.text)})${marks}`),
      );
    }
  }
  return { number, name: basename(path), markdown: pieces.join("\n\n"), files, answers };
}

function isNumbered({ kind }: Part): boolean {
  return kind === "figure" || kind === "table";
}

/** The nearest figure and table in a direction. */
function near(parts: Part[], labels: (string | null)[], from: number, step: 1 | -1) {
  const find = (kind: Part["kind"]) => {
    for (let at = from + step; at >= 0 && at < parts.length; at += step) {
      if (parts[at].kind === kind) return labels[at]!;
    }
    return undefined;
  };
  return { figure: find("figure"), table: find("table") };
}

/** Labels of the figures and tables between this prose and the next that somebody wrote. */
function following(parts: Part[], labels: (string | null)[], from: number): string[] {
  const after = parts.findIndex((part, at) => at > from && part.kind === "prose" && part.isWritten);
  return labels.slice(from + 1, after === -1 ? undefined : after).filter((label) => label !== null);
}

/** "80.6 ± 0.3 (n = 3)" is wrapped before the bracket, if at all. */
function keepTogether(table: string): string {
  return table.replace(/(\d) ± (\d)/g, "$1\u00a0±\u00a0$2").replace(/\bn = (\d)/g, "n\u00a0=\u00a0$1");
}

/** The first heading is the section's; its number is typst's to give. */
function nameSection(prose: string, number: number): string {
  const named = /^# /.test(prose) ? prose : `# Notebook ${number}\n\n${prose}`;
  return named.replace(
    /^# (?:\d+\s*[·.:–-]\s*)?(.*)$/m,
    (_, title) =>
      `${block(`#counter(heading).update(${number - 1})`)}# ${title} ${inline(`<${sectionLabel(number)}>`)}`,
  );
}

/** Puts a label where a cell's text begins, behind its heading: typst keeps a heading with what follows it. */
function markPlace(prose: string, label: string): string {
  const mark = inline(`#metadata(none) <${label}>`);
  const paragraphs = prose.split(/\n{2,}/);
  const first = paragraphs.findIndex((paragraph) => !/^(#+ |[-*+] |[>|]|\$\$|```|\d+\.|$)/.test(paragraph));
  if (first !== -1) paragraphs[first] = mark + paragraphs[first];
  else paragraphs.splice(1, 0, mark);
  return paragraphs.join("\n\n");
}

interface FigurePlace {
  /** The picture's file. */
  name: string;
  label: string;
  /** What it stands under, for want of a title. */
  heading: string;
  /** Whether it may go to the top or foot of a page. A section's first one could get before its heading. */
  floats: boolean;
}

function printFigure(
  part: FigurePart,
  { name, label, heading, floats }: FigurePlace,
  files: Section["files"],
  context: ProseContext,
): string {
  const { format, facts, width, data } = part;
  const { title, caption, alt } = facts ?? { title: heading, caption: "", alt: "" };
  const end = (text: string) => text === "" || /[.?!]$/.test(text) ? text : `${text}.`;
  const sentences = [title, caption.slice(0, 1).toUpperCase() + caption.slice(1)];
  const own = sentences.map((text) => end(escapeMarkdown(text))).join(" ").trim();
  const options = [toTypst(name), `floats: ${floats}`, `alt: ${toTypst(alt)}`];
  if (width !== null) options.push(`share: ${width}`);
  if (format === "svg" && facts !== null) {
    options.push(`size: (${facts.width}, ${facts.height})`, `top: ${facts.top}`);
  }
  files.set(name, data);
  const picture = block(`#picture(${options.join(", ")})[`);
  return `${picture}${cite(part.caption ?? own, context)}${block(`] <${label}>`)}`;
}
