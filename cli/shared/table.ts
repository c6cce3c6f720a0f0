import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { outputWidth, plainSpaces } from "./terminal.ts";

/** Cell of a table: numbers get thousands separators. */
export type Cell = string | number;

export interface TableOptions {
  header?: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** Rows below a second rule: sums. */
  footer?: readonly (readonly Cell[])[];
  /** Columns of the terminal. @default {those of standard output} */
  width?: number;
  /** Index of the column of prose: wrapped, or put below its row, where the table would be too wide. */
  prose?: number;
  /** Indices of columns to leave out where the table would be too wide, the first one first. */
  optional?: readonly number[];
}

/** A way to fit a table into the terminal's width. */
interface Layout {
  /** Spaces between columns. */
  gap: number;
  wrapHeader: boolean;
  proseBelow: boolean;
}

/** From the most to the least spacious. */
const LAYOUTS: readonly Layout[] = [
  { gap: 2, wrapHeader: false, proseBelow: false },
  { gap: 2, wrapHeader: true, proseBelow: false },
  { gap: 1, wrapHeader: true, proseBelow: false },
  { gap: 2, wrapHeader: true, proseBelow: true },
  { gap: 1, wrapHeader: true, proseBelow: true },
];
const NARROWEST_PROSE = 20;
const INDENT = 2;
const NUMBER = /^(–|[+−-]?[\d.,]+(\s%)?)$/;

/**
 * Formats a table with aligned columns, numbers to the right, that fits the terminal: headings and prose are
 * wrapped, other cells never broken.
 */
export function formatTable(
  { header, rows, footer = [], width, prose = -1, optional = [] }: TableOptions,
): string {
  const columns = width ?? outputWidth();
  const show = (row: readonly Cell[]) => row.map((cell) => cell.toLocaleString("en-GB"));
  const table = {
    header,
    rows: rows.map(show),
    footer: footer.map(show),
    count: Math.max(header?.length ?? 0, ...[...rows, ...footer].map((row) => row.length)),
    prose,
  };
  let lines: string[] = [];
  for (let left = 0; left <= optional.length; left++) {
    for (const layout of LAYOUTS) {
      lines = layOut(table, layout, optional.slice(0, left), columns);
      if (widest(lines) <= columns) return plainSpaces(lines.join("\n"));
    }
  }
  return plainSpaces(lines.join("\n"));
}

interface TextTable {
  header?: readonly string[];
  rows: string[][];
  footer: string[][];
  count: number;
  prose: number;
}

function layOut(
  { header, rows, footer, count, prose }: TextTable,
  { gap, wrapHeader, proseBelow }: Layout,
  hidden: readonly number[],
  total: number,
): string[] {
  const isBelow = proseBelow && prose >= 0;
  const shown = Array.from({ length: count }, (_, column) => column)
    .filter((column) => !hidden.includes(column) && !(isBelow && column === prose));
  const body = [...rows, ...footer];
  const widths = new Map(shown.map((column) => {
    const heading = header?.[column] ?? "";
    const headings = wrapHeader ? heading.split(" ") : [heading];
    return [column, widest([...headings, ...body.map((row) => row[column] ?? "")])];
  }));
  const sum = () => [...widths.values()].reduce((all, each) => all + each + gap, -gap);
  if (widths.has(prose) && wrapHeader && sum() > total) {
    const room = Math.max(NARROWEST_PROSE, total - sum() + widths.get(prose)!);
    const wrapped = body.flatMap((row) => wrapText(row[prose] ?? "", room).split("\n"));
    widths.set(prose, widest([header?.[prose] ?? "", ...wrapped]));
  }
  const isNumeric = (column: number) => {
    const cells = body.map((row) => row[column] ?? "").filter((cell) => cell !== "");
    return cells.length > 0 && cells.every((cell) => NUMBER.test(cell));
  };
  const right = new Set(shown.filter(isNumeric));
  const formatRow = (row: readonly string[], isHeader = false) => {
    const cells = shown.map((column) => {
      const text = row[column] ?? "";
      const isWrapped = isHeader ? wrapHeader : column === prose;
      return isWrapped ? wrapText(text, widths.get(column)!).split("\n") : [text];
    });
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    const lines = Array.from({ length: height }, (_, line) =>
      shown.map((column, index) => {
        const own = cells[index];
        // headings stand on the rule
        const text = own[isHeader ? line - height + own.length : line] ?? "";
        const space = " ".repeat(Math.max(0, widths.get(column)! - stringWidth(text)));
        return right.has(column) ? space + text : text + space;
      }).join(" ".repeat(gap)).trimEnd());
    const below = isBelow ? row[prose] ?? "" : "";
    if (below === "") return lines;
    return [
      ...lines,
      ...wrapText(below, total - INDENT).split("\n").map((line) => " ".repeat(INDENT) + line),
    ];
  };
  const [top, middle, bottom] = [
    header === undefined ? [] : formatRow(header, true),
    rows.flatMap((row) => formatRow(row)),
    footer.flatMap((row) => formatRow(row)),
  ];
  const rule = "─".repeat(widest([...top, ...middle, ...bottom]));
  return [
    ...top,
    ...top.length > 0 ? [rule] : [],
    ...middle,
    ...bottom.length > 0 ? [rule] : [],
    ...bottom,
  ];
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => stringWidth(text)));
}

/**
 * Wraps text between words. Percentages and long paths are never broken.
 *
 * @param width By default that of the terminal; without one lines stay whole, for other programs to read.
 * @param indent Spaces before all lines of a paragraph but its first.
 */
export function wrapText(
  text: string,
  width = Deno.stdout.isTerminal() ? outputWidth() : Infinity,
  indent = 0,
): string {
  const lines = text.split("\n").map((line) => {
    if (stringWidth(line) <= width) return line;
    return wrapAnsi(line, width - indent).replaceAll("\n", "\n" + " ".repeat(indent));
  });
  return plainSpaces(lines.join("\n"));
}
