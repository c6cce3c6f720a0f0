import { FONT_SIZE, MUTED } from "./style.ts";
import { element, text } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/**
 * Moves labels apart so that none lies on another, each as near to its own place as that allows.
 *
 * @param wanted Where each label would like to be.
 * @param gap The least distance between two labels.
 * @param bounds Where labels may be; they leave it only when there is no room for all.
 * @returns The places, in the order of `wanted`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(spreadLabels([10, 10, 40], 12, [0, 100]), [4, 16, 40]);
 * ```
 */
export function spreadLabels(
  wanted: readonly number[],
  gap: number,
  bounds: readonly [number, number],
): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b] || a - b);
  // touching labels form a block that sits at the mean of what its labels want; blocks that meet are joined
  const blocks: { labels: number[]; start: number }[] = [];
  const settle = (labels: number[]): { labels: number[]; start: number } => {
    const mean = labels.reduce((sum, label, place) => sum + wanted[label] - place * gap, 0) / labels.length;
    const last = Math.max(bounds[0], bounds[1] - (labels.length - 1) * gap);
    return { labels, start: Math.max(bounds[0], Math.min(last, mean)) };
  };
  for (const label of order) {
    let block = settle([label]);
    for (
      let above = blocks.at(-1);
      above && above.start + above.labels.length * gap > block.start;
      above = blocks.at(-1)
    ) {
      blocks.pop();
      block = settle([...above.labels, ...block.labels]);
    }
    blocks.push(block);
  }
  const places: number[] = new Array(wanted.length);
  for (const { labels, start } of blocks) {
    labels.forEach((label, place) => places[label] = start + place * gap);
  }
  return places;
}

/** A label to stand right of the end of a line. */
export interface EndLabel {
  /** Where the line ends. */
  x: number;
  y: number;
  content: string;
  colour: string;
  weight?: "regular" | "bold";
}

/** Labels at `x`, spread so that all can be read, with a thin line from each to its line's end where it had to move. */
export function endLabels(labels: readonly EndLabel[], x: number, bounds: readonly [number, number]): string {
  const places = spreadLabels(labels.map((label) => label.y), FONT_SIZE.tick + 3, bounds);
  return labels.map((label, index) => {
    const place = places[index];
    const moved = Math.abs(place - label.y) > 2 || x - label.x > 10;
    const leader = element("path", {
      d: `M${(label.x + 3).toFixed(1)},${label.y.toFixed(1)}L${(x - 3).toFixed(1)},${place.toFixed(1)}`,
      stroke: label.colour,
      "stroke-width": 0.75,
      opacity: 0.6,
      fill: "none",
    });
    return (moved ? leader : "") +
      text(label.content, x, place + 4, { size: FONT_SIZE.tick, fill: label.colour, weight: label.weight });
  }).join("");
}

/** One entry of a key. */
export interface KeyEntry {
  label: string;
  colour: string;
  /** `"line"` (default), `"dashed"`, `"dot"`, `"square"` or `"frame"`. */
  mark?: "line" | "dashed" | "dot" | "square" | "frame";
}

/** A key in one row, for what cannot be labelled in place. Its middle lies at y; it ends at x if `anchor` is `"end"`. */
export function keyRow(
  entries: readonly KeyEntry[],
  x: number,
  y: number,
  anchor: "start" | "end" = "start",
): string {
  const widths = entries.map((entry) => 22 + textWidth(entry.label, FONT_SIZE.tick) + 16);
  let at = anchor === "start" ? x : x - widths.reduce((sum, width) => sum + width, -16);
  return entries.map((entry, index) => {
    const { label, colour, mark = "line" } = entry;
    const sign = mark === "dot"
      ? element("circle", { cx: at + 10, cy: y, r: 4, fill: colour })
      : mark === "square"
      ? element("rect", { x: at + 5, y: y - 5, width: 11, height: 10, rx: 1.5, fill: colour })
      : mark === "frame"
      ? element("rect", {
        x: at + 5,
        y: y - 5,
        width: 10,
        height: 10,
        fill: "none",
        stroke: colour,
        "stroke-width": 2,
      })
      : element("line", {
        x1: at,
        x2: at + 17,
        y1: y,
        y2: y,
        stroke: colour,
        "stroke-width": mark === "dashed" ? 1.5 : 2.25,
        "stroke-dasharray": mark === "dashed" ? "4 3" : undefined,
      });
    const markup = sign + text(label, at + 22, y + 4, { size: FONT_SIZE.tick, fill: MUTED });
    at += widths[index];
    return markup;
  }).join("");
}
