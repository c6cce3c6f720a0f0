import { FONT_SIZE, INK } from "./style.ts";

/** Values of an element's attributes; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A number as SVG writes it: at most two decimals, and never `NaN`. */
export function svgNumber(value: number): string {
  if (!Number.isFinite(value)) {
    throw new RangeError(`A figure cannot be drawn: a coordinate came out as ${value}.`);
  }
  const text = value.toFixed(2).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** Text with the five characters that mean something in XML replaced, and those XML forbids removed. */
export function escapeXml(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;").replace(/'/g, "&#39;");
}

/**
 * One SVG element as markup.
 *
 * @param name The element's name.
 * @param attributes Numbers are rounded to two decimals; text is escaped.
 * @param children Markup, put in as it is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(element("rect", { x: 1 / 3, fill: "red" }), '<rect x="0.33" fill="red"/>');
 * ```
 */
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

/** How a piece of text looks. */
export interface TextOptions {
  /** Font size in pixels (default 12). */
  size?: number;
  /** `"bold"` or the default `"regular"`. */
  weight?: "regular" | "bold";
  /** Default: the ink. */
  fill?: string;
  /** Which point of the text lies at x: `"start"` (default), `"middle"` or `"end"`. */
  anchor?: "start" | "middle" | "end";
  /** Turned by so many degrees about (x, y), clockwise. */
  rotate?: number;
  /** Draws a white outline behind the letters, for text that lies on lines. */
  halo?: boolean;
}

/** A line of text whose baseline starts at (x, y). */
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

/** Moves markup by (x, y). */
export function translate(x: number, y: number, ...children: string[]): string {
  return element("g", { transform: `translate(${svgNumber(x)},${svgNumber(y)})` }, ...children);
}
