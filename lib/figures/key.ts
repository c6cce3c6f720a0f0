import { element, text } from "./figure.ts";
import { textWidth } from "./fonts.ts";
import { FONT_SIZE, MUTED } from "./style.ts";

/** Dashes of the lines with these numbers, so that they can be told apart without colours. */
const DASHES = [undefined, "7 3", "2 2.5", "9 3 2 3", "4 2"] as const;

/** Dash pattern of the category with this number. */
export function categoryDash(index: number): string | undefined {
  return DASHES[index % DASHES.length];
}

/** Entry of a key. */
export interface KeyEntry {
  label: string;
  colour: string;
  /** @default "line" */
  mark?: "line" | "dot" | "square" | "frame";
  /** Of a line. */
  dash?: string;
}

/** Height of a row of a key in pixels. */
export const KEY_ROW = 16;

/** Place of a key. */
export interface KeyPlace {
  x: number;
  /** Middle of the first row. */
  y: number;
  /** Where a row ends, and the next one begins. @default no limit */
  width?: number;
  /** Point of the row that lies at x. @default "start" */
  anchor?: "start" | "end";
}

/** Splits a key into rows no wider than `width` pixels. */
export function keyRows(entries: readonly KeyEntry[], width: number): KeyEntry[][] {
  const rows: KeyEntry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const needed = entryWidth(entry);
    if (rows.length === 0 || room < needed - GAP) {
      rows.push([]);
      room = width;
    }
    rows.at(-1)!.push(entry);
    room -= needed;
  }
  return rows;
}

const GAP = 16;

function entryWidth({ label }: KeyEntry): number {
  return 22 + textWidth(label, FONT_SIZE.tick) + GAP;
}

/** Draws a key, for what cannot be labelled in place. */
export function key(entries: readonly KeyEntry[], place: KeyPlace): string {
  return keyRows(entries, place.width ?? Infinity).map((row, index) => {
    const width = row.reduce((sum, entry) => sum + entryWidth(entry), -GAP);
    let x = place.anchor === "end" ? place.x - width : place.x;
    return row.map((entry) => {
      const y = place.y + index * KEY_ROW;
      const markup = drawMark(entry, x, y) +
        text(entry.label, x + 22, y + 4, { size: FONT_SIZE.tick, fill: MUTED });
      x += entryWidth(entry);
      return markup;
    }).join("");
  }).join("");
}

function drawMark({ colour, mark = "line", dash }: KeyEntry, x: number, y: number): string {
  const square = { x: x + 5, y: y - 5, width: 10, height: 10 };
  switch (mark) {
    case "dot":
      return element("circle", { cx: x + 10, cy: y, r: 4, fill: colour });
    case "square":
      return element("rect", { ...square, rx: 1.5, fill: colour });
    case "frame":
      return element("rect", { ...square, fill: "none", stroke: colour, "stroke-width": 2 });
    case "line":
      return element("line", {
        x1: x,
        x2: x + 18,
        y1: y,
        y2: y,
        stroke: colour,
        "stroke-width": 2,
        "stroke-dasharray": dash,
      });
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

/** Draws labels at `x`, spread so that all can be read, with a thin line to the end of each line that is far from its label. */
export function endLabels(labels: readonly EndLabel[], x: number, bounds: readonly [number, number]): string {
  const places = spreadLabels(labels.map((label) => label.y), FONT_SIZE.tick + 3, bounds);
  return labels.map(({ content, colour, ...end }, index) => {
    const y = places[index];
    const isFar = Math.abs(y - end.y) > 2 || x - end.x > 10;
    const leader = element("line", {
      x1: end.x + 3,
      y1: end.y,
      x2: x - 3,
      y2: y,
      stroke: colour,
      "stroke-width": 0.75,
      opacity: 0.6,
    });
    return (isFar ? leader : "") +
      text(content, x, y + 4, { size: FONT_SIZE.tick, fill: colour, weight: "bold" });
  }).join("");
}

/**
 * Moves labels apart so that none overlaps another, each as near to its own place as that allows.
 *
 * @param wanted Preferred place of each label.
 * @param gap Least distance between two labels.
 * @param bounds Limits, which are left only if there is no room for all.
 * @returns Places in the order of `wanted`.
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
