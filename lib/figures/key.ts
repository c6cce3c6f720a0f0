import { element, frame, line, text } from "./figure.ts";
import { textWidth } from "./fonts.ts";
import { FONT_SIZE, NOTE } from "./style.ts";

/** Entry of a key. */
export interface KeyEntry {
  label: string;
  colour: string;
  /** @default "line" */
  mark?: "line" | "dot" | "frame";
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

function drawMark({ colour, mark = "line", dash }: KeyEntry, x: number, y: number): string {
  switch (mark) {
    case "dot":
      return element("circle", { cx: x + 10, cy: y, r: 4, fill: colour });
    case "frame":
      return frame({ x: x + 5, y: y - 5, width: 10, height: 10 }, colour, 2);
    case "line":
      return line([x, y], [x + 18, y], colour, 2, dash);
  }
}

/** Label right of the end of a line. */
export interface EndLabel {
  /** End of the line. */
  x: number;
  y: number;
  content: string;
  colour: string;
}

/** Draws labels at `x`, spread so that all can be read, with leader lines where they had to move. */
export function endLabels(labels: readonly EndLabel[], x: number, bounds: readonly [number, number]): string {
  const places = spreadLabels(labels.map((label) => label.y), FONT_SIZE.tick + 3, bounds);
  return labels.map(({ content, colour, ...end }, index) => {
    const y = places[index];
    const isFar = Math.abs(y - end.y) > 2 || x - end.x > 10;
    return (isFar ? line([end.x + 3, end.y], [x - 3, y], colour, 0.5) : "") +
      text(content, x, y + 4, { size: FONT_SIZE.tick, fill: colour, weight: "bold" });
  }).join("");
}

/**
 * Moves labels down where they overlap, then back up into the bounds, keeping their order.
 *
 * @param wanted Preferred place of each label.
 * @returns Places in the order of `wanted`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(spreadLabels([10, 10, 95], 12, [0, 100]), [10, 22, 95]);
 * ```
 */
export function spreadLabels(
  wanted: readonly number[],
  gap: number,
  [low, high]: readonly [number, number],
): number[] {
  const order = [...wanted.keys()].sort((a, b) => wanted[a] - wanted[b] || a - b);
  const places = [...wanted];
  order.forEach((label, rank) => {
    places[label] = Math.max(wanted[label], rank === 0 ? low : places[order[rank - 1]] + gap);
  });
  order.toReversed().forEach((label, rank) => {
    const below = order[order.length - rank];
    places[label] = Math.min(places[label], rank === 0 ? high : places[below] - gap);
  });
  return places;
}
