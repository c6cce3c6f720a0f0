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

/** A figure: a picture, and its text as values. */
export interface Figure {
  /**
   * Complete SVG document without external resources or an XML declaration. It carries `xmlns`, its size and a view box, so that browsers,
   * resvg and typst draw it alike.
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
  const alt = body.description;
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
