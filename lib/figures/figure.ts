import { type FontWeight, wrapText } from "./fonts.ts";
import {
  DEFAULT_WIDTH,
  type FigureOptions,
  FONT_FAMILY,
  FONT_SIZE,
  INK,
  MUTED,
  PADDING,
  PAPER,
} from "./style.ts";

/** Width of a figure's content in pixels. */
export function contentWidth(options: FigureOptions): number {
  return (options.width ?? DEFAULT_WIDTH) - 2 * PADDING;
}

/** Content of a figure. */
export interface FigureBody {
  /** Markup, drawn from (0, 0) to ({@linkcode contentWidth}, `height`). */
  markup: string;
  /** Height of the content in pixels. */
  height: number;
  /** Alternative text: what can be seen, in a sentence. */
  alt: string;
}

/** A figure: a picture, and its text as values. */
export interface Figure {
  /**
   * Complete SVG document without external resources or an XML declaration. It carries `xmlns`, its size and
   * a view box, so that browsers, resvg and typst draw it alike.
   */
  svg: string;
  /** Title, which is drawn as well; empty without one. */
  title: string;
  /** Caption, drawn below the title; empty without one. */
  caption: string;
  /** Alternative text: what can be seen. */
  alt: string;
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Pixels from the top edge to the content below title and caption. */
  top: number;
}

/** Puts a figure's content on a white sheet, below its title and caption. */
export function composeFigure(body: FigureBody, options: FigureOptions = {}): Figure {
  const { title = "", subtitle: caption = "", width = DEFAULT_WIDTH } = options;
  const inside = contentWidth(options);
  const head: string[] = [];
  let top = PADDING;
  for (const line of title === "" ? [] : wrapText(title, inside, FONT_SIZE.title, "bold")) {
    head.push(text(line, PADDING, top + 13, { size: FONT_SIZE.title, weight: "bold" }));
    top += 20;
  }
  for (const line of caption === "" ? [] : wrapText(caption, inside, FONT_SIZE.subtitle)) {
    head.push(text(line, PADDING, top + 12, { size: FONT_SIZE.subtitle, fill: MUTED }));
    top += 17;
  }
  if (head.length > 0) top += 12;
  const height = Math.ceil(top + body.height + PADDING);
  const { alt } = body;
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${svgNumber(width)} ${svgNumber(height)}`,
      "font-family": FONT_FAMILY,
      "font-size": FONT_SIZE.label,
      fill: INK,
      role: "img",
      "aria-label": title || alt,
    },
    element("title", {}, escapeXml(title || alt)),
    element("desc", {}, escapeXml(alt)),
    element("rect", { width, height, rx: 8, fill: PAPER }),
    ...head,
    translate(PADDING, top, body.markup),
  ) + "\n";
  return { svg, title, caption, alt, width, height, top };
}

/** Point in pixels. */
export type Point = readonly [x: number, y: number];

/** Rectangle in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Values of an element's attributes; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/**
 * Formats a coordinate with at most two decimals.
 *
 * @throws {RangeError} If it is not finite.
 */
export function svgNumber(value: number): string {
  if (!Number.isFinite(value)) {
    throw new RangeError(`A figure cannot be drawn: a coordinate came out as ${value}.`);
  }
  const text = value.toFixed(2).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** Escapes text for XML, without the characters that XML forbids or that change the direction of text. */
function escapeXml(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, "")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;").replace(/'/g, "&#39;");
}

/** Writes an SVG element: numbers rounded to two decimals, attributes escaped, children as they are. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  let markup = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) {
      markup += ` ${key}="${typeof value === "number" ? svgNumber(value) : escapeXml(value)}"`;
    }
  }
  const inside = children.join("");
  return inside === "" ? `${markup}/>` : `${markup}>${inside}</${name}>`;
}

/** Options of {@linkcode text}. */
export interface TextOptions {
  /** In pixels. @default 12 */
  size?: number;
  weight?: FontWeight;
  fill?: string;
  /** Point of the text that lies at x. @default "start" */
  anchor?: "start" | "middle" | "end";
  /** Clockwise about (x, y), in degrees. */
  rotate?: number;
  /** Draw a white outline behind the letters, for text that lies on lines. */
  halo?: boolean;
}

/** Writes a line of text with its baseline at (x, y). */
export function text(content: string, x: number, y: number, options: TextOptions = {}): string {
  const { size = FONT_SIZE.label, weight, fill = INK, anchor, rotate, halo } = options;
  return element("text", {
    x,
    y,
    "font-size": size,
    "font-weight": weight === "bold" ? "bold" : undefined,
    fill,
    "text-anchor": anchor === "start" ? undefined : anchor,
    transform: rotate === undefined
      ? undefined
      : `rotate(${svgNumber(rotate)} ${svgNumber(x)} ${svgNumber(y)})`,
    "paint-order": halo ? "stroke" : undefined,
    stroke: halo ? "#ffffff" : undefined,
    "stroke-width": halo ? 3 : undefined,
    "stroke-linejoin": halo ? "round" : undefined,
  }, escapeXml(content));
}

/** Draws a straight line, with a dash pattern where one is given. */
export function line([x1, y1]: Point, [x2, y2]: Point, stroke: string, width = 1, dash?: string): string {
  return element("line", { x1, y1, x2, y2, stroke, "stroke-width": width, "stroke-dasharray": dash });
}

/** Draws a frame, `distance` pixels outside a box (inside where it is negative). */
export function frame({ x, y, width, height }: Box, stroke: string, thickness: number, distance = 0): string {
  return element("rect", {
    x: x - distance,
    y: y - distance,
    width: width + 2 * distance,
    height: height + 2 * distance,
    fill: "none",
    stroke,
    "stroke-width": thickness,
  });
}

/** Moves markup by (x, y). */
export function translate(x: number, y: number, ...children: string[]): string {
  return element("g", { transform: `translate(${svgNumber(x)},${svgNumber(y)})` }, ...children);
}
