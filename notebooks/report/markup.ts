/**
 * How the report's text is put together: Markdown, with pieces of typst in it that pandoc hands on as they are.
 *
 * @module
 */

/** A value that typst knows too. */
export type TypstValue =
  | string
  | number
  | boolean
  | null
  | readonly TypstValue[]
  | { readonly [key: string]: TypstValue };

/**
 * A value as typst's source.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(toTypst({ title: 'A "b"', pages: [1] }), '("title": "A \\"b\\"", "pages": (1,))');
 * ```
 */
export function toTypst(value: TypstValue): string {
  if (value === null) return "none";
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `(${value.map((each) => toTypst(each) + ",").join(" ")})`;
  const entries = Object.entries(value).map(([key, each]) => `${toTypst(key)}: ${toTypst(each)}`);
  return entries.length === 0 ? "(:)" : `(${entries.join(", ")})`;
}

function isList(value: object): value is readonly TypstValue[] {
  return Array.isArray(value);
}

/** Typst within a paragraph of Markdown. */
export function inline(typst: string): string {
  return `\`${typst}\`{=typst}`;
}

/** Typst between blocks of Markdown. */
export function block(typst: string): string {
  return `\n\n\`\`\`\`{=typst}\n${typst}\n\`\`\`\`\n\n`;
}

/** Rows from which on a table may go on on the next page. */
const LONG_TABLE = 20;

/** Columns from which on a table is set smaller. */
const WIDE_TABLE = 6;

/** A numbered table with its caption, both in Markdown. */
export function captionTable(table: string, caption: string, label?: string): string {
  const lines = table.split("\n");
  const isWide = (lines[0].match(/(?<!\\)\|/g)?.length ?? 0) > WIDE_TABLE;
  const end = label === undefined ? "]" : `] <${label}>`;
  return `${block(`#captioned-table(breakable: ${lines.length > LONG_TABLE}, wide: ${isWide})[`)}${caption}${
    block("][")
  }${table}${block(end)}`;
}

/** A reference in a paragraph: "Figure 3", "Section 2.1". */
export function reference(label: string): string {
  return inline(`#ref(<${label}>);`);
}

/** A text that Markdown leaves alone. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>$~^]/g, "\\$&");
}

/**
 * Changes the running text of some Markdown, and leaves code, formulas, links and HTML as they are.
 *
 * @param change Is given one stretch of running text after the other.
 */
export function mapText(markdown: string, change: (text: string) => string): string {
  return markdown.split(NOT_TEXT).map((piece, index) => index % 2 === 0 ? change(piece) : piece).join("");
}

/** Code in fences or backticks (with what says that it is typst), formulas, links, comments. */
const NOT_TEXT =
  /(^```[^]*?^```$|`+[^`]+`+(?:\{=\w+\})?|\$\$[^]*?\$\$|\$(?!\s)[^$\n]*(?:\n[^$\n]+)*\$|!?\[[^\]]*\]\([^)]*\)|<!--[^]*?-->)/m;
