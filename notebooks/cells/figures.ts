import { svgToPng } from "../../lib/figures/svg_to_png.ts";
import { type Bundle, createLivePlace, display, type PictureSize } from "./display.ts";

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
  await display(bundleFigure(svg), undefined, sizeOf(svg));
}

/** A figure that is drawn anew in its place. */
export interface LiveFigure {
  /** Shows `svg` in place of the one before. */
  update(svg: string): Promise<void>;
}

/** Makes a {@linkcode LiveFigure}; it appears with its first `update`. */
export function createLiveFigure(): LiveFigure {
  const place = createLivePlace();
  return { update: (svg) => place.show(bundleFigure(svg), sizeOf(svg)) };
}

/** A figure as SVG, as PNG, and as what it shows in words. */
export function bundleFigure(svg: string): Bundle {
  return {
    "text/plain": `[figure: ${describe(svg)}]`,
    "image/png": svgToPng(svg, { scale: PNG_SCALE }).toBase64(),
    "image/svg+xml": svg,
  };
}

/** The figure's size as its first tag says it. */
function sizeOf(svg: string): PictureSize {
  const read = (name: string) => Number(new RegExp(`^<svg[^>]*? ${name}="([\\d.]+)"`).exec(svg)![1]);
  return { width: read("width"), height: read("height") };
}

/** The SVG's own title, which every figure has. */
function describe(svg: string): string {
  const title = /<title>([^<]*)<\/title>/.exec(svg)?.[1] ?? "";
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return title.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => names[name]);
}
