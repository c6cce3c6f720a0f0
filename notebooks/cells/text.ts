import { markdownTable } from "markdown-table";
import type { Difference } from "../../lib/experiments/comparison.ts";
import { formatP, formatVerdict } from "../../lib/experiments/markdown.ts";
import { formatNumber, formatPercent, formatSigned } from "../../lib/support/format.ts";
import { type Bundle, display, type OutputFacts } from "./display.ts";

/** A value, with its 95 % interval where one was estimated. */
export type Estimate = number | { mean: number; interval?: readonly number[] };

/** Cell of a table: numbers are right-aligned, with commas between the thousands. */
export type Cell = string | number;

/** Header, rows, and sums below them in bold. */
export interface Table {
  header: readonly string[];
  rows: readonly (readonly Cell[])[];
  footer?: readonly (readonly Cell[])[];
}

/** Shows Markdown, with TeX between dollar signs. */
export async function displayMarkdown(markdown: string, facts?: OutputFacts): Promise<void> {
  await display({ "text/plain": markdown, "text/markdown": markdown }, facts);
}

/** Shows Markdown with interpolated numbers: a template tag that removes the indentation of the source. */
export async function md(strings: TemplateStringsArray, ...values: (string | number)[]): Promise<void> {
  const text = strings.reduce((joined, part, at) => `${joined}${showCell(values[at - 1])}${part}`);
  await displayMarkdown(text.trim().replace(/\n[^\S\n]+/g, "\n"));
}

/** Shows a table. A column of numbers, written out or not, is right-aligned; texts may hold Markdown. */
export async function displayTable(table: Table): Promise<void> {
  const rows = table.rows.length + (table.footer?.length ?? 0);
  await display(bundleTable(table), { kind: "table", rows, columns: table.header.length });
}

/** Writes a table as Markdown that is aligned, so that it is readable as plain text too. */
export function bundleTable({ header, rows, footer = [] }: Table): Bundle {
  const sums = footer.map((row) => row.map((cell) => cell === "" ? "" : `**${showCell(cell)}**`));
  const markdown = markdownTable(
    [header, ...rows, ...sums].map((row) => row.map((cell) => showCell(cell).replaceAll("|", "\\|"))),
    {
      align: header.map((_, column) =>
        rows.length > 0 && rows.every((row) => NUMBER.test(String(row[column]))) ? "r" : null
      ),
    },
  );
  return { "text/plain": markdown, "text/markdown": markdown };
}

const NUMBER = /^(–|[+−-]?[\d.,]+(e[+−-]?\d+)?(\s?%)?)$/;

function showCell(cell: Cell | undefined): string {
  return typeof cell === "number" ? cell.toLocaleString("en-GB") : cell ?? "";
}

/** Formats a share: `80.3 %`, with its interval `53.9 % [52.5, 55.4]`. */
export function percent(share: Estimate, decimals = 1): string {
  const { mean, interval } = split(share, 100);
  if (Number.isNaN(mean)) return "–";
  return formatPercent(mean / 100, decimals) + range(interval, (end) => formatNumber(end, decimals));
}

/** Formats a difference of shares: `+12.9 points`, with its interval `+12.9 [+12.2, +13.5] points`. */
export function points(difference: Estimate, decimals = 1, unit = " points"): string {
  return signed(split(difference, 100), decimals) + unit;
}

/** Formats what the tests show of a difference: `p < 0.001`, `equivalent within 0.5 points (p = 0.004)`. */
export function finding(difference: Difference): string {
  if (Number.isNaN(difference.mean)) return "not measured";
  return formatVerdict(difference) ?? `p ${formatP(difference.p!, true)}`;
}

/** Formats a difference: `+0.021`, with its interval `+0.021 [+0.010, +0.032]`. */
export function signed(difference: Estimate, decimals = 3): string {
  const { mean, interval } = split(difference);
  const show = (value: number) => Number.isNaN(value) ? "–" : formatSigned(value, decimals);
  return show(mean) + range(interval, show);
}

/** Formats a number: `0.348`, with its interval `0.348 [0.329, 0.366]`; `–` for NaN. */
export function decimal(value: Estimate, decimals = 2): string {
  const { mean, interval } = split(value);
  if (Number.isNaN(mean)) return "–";
  return formatNumber(mean, decimals) + range(interval, (end) => formatNumber(end, decimals));
}

function split(value: Estimate, factor = 1): { mean: number; interval?: readonly number[] } {
  if (typeof value === "number") return { mean: factor * value };
  return { mean: factor * value.mean, interval: value.interval?.map((end) => factor * end) };
}

function range(interval: readonly number[] | undefined, show: (end: number) => string): string {
  return interval === undefined ? "" : ` [${interval.map(show).join(", ")}]`;
}
