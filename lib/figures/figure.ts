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
import { element, escapeXml, svgNumber, text, translate } from "./svg.ts";
import { wrapText } from "./text_width.ts";

/** The width left for a figure's content, in pixels. */
export function contentWidth(options: FigureOptions): number {
  return (options.width ?? DEFAULT_WIDTH) - 2 * PADDING;
}

/** What lies on a figure's sheet. */
export interface FigureBody {
  /** Markup, drawn from (0, 0) to ({@linkcode contentWidth}, `height`). */
  markup: string;
  /** Height of the content in pixels. */
  height: number;
  /** What can be seen, in a sentence, for those who cannot see it. */
  description: string;
}

/**
 * Puts a figure's content on a white sheet with its title: one complete SVG document that needs nothing from outside.
 *
 * It carries `xmlns`, its size and a view box, so that it is drawn by a browser, by resvg and by typst alike.
 *
 * @returns The SVG document as text, without an XML declaration.
 */
export function composeFigure(body: FigureBody, options: FigureOptions = {}): string {
  const width = options.width ?? DEFAULT_WIDTH;
  const inside = contentWidth(options);
  const head: string[] = [];
  let top = PADDING;
  if (options.title) {
    for (const line of wrapText(options.title, inside, FONT_SIZE.title, "bold")) {
      head.push(text(line, PADDING, top + 13, { size: FONT_SIZE.title, weight: "bold" }));
      top += 20;
    }
  }
  if (options.subtitle) {
    for (const line of wrapText(options.subtitle, inside, FONT_SIZE.subtitle)) {
      head.push(text(line, PADDING, top + 12, { size: FONT_SIZE.subtitle, fill: MUTED }));
      top += 17;
    }
  }
  if (head.length > 0) top += 12;
  const height = Math.ceil(top + body.height + PADDING);
  return element(
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
      "aria-label": options.title ?? body.description,
    },
    element("title", {}, escapeXml(options.title ?? body.description)),
    element("desc", {}, escapeXml(body.description)),
    element("rect", { width, height, rx: 8, fill: PAPER }),
    ...head,
    translate(PADDING, top, body.markup),
  ) + "\n";
}
