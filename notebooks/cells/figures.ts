import type { Figure } from "../../lib/figures/figure.ts";
import { svgToPng } from "../../lib/figures/svg_to_png.ts";
import { type Bundle, createLivePlace, display } from "./display.ts";

/** Pixels of the picture for one of the figure. It stands in for the SVG, and goes into git with every execution: larger would be too large. */
const PNG_SCALE = 1;

/**
 * Shows a figure of `lib/figures`.
 *
 * JupyterLab shows the SVG where the notebook is trusted. It refuses an SVG that somebody else's notebook brought along, and shows the
 * picture beside it, as do viewers without SVG.
 *
 * @example
 * ```ts
 * import { similarity } from "../../lib/figures/mod.ts";
 * import { displayFigure } from "./figures.ts";
 * const sets = [{ title: "Filters", vectors: [[1, 0], [0.6, 0.8]] }];
 * await displayFigure(similarity(sets, { names: ["cat", "dog"] }));
 * ```
 */
export async function displayFigure(figure: Figure): Promise<void> {
  await display(bundleFigure(figure), describeFigure(figure));
}

/** A figure that is drawn anew in its place. */
export interface LiveFigure {
  /** Shows a figure in place of the one before. */
  update(figure: Figure): Promise<void>;
}

/** Makes a {@linkcode LiveFigure}; it appears with its first `update`. */
export function createLiveFigure(): LiveFigure {
  const place = createLivePlace();
  return { update: (figure) => place.show(bundleFigure(figure), describeFigure(figure)) };
}

/** Bundles a figure as SVG, as PNG and as its title. */
export function bundleFigure({ svg, title, alt }: Figure): Bundle {
  return {
    "text/plain": `[figure: ${title || alt}]`,
    "image/png": svgToPng(svg, { scale: PNG_SCALE }).toBase64(),
    "image/svg+xml": svg,
  };
}

function describeFigure({ svg: _, ...text }: Figure) {
  const { width, height } = text;
  return { size: { width, height }, facts: { kind: "figure", ...text } as const };
}
