import { basename } from "@std/path";
import { inline, mapText, reference } from "./markup.ts";
import { SOURCES } from "./sources.ts";

/** What a notebook's prose is set beside. */
export interface ProseContext {
  /** Numbers of the notebooks in the report. */
  notebooks: readonly number[];
  /** Sources this section has named already. */
  cited: Set<string>;
}

/** The label of a notebook's section. */
export function sectionLabel(notebook: number): string {
  return `notebook-${notebook}`;
}

/**
 * Makes a report's prose of a notebook's: links to other notebooks become references to sections, links to files become their names,
 * sources are cited where they are first named, and ways on to the next notebook are dropped.
 */
export function adaptProse(markdown: string, context: ProseContext): string {
  const paragraphs = markdown.split(/\n{2,}/).filter((paragraph) => !/^(Next|Back): /.test(paragraph));
  const linked = paragraphs.join("\n\n").replace(
    /\[([^\]]*)\]\(([^)\s]+)\)/g,
    (whole, text, target) => adaptLink(whole, text, target, context),
  );
  // a number and its unit stay on one line
  const referred = mapText(linked, (text) => referToSections(text, context).replace(/(\d) %/g, "$1\u00a0%"));
  return cite(referred, context);
}

function adaptLink(whole: string, text: string, target: string, context: ProseContext): string {
  if (/^https?:/.test(target)) return whole;
  const notebook = /(?:^|\/)(\d\d)_[^/]*\.ipynb/.exec(target);
  if (notebook === null) {
    const file = target.replace(/^(\.\.?\/)+/, "").replace(/#.*/, "");
    return text.includes(basename(file)) || file === "" ? text : `${text} (\`${file}\`)`;
  }
  const section = referToSection(Number(notebook[1]), context);
  if (section === null) return text;
  return /notebook/i.test(text) && text.length < 20 ? section : `${text} (${section})`;
}

/** Turns "notebook 4" into "Section 4", where it is one. */
export function referToSections(text: string, context: Pick<ProseContext, "notebooks">): string {
  return text
    .replace(
      /\b[Nn]otebooks 0?(\d)( and |, )0?(\d)\b/g,
      (_, one, between, other) => `notebook ${one}${between}notebook ${other}`,
    )
    .replace(
      /\b[Nn]otebook 0?(\d)\b/g,
      (whole, number) => referToSection(Number(number), context) ?? whole,
    );
}

function referToSection(notebook: number, { notebooks }: Pick<ProseContext, "notebooks">): string | null {
  return notebooks.includes(notebook) ? reference(sectionLabel(notebook)) : null;
}

/** Cites each source behind its first name in the section. */
export function cite(markdown: string, { cited }: Pick<ProseContext, "cited">): string {
  return mapText(markdown, (text) => {
    for (const { key, names } of SOURCES) {
      if (cited.has(key)) continue;
      const found = names.exec(text);
      if (found === null) continue;
      cited.add(key);
      const end = found.index + found[0].length;
      text = `${text.slice(0, end)} ${inline(`#cite(<${key}>);`)}${text.slice(end)}`;
    }
    return text;
  });
}

/**
 * Turns "the figure below" into "Figure 3".
 *
 * @param below The label of the next figure and table, and `above` of those before, where there are any.
 */
export function referToFigures(
  markdown: string,
  labels: Record<"below" | "above", { figure?: string; table?: string }>,
): string {
  return mapText(markdown, (text) =>
    text.replace(
      /\b[Tt]he (figure|diagram|curves|picture|table) (below|above)\b/g,
      (whole, what, where: "below" | "above") => {
        const label = labels[where][what === "table" ? "table" : "figure"];
        return label === undefined ? whole : reference(label);
      },
    ));
}

/**
 * Names figures and tables that follow some prose in its last running paragraph: "… are nearly orthogonal (Figure 3)."
 *
 * @param labels Of what follows; those that the prose names already are left out.
 */
export function pointTo(markdown: string, labels: readonly string[]): string {
  const missing = labels.filter((label) => !markdown.includes(`#ref(<${label}>)`));
  if (missing.length === 0) return markdown;
  const words = `(${missing.map(reference).join(", ")})`;
  const paragraphs = markdown.split(/\n{2,}/);
  const last = paragraphs.findLastIndex((paragraph) =>
    /^(?!#|>|\||\$\$|```|[-*+] |\d+\. ).*[.:]$/s.test(paragraph)
  );
  if (last === -1) return markdown;
  paragraphs[last] = paragraphs[last].replace(/[.:]$/, (end) => ` ${words}${end}`);
  return paragraphs.join("\n\n");
}
