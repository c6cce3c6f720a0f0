import type { Figure } from "../../lib/figures/figure.ts";
import { type Bundle, createLivePlace, display } from "./display.ts";

/**
 * Shows a figure of `lib/figures`.
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

/** Figure that is redrawn in its place. */
export interface LiveFigure {
  /** Shows a figure in place of the one before. */
  update(figure: Figure): Promise<void>;
}

/** Makes a {@linkcode LiveFigure}; it appears with its first `update`. */
export function createLiveFigure(): LiveFigure {
  const place = createLivePlace();
  return { update: (figure) => place.show(bundleFigure(figure), describeFigure(figure)) };
}

/**
 * Bundles a figure as an image with alternative text, as the SVG itself, and as text.
 *
 * JupyterLab shows an SVG without alternative text, and not at all in a notebook of somebody else's; HTML with an image in it has neither
 * fault, and scales down in a narrow window.
 */
export function bundleFigure({ svg, title, alt, width }: Figure): Bundle {
  const source = `data:image/svg+xml;base64,${new TextEncoder().encode(svg).toBase64()}`;
  const escaped = alt.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return {
    "text/plain": title === "" ? `[figure] ${alt}` : `[figure: ${title}] ${alt}`,
    "text/html":
      `<img src="${source}" alt="${escaped}" width="${width}" style="max-width: 100%; height: auto">`,
    "image/svg+xml": svg,
  };
}

function describeFigure({ svg: _, ...text }: Figure) {
  return { facts: { kind: "figure", ...text } as const };
}
