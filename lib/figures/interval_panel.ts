import { extent } from "../support/format.ts";
import { element, line, text } from "./figure.ts";
import { widestOf } from "./fonts.ts";
import { formatTicks, roundTicks } from "./raster.ts";
import { FAINT, FONT_SIZE, INK, MUTED, NOTE, PAPER } from "./style.ts";

/** A value with what is known about it. */
export interface IntervalItem {
  value: number;
  /** Ends of a 95 % interval, or of another range. */
  interval?: readonly [number, number];
  /** Single values, drawn as small dots. */
  points?: readonly number[];
  colour: string;
  /** Drawn as a bar from 0 and not as a dot. */
  isBar?: boolean;
  /** Text above the value. */
  caption?: string;
  /** Texts at the right edge, right-aligned in columns. */
  numbers?: readonly string[];
}

/** A named row of an {@linkcode intervalPanel}. */
export interface IntervalRow {
  name: string;
  /** Grey line under the name. */
  note?: string;
  /** Of the name. @default INK */
  colour?: string;
  /** Without one, the row says `reference` beside 0. */
  item?: IntervalItem;
}

export interface IntervalPanelOptions {
  /** In pixels. */
  width: number;
  /** Height of a row in pixels. */
  row: number;
  title?: string;
  /** Headings of the columns of numbers. */
  headings?: readonly string[];
  /** Width of the names in pixels, 0 to leave them out. @default that of the widest */
  names?: number;
  /** Ends of the axis; a value outside is written at the edge, with an arrow. @default all values */
  domain?: readonly [number, number];
  /** Draw the axis. @default true */
  hasAxis?: boolean;
  /** Draw a line at 0. */
  hasZero?: boolean;
}

/** Width of the names of some rows in pixels. */
export function nameWidth(rows: readonly IntervalRow[]): number {
  return 10 + Math.max(
    widestOf(rows.map(({ name }) => name), FONT_SIZE.label, "bold"),
    widestOf(rows.map(({ note }) => note ?? ""), FONT_SIZE.small),
  );
}

/**
 * Draws one row per value, from (0, 0): a dot or bar with its interval, single values, caption and numbers.
 *
 * @returns Its markup and height, the edges of the rows, and the pixels from the left edge for a value.
 */
