/**
 * The look all figures share: one paper, one ink, one type scale, one set of colours.
 *
 * The paper is white and opaque on purpose: the same file has to be readable in a light and in a dark JupyterLab, on
 * GitHub and in print, and only a background of its own is safe in all of them.
 */

/** Colour of the rounded sheet every figure is drawn on. */
export const PAPER = "#ffffff";
/** Colour of titles and values. */
export const INK = "#1d2733";
/** Colour of axes, notes and whatever explains. */
export const MUTED = "#5b6775";
/** Colour of grid lines. */
export const FAINT = "#dfe4ea";
/** Colour of what is frozen, or there to be compared with. */
export const GREY = "#8a95a3";

/**
 * Arial's metrics stand first under every name they go by, so text has the same width in every viewer. {@linkcode svgToPng}
 * brings Arimo along for machines without fonts.
 */
export const FONT_FAMILY = "Arimo, Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** Font sizes in pixels; a figure 720 px wide printed on A4 makes 12 px about 8 pt. */
export const FONT_SIZE = { title: 16, subtitle: 12.5, label: 12, tick: 11, small: 10 } as const;

/** Space between the sheet's edge and what is on it, in pixels. */
export const PADDING = 20;

/** Width of a figure in pixels where none is asked for. */
export const DEFAULT_WIDTH = 720;

/**
 * Colours for categories: Okabe and Ito's palette, told apart with every common kind of colour blindness, in the order
 * that keeps neighbours far apart. Its yellow is left out: it cannot be read on white.
 *
 * Source: Okabe & Ito, Color Universal Design (2008).
 */
export const CATEGORY_COLOURS = [
  "#0072b2", // blue
  "#d55e00", // vermilion
  "#009e73", // bluish green
  "#cc79a7", // reddish purple
  "#e69f00", // orange
  "#56b4e9", // sky blue
  "#5b6775", // grey, for Okabe and Ito's black
] as const;

/** Frame and name of the class the network chose. */
export const WINNER_COLOUR = "#d55e00";
/** Frame and name of the class the image is of. */
export const TRUE_COLOUR = "#0072b2";

/**
 * The colour of the category with this number; they repeat when there are more than seven.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(categoryColour(0), categoryColour(CATEGORY_COLOURS.length));
 * ```
 */
export function categoryColour(index: number): string {
  return CATEGORY_COLOURS[index % CATEGORY_COLOURS.length];
}

/** What every figure takes. */
export interface FigureOptions {
  /** What the figure shows, in a line above it; it is also what a screen reader says. */
  title?: string;
  /** A grey line under the title: the data's name, the number of runs, how to read it. */
  subtitle?: string;
  /** Width in pixels (default 720). */
  width?: number;
}
