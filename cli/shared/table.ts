/** A value in a table: numbers stand to the right and get thousands separators, text to the left. */
export type Cell = string | number;

/** How to print a table. */
export interface TableOptions {
  /** The headings; none by default. */
  header?: readonly string[];
  /** The rows. */
  rows: readonly (readonly Cell[])[];
  /** Rows below a second rule: sums. */
  footer?: readonly (readonly Cell[])[];
}

/**
 * A table as text with aligned columns, such as the summary of a network.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatTable } from "./table.ts";
 * const text = formatTable({ header: ["layer", "parameters"], rows: [["conv1", 9408], ["bn1", 128]] });
 * assert.equal(text, "layer  parameters\n─────────────────\nconv1       9,408\nbn1           128");
 * ```
 */
export function formatTable({ header, rows, footer = [] }: TableOptions): string {
  const body = [...rows, ...footer];
  const columns = Math.max(header?.length ?? 0, ...body.map((row) => row.length));
  const texts = body.map((row) => row.map(formatCell));
  const all = header === undefined ? texts : [[...header], ...texts];
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)),
  );
  // a column of numbers, and its heading, stand to the right
  const isRight = widths.map((_, column) =>
    body.some((row) => typeof row[column] === "number") &&
    body.every((row) => typeof row[column] !== "string" || row[column] === "")
  );
  const lines = all.map((row) =>
    widths.map((width, column) => {
      const text = row[column] ?? "";
      return isRight[column] ? text.padStart(width) : text.padEnd(width);
    }).join("  ").trimEnd()
  );
  const rule = "─".repeat(Math.max(0, ...lines.map((line) => line.length)));
  if (footer.length > 0) lines.splice(lines.length - footer.length, 0, rule);
  if (header !== undefined) lines.splice(1, 0, rule);
  return lines.join("\n");
}

/** A number with thousands separators: 212481 → `212,481`; text as it is. */
export function formatCell(value: Cell): string {
  return typeof value === "number" ? value.toLocaleString("en-GB") : value;
}
