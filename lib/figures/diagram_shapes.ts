/** The few shapes network diagrams are made of. */
import { FONT_SIZE, INK, MUTED } from "./style.ts";
import { element, svgNumber, text } from "./svg.ts";

/** The colours of a part of the network. */
export interface Tint {
  fill: string;
  stroke: string;
}

/** A part without gradient: grey, with a broken edge. */
export const FROZEN: Tint = { fill: "#eef0f3", stroke: "#7d8896" };

/** A box with rounded corners; broken edges say that nothing in it learns. */
export function box(x: number, y: number, width: number, height: number, tint: Tint): string {
  return element("rect", {
    x,
    y,
    width,
    height,
    rx: 7,
    fill: tint.fill,
    stroke: tint.stroke,
    "stroke-width": 1.25,
    "stroke-dasharray": tint === FROZEN ? "4 3" : undefined,
  });
}

/** A white box with a line of text, for a step inside a part. */
export function stepBox(
  content: string,
  x: number,
  y: number,
  width: number,
  height: number,
  tint: Tint,
): string {
  return element("rect", {
    x,
    y,
    width,
    height,
    rx: 4,
    fill: "#ffffff",
    stroke: tint.stroke,
    "stroke-width": 0.75,
  }) +
    text(content, x + width / 2, y + height / 2 + 4, { size: FONT_SIZE.tick, anchor: "middle" });
}

/** A straight arrow from the first point to the second. */
export function arrow([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - 7 * dx, y2 - 7 * dy];
  const points = [[x2, y2], [bx - 3.5 * dy, by + 3.5 * dx], [bx + 3.5 * dy, by - 3.5 * dx]];
  return element("line", { x1, y1, x2: bx, y2: by, stroke: MUTED, "stroke-width": 1.5 }) +
    element("polygon", {
      points: points.map((point) => point.map(svgNumber).join(",")).join(" "),
      fill: MUTED,
    });
}

/** A block of a convolutional network seen at an angle: `size` square, `depth` deep, its front's left edge at x, centred on y. */
export function slab(x: number, y: number, size: number, depth: number, tint: Tint): string {
  const slant = Math.min(10, size * 0.22);
  const [top, bottom] = [y - size / 2 + slant / 2, y + size / 2 - slant / 2];
  const polygon = (points: readonly (readonly [number, number])[], fill: string, opacity: number) =>
    element("polygon", {
      points: points.map((point) => point.map(svgNumber).join(",")).join(" "),
      fill,
      "fill-opacity": opacity,
      stroke: tint.stroke,
      "stroke-width": 1,
      "stroke-linejoin": "round",
    });
  return polygon(
    [[x, top], [x + slant, top - slant], [x + slant + depth, top - slant], [x + depth, top]],
    tint.stroke,
    0.18,
  ) +
    polygon(
      [[x + depth, top], [x + slant + depth, top - slant], [x + slant + depth, bottom - slant], [
        x + depth,
        bottom,
      ]],
      tint.stroke,
      0.38,
    ) +
    polygon([[x, top], [x + depth, top], [x + depth, bottom], [x, bottom]], tint.fill, 1);
}

/** Lines of text about x, the first one's baseline at y; a line that starts with `*` is bold. */
export function lines(
  contents: readonly string[],
  x: number,
  y: number,
  leading = 14,
  size: number = FONT_SIZE.tick,
): string {
  return contents.map((content, index) => {
    const bold = content.startsWith("*");
    return text(bold ? content.slice(1) : content, x, y + index * leading, {
      size: bold ? FONT_SIZE.label : size,
      weight: bold ? "bold" : "regular",
      fill: bold ? INK : MUTED,
      anchor: "middle",
    });
  }).join("");
}
