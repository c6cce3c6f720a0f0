import { svgToPng } from "../../lib/figures/svg_to_png.ts";
import { type Bundle, createLivePlace, display, type FigureFacts } from "./display.ts";

/** Pixels of the picture for one of the figure. It stands in for the SVG, and goes into git with every execution: larger would be too large. */
const PNG_SCALE = 1;

/**
 * Shows a figure of `lib/figures`.
 *
 * JupyterLab shows the SVG where the notebook is trusted. It refuses an SVG that somebody else's notebook brought along, and shows the
 * picture beside it, as do viewers without SVG.
 *
 * @param svg A complete SVG document.
 *
 * @example
 * ```ts
 * import { similarity } from "../../lib/figures/mod.ts";
 * import { displayFigure } from "./figures.ts";
 * const sets = [{ title: "Filters", vectors: [[1, 0], [0.6, 0.8]] }];
 * await displayFigure(similarity(sets, { names: ["cat", "dog"] }));
 * ```
 */
export async function displayFigure(svg: string): Promise<void> {
  await display(bundleFigure(svg), describeFigure(svg));
}

/** A figure that is drawn anew in its place. */
export interface LiveFigure {
  /** Shows `svg` in place of the one before. */
  update(svg: string): Promise<void>;
}

/** Makes a {@linkcode LiveFigure}; it appears with its first `update`. */
export function createLiveFigure(): LiveFigure {
  const place = createLivePlace();
  return { update: (svg) => place.show(bundleFigure(svg), describeFigure(svg)) };
}

/** A figure as SVG, as PNG, and as what it shows in words. */
export function bundleFigure(svg: string): Bundle {
  return {
    "text/plain": `[figure: ${readFacts(svg).title}]`,
    "image/png": svgToPng(svg, { scale: PNG_SCALE }).toBase64(),
    "image/svg+xml": svg,
  };
}

function describeFigure(svg: string) {
  const facts = readFacts(svg);
  return { size: { width: facts.width, height: facts.height }, facts };
}

/** Reads the facts of a figure from its SVG; goes when figures carry them as fields. */
export function readFacts(svg: string): FigureFacts {
  const read = (expression: RegExp) => unescape(expression.exec(svg)?.[1] ?? "");
  const head =
    /<rect [^>]*rx="8"[^>]*\/>((?:<text [^>]*>[^<]*<\/text>)*)<g transform="translate\(/.exec(svg)?.[1] ?? "";
  const subtitle = [...head.matchAll(/<text ((?!font-weight)[^>])*>([^<]*)<\/text>/g)].map((line) => line[2]);
  return {
    kind: "figure",
    title: read(/<title>([^<]*)<\/title>/),
    caption: unescape(subtitle.join(" ")),
    alt: read(/<desc>([^<]*)<\/desc>/),
    width: Number(read(/^<svg[^>]*? width="([\d.]+)"/)),
    height: Number(read(/^<svg[^>]*? height="([\d.]+)"/)),
    top: Number(read(/rx="8"[^>]*\/>(?:<text [^>]*>[^<]*<\/text>)*<g transform="translate\(\d+,([\d.]+)/)),
  };
}

function unescape(text: string): string {
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => names[name]);
}