export function intervalPanel(rows: readonly IntervalRow[], options: IntervalPanelOptions) {
  const { width, row, title, headings = [], hasAxis = true, hasZero = false } = options;
  const names = options.names ?? nameWidth(rows);
  const items = rows.flatMap(({ item }) => item ? [item] : []);
  const isBars = items.some(({ isBar }) => isBar);
  const columns = headings.map((heading, column) =>
    16 + Math.max(
      widestOf([heading], FONT_SIZE.small),
      widestOf(items.map(({ numbers }) => numbers?.[column] ?? ""), FONT_SIZE.tick, "bold"),
    )
  );
  const [left, right] = [names || 8, width - 8 - columns.reduce((sum, column) => sum + column, 0)];
  const domain = options.domain ?? domainOf(items, isBars, hasZero);
  const x = (value: number) => left + (value - domain[0]) / (domain[1] - domain[0]) * (right - left);
  const clamp = (value: number) => Math.max(domain[0], Math.min(domain[1], value));
  const top = title || headings.length > 0 ? 26 : 4;
  const bottom = top + rows.length * row;

  const drawItem = (
    { value, interval, points = [], colour, isBar, caption }: IntervalItem,
    middle: number,
  ) => {
    if (value < domain[0] || value > domain[1]) {
      return drawOutside(caption ?? "", colour, middle, value < domain[0] ? [left, 1] : [right, -1]);
    }
    const y = middle + (caption ? 2 : 0);
    const range = interval?.map((end) => x(clamp(end)));
    const half = row * 0.32;
    const width = widestOf([caption ?? ""], FONT_SIZE.tick, "bold") / 2;
    return [
      isBar
        ? element("rect", {
          x: Math.min(x(0), x(value)),
          width: Math.abs(x(value) - x(0)),
          y: middle - half,
          height: 2 * half,
          rx: 1.5,
          fill: colour,
        })
        : "",
      range ? line([range[0], y], [range[1], y], isBar ? INK : colour, isBar ? 1.25 : 2) : "",
      isBar
        ? ""
        : element("circle", { cx: x(value), cy: y, r: 4, fill: colour, stroke: PAPER, "stroke-width": 1 }),
      ...points.filter((point) => point === clamp(point)).map((point) =>
        element("circle", { cx: x(point), cy: y + 11, r: 2.5, fill: colour, opacity: 0.6 })
      ),
      caption
        ? text(caption, Math.max(left + width, Math.min(right - width, x(value))), y - 9, {
          size: FONT_SIZE.tick,
          weight: "bold",
          fill: colour,
          anchor: "middle",
          halo: true,
        })
        : "",
    ].join("");
  };
  const drawRow = ({ name, note, colour = INK, item }: IntervalRow, index: number) => {
    const middle = top + (index + 0.5) * row;
    const label = names === 0
      ? ""
      : text(name, 0, middle + (note ? -2 : 4), { weight: "bold", fill: colour }) +
        (note ? text(note, 0, middle + 12, { size: FONT_SIZE.small, fill: MUTED }) : "");
    if (!item) {
      const isLeft = x(0) < (left + right) / 2;
      const place = { ...NOTE, anchor: isLeft ? "start" : "end" } as const;
      return label + text("reference", x(0) + (isLeft ? 6 : -6), middle + 4, place);
    }
    let edge = right;
    const numbers = columns.map((column, place) => {
      edge += column;
      return text(item.numbers?.[place] ?? "", edge, middle + 4, {
        size: FONT_SIZE.tick,
        weight: place === columns.length - 1 ? "bold" : "regular",
        anchor: "end",
      });
    });
    return label + drawItem(item, middle) + numbers.join("");
  };

  let edge = right;
  const heads = headings.map((heading, column) =>
    text(heading, edge += columns[column], 11, { size: FONT_SIZE.small, fill: MUTED, anchor: "end" })
  );
  const lines = hasZero || isBars ? line([x(0), top], [x(0), bottom], MUTED) : "";
  return {
    markup: (title ? text(title, names === 0 ? 8 : 0, 11, { weight: "bold" }) : "") + heads.join("") +
      (hasAxis ? drawAxis(domain, x, top, bottom) : "") + rows.map(drawRow).join("") + lines,
    height: bottom + (hasAxis ? 24 : 0),
    top,
    bottom,
    x,
  };
}

function domainOf(items: readonly IntervalItem[], isBars: boolean, hasZero: boolean): [number, number] {
  const values = items.flatMap(({ value, interval = [], points = [] }) => [value, ...interval, ...points]);
  const [low, high] = extent([...values, ...isBars || hasZero ? [0] : []]);
  if (isBars) return low < high ? [low, high] : [0, 1];
  const room = (high - low || 1) * 0.06;
  return [low - room, high + room];
}

function drawAxis(
  domain: readonly [number, number],
  x: (value: number) => number,
  top: number,
  bottom: number,
): string {
  const ticks = roundTicks(domain, Math.max(2, Math.floor((x(domain[1]) - x(domain[0])) / 60)));
  const numbers = formatTicks(ticks);
  return ticks.map((tick, index) =>
    line([x(tick), top], [x(tick), bottom + 4], FAINT) +
    text(numbers[index], x(tick), bottom + 17, { ...NOTE, anchor: "middle" })
  ).join("");
}

/** Draws an arrow at the edge of the axis with the caption of a value beyond it. */
function drawOutside(
  caption: string,
  colour: string,
  middle: number,
  [edge, inwards]: readonly [number, number],
): string {
  return element("path", { d: `M${edge.toFixed(1)},${middle}l${6 * inwards},-4v8z`, fill: colour }) +
    text(caption, edge + 10 * inwards, middle + 4, {
      size: FONT_SIZE.tick,
      weight: "bold",
      fill: colour,
      anchor: inwards > 0 ? "start" : "end",
    });
}
