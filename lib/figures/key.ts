import { element, frame, line, type Point, svgNumber, text } from "./figure.ts";
import { type FontWeight, textWidth, widestOf } from "./fonts.ts";
import { FONT_SIZE, INK, NOTE, PAPER } from "./style.ts";

export interface KeyEntry {
  label: string;
  colour: string;
  /** @default "line" */
  mark?: "line" | "dot" | "diamond" | "frame";
  /** Of a line. */
  dash?: string;
}

/** Draws a key in one row that begins or ends at x, for lines that cannot be labelled in place. */
export function key(
  entries: readonly KeyEntry[],
  x: number,
  y: number,
  anchor: "start" | "end" = "start",
): string {
  const widths = entries.map(({ label }) => 38 + textWidth(label, FONT_SIZE.tick));
  let at = anchor === "start" ? x : x - widths.reduce((sum, width) => sum + width, -16);
  return entries.map((entry, index) => {
    const markup = drawMark(entry, at, y) + text(entry.label, at + 22, y + 4, NOTE);
    at += widths[index];
    return markup;
  }).join("");
}

const EDGE = { stroke: PAPER, "stroke-width": 1.5 };

/** Draws a dot with a white edge. */
export function dot([cx, cy]: Point, fill: string, r: number): string {
  return element("circle", { cx, cy, r, fill, ...EDGE });
}

/** Draws a diamond with a white edge, to be told from a dot without its colour. */
export function diamond([x, y]: Point, fill: string, r: number): string {
  return element("path", {
    d: `M${svgNumber(x - r)},${svgNumber(y)}l${r},${-r}l${r},${r}l${-r},${r}z`,
    fill,
    ...EDGE,
  });
}

function drawMark({ colour, mark = "line", dash }: KeyEntry, x: number, y: number): string {
  switch (mark) {
    case "dot":
      return dot([x + 10, y], colour, 4);
    case "diamond":
      return diamond([x + 10, y], colour, 5);
    case "frame":
      return frame({ x: x + 5, y: y - 5, width: 10, height: 10 }, colour, 2);
    case "line":
      return line([x, y], [x + 18, y], colour, 2, dash);
  }
}

/** Row of a {@linkcode valueKey}. */
export interface ValueEntry extends KeyEntry {
  /** Below the headings. */
  values: readonly string[];
}

const ROW = 16;

/** Draws a key with a row for each line, its values right-aligned below the headings. */
export function valueKey(entries: readonly ValueEntry[], headings: readonly string[]): string {
  let edge = 28 + widestOf(entries.map(({ label }) => label), FONT_SIZE.tick);
  const edges = headings.map((heading, column) =>
    edge += 14 + Math.max(
      widestOf([heading], FONT_SIZE.small),
      widestOf(entries.map(({ values }) => values[column]), FONT_SIZE.tick, "bold"),
    )
  );
  const write = (content: string, column: number, y: number, weight?: FontWeight) =>
    text(content, edges[column], y, { ...NOTE, anchor: "end", ...weight && { weight, fill: INK } });
  return headings.map((heading, column) => write(heading, column, 0)).join("") +
    entries.map(({ label, colour, dash, values }, index) => {
      const y = ROW * (index + 1);
      return line([0, y - 4], [22, y - 4], colour, 2, dash) + text(label, 28, y, { size: FONT_SIZE.tick }) +
        values.map((value, column) => write(value, column, y, "bold")).join("");
    }).join("");
}

/** Height of a {@linkcode valueKey} of so many rows in pixels. */
export function valueKeyHeight(rows: number): number {
  return ROW * rows;
}
