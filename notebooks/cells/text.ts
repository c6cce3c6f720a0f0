import { type Bundle, display, type OutputFacts } from "./display.ts";

/** A cell of a table: numbers stand to the right and get commas between the thousands. */
export type Cell = string | number;

/** A table: headings, rows, and rows of sums below them. */
export interface Table {
  /** A heading a column. */
  header: readonly string[];
  /** A list a row. */
  rows: readonly (readonly Cell[])[];
  /** Sums, in bold. */
  footer?: readonly (readonly Cell[])[];
}

/** Shows Markdown: a sentence whose numbers were computed, with TeX between dollar signs where it is wanted. */
export async function displayMarkdown(markdown: string, facts?: OutputFacts): Promise<void> {
  await display({ "text/plain": markdown, "text/markdown": markdown }, { facts });
}

/**
 * Shows a table. A column whose cells are all numbers, written out or not, stands to the right; texts may hold Markdown.
 *
 * @example
 * ```ts
 * import { displayTable } from "./text.ts";
 * await displayTable({ header: ["tensor", "shape"], rows: [["feature map v", "[B, 8, 8, 64]"]] });
 * ```
 */
export async function displayTable(table: Table): Promise<void> {
  const rows = table.rows.length + (table.footer?.length ?? 0);
  await display(bundleTable(table), { facts: { kind: "table", rows, columns: table.header.length } });
}

/** A table as Markdown, whose text is aligned, so that it is its plain text too. */
export function bundleTable({ header, rows, footer = [] }: Table): Bundle {
  const body = [...rows, ...footer.map((row) => row.map((cell) => cell === "" ? "" : `**${format(cell)}**`))];
  const texts = [header, ...body].map((row) => header.map((_, column) => format(row[column] ?? "")));
  const widths = header.map((_, column) => Math.max(3, ...texts.map((row) => row[column].length)));
  const toRight = header.map((_, column) =>
    rows.length > 0 && rows.every((row) => NUMBER.test(String(row[column])))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column], toRight[column])).join(" | ")} |`;
  const rule = `| ${
    widths.map((width, column) => toRight[column] ? "-".repeat(width - 1) + ":" : "-".repeat(width)).join(
      " | ",
    )
  } |`;
  const markdown = [line(texts[0]), rule, ...texts.slice(1).map(line)].join("\n");
  return { "text/plain": markdown, "text/markdown": markdown };
}

const NUMBER = /^(–|[+−-]?[\d.,]+(e[+−-]?\d+)?(\s?%)?)$/;

function format(cell: Cell): string {
  return typeof cell === "number" ? cell.toLocaleString("en-GB") : cell.replaceAll("|", "\\|");
}

function pad(cell: string, width: number, toRight: boolean): string {
  return toRight ? cell.padStart(width) : cell.padEnd(width);
}
