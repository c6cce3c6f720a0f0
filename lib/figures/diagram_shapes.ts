/** Shapes of the network's diagram. */
import { element, line, type Point, svgNumber, text } from "./figure.ts";
import { FONT_SIZE, INK, MUTED, PAPER } from "./style.ts";

/** Colours of a part of the network. */
export interface Tint {
  fill: string;
  stroke: string;
  /** Of the edge. */
  dash?: string;
}

/** Parts with a gradient. */
export const BLUE: Tint = { fill: "#eaf3fa", stroke: "#0072b2" };
export const ORANGE: Tint = { fill: "#fdf1e7", stroke: "#d55e00" };
export const GREEN: Tint = { fill: "#e8f6f1", stroke: "#009e73" };

/** Lines between maps, predictor and probabilities. */
export const WIRE = "#c3ccd6";
/** Probabilities of the predicted class and of the others. */
export const PREDICTED_BAR = "#f8cfae";
export const PROBABILITY_BAR = "#d3e9e1";

/** A part without gradient: grey, with a broken edge. */
export const FROZEN: Tint = { fill: "#eef0f3", stroke: "#7d8896", dash: "4 3" };

/** Draws a box with rounded corners. */
export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  { fill, stroke, dash }: Tint,
): string {
  return element("rect", {
    x,
    y,
    width,
    height,
    rx: 7,
    fill,
    stroke,
    "stroke-width": 1.25,
    "stroke-dasharray": dash,
  });
}

/** Draws a white box with a line of text, for an operation inside a part. */
export function stepBox(
  content: string,
  x: number,
  y: number,
  width: number,
  height: number,
  { stroke }: Tint,
): string {
  return element("rect", { x, y, width, height, rx: 4, fill: PAPER, stroke, "stroke-width": 0.75 }) +
    text(content, x + width / 2, y + height / 2 + 4, { size: FONT_SIZE.tick, anchor: "middle" });
}

/** Draws a straight arrow. */
export function arrow([x1, y1]: Point, [x2, y2]: Point): string {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - 7 * dx, y2 - 7 * dy];
  const head: Point[] = [[x2, y2], [bx - 3.5 * dy, by + 3.5 * dx], [bx + 3.5 * dy, by - 3.5 * dx]];
  return line([x1, y1], [bx, by], MUTED, 1.5) +
    element("polygon", { points: pointList(head), fill: MUTED });
}

/** Draws a feature map as a slab: `size` high, `depth` wide, its front's left edge at x, centred on y. */
export function slab(x: number, y: number, size: number, depth: number, { fill, stroke }: Tint): string {
  const slant = Math.min(10, size * 0.22);
  const [top, bottom] = [y - size / 2 + slant / 2, y + size / 2 - slant / 2];
  const [right, far] = [x + depth, x + depth + slant];
  const face = (points: readonly Point[], fill: string, opacity: number) =>
    element("polygon", {
      points: pointList(points),
      fill,
      "fill-opacity": opacity,
      stroke,
      "stroke-linejoin": "round",
    });
  return face([[x, top], [x + slant, top - slant], [far, top - slant], [right, top]], stroke, 0.18) +
    face([[right, top], [far, top - slant], [far, bottom - slant], [right, bottom]], stroke, 0.38) +
    face([[x, top], [right, top], [right, bottom], [x, bottom]], fill, 1);
}

function pointList(points: readonly Point[]): string {
  return points.map((point) => point.map(svgNumber).join(",")).join(" ");
}

export interface LabelOptions {
  /** Number of first lines that are bold. @default 0 */
  bold?: number;
  /** Distance of the lines in pixels. @default 15 */
  leading?: number;
  /** Of the other lines. */
  size?: number;
  anchor?: "start" | "middle";
}

/** Writes lines of text about x, the first one's baseline at y. */
export function label(contents: readonly string[], x: number, y: number, options: LabelOptions = {}): string {
  const { bold = 0, leading = 15, size = FONT_SIZE.tick, anchor = "middle" } = options;
  return contents.map((content, index) =>
    text(content, x, y + index * leading, {
      anchor,
      ...(index < bold ? { size: FONT_SIZE.label, weight: "bold", fill: INK } : { size, fill: MUTED }),
    })
  ).join("");
}
