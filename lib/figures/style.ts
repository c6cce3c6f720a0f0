/** Colours, fonts and sizes that all figures share. */

/**
 * Background. White and opaque: the same file must be readable in a light and in a dark JupyterLab, on GitHub
 * and in print, and only a background of its own is safe in all of them.
 */
export const PAPER = "#ffffff";
/** Titles and values. */
export const INK = "#1d2733";
/** Axes, captions and notes. */
export const MUTED = "#5b6775";
/** Grid lines. */
export const FAINT = "#dfe4ea";
/** Ticks and lines of no category. */
export const GREY = "#8a95a3";

/** Fonts with Arial's metrics by all their names, so that text has the same width in every viewer. */
export const FONT_FAMILY = "Arimo, Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** Font sizes in pixels. The report prints a pixel as 0.57 pt, so the smallest text has 6.6 pt. */
export const FONT_SIZE = { title: 16, subtitle: 12.5, label: 12, tick: 11.5, small: 11.5 } as const;

/** Style of notes, ticks and keys. */
export const NOTE = { size: FONT_SIZE.tick, fill: MUTED } as const;

/** Margin around the content in pixels. */
export const PADDING = 20;

/** Default width of a figure in pixels. */
export const DEFAULT_WIDTH = 720;

/**
 * Categorical colours, safe for colour-blind readers: Okabe and Ito's palette (Color Universal Design, 2008)
 * without its yellow, which cannot be read on white.
 */
const CATEGORY_COLOURS = [
  "#0072b2", // blue
  "#d55e00", // vermilion
  "#009e73", // bluish green
  "#cc79a7", // reddish purple
  "#e69f00", // orange
  "#56b4e9", // sky blue
  "#5b6775", // grey, for Okabe and Ito's black
] as const;

/** Frame and name of the predicted class. */
export const PREDICTED_COLOUR = "#d55e00";
/** Frame and name of the true class. */
export const TRUE_COLOUR = "#0072b2";

/** Colour of the category with this number; they repeat after seven. */
export function categoryColour(index: number): string {
  return CATEGORY_COLOURS[index % CATEGORY_COLOURS.length];
}

/** Options of every figure. */
export interface FigureOptions {
  /** Drawn above the content. */
  title?: string;
  /** Drawn in grey below the title: data set, number of runs, reading aid. */
  subtitle?: string;
  /** In pixels. @default 720 */
  width?: number;
}
