/** Observable Plot outside a browser: the document it draws into, and its drawing as a part of a larger SVG. */
import * as Plot from "@observablehq/plot";
import { createCanvas } from "@napi-rs/canvas";
import { parseHTML } from "linkedom";
import { FONT_SIZE, INK, MUTED } from "./style.ts";
import { element } from "./svg.ts";

/** The little of a document that Plot and we ask for; Deno has no types of the DOM. */
export interface PlotDocument {
  createElement: (name: string) => unknown;
}

/** The drawing Plot hands back. */
interface PlotDrawing {
  tagName: string;
  innerHTML: string;
  getAttribute(name: string): string | null;
  scale(name: "x" | "y"): { apply(value: unknown): number; bandwidth?: number } | undefined;
}

let sharedDocument: PlotDocument | undefined;

/** The document Plot draws into, made on first use; its `canvas` elements are real ones, which Plot's rasters need. */
export function plotDocument(): PlotDocument {
  if (sharedDocument) return sharedDocument;
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: PlotDocument;
  };
  const createElement = document.createElement.bind(document);
  document.createElement =
    ((name: string) =>
      name === "canvas" ? createCanvas(1, 1) : createElement(name)) as typeof document.createElement;
  sharedDocument = document;
  return document;
}

/** A plot as a part of a figure. */
export interface Panel {
  /** Markup drawn from (0, 0) to (`width`, `height`). */
  markup: string;
  width: number;
  height: number;
  /** Pixels from the panel's left edge for a value of the x scale. */
  x: (value: unknown) => number;
  /** Pixels from the panel's top for a value of the y scale. */
  y: (value: unknown) => number;
}

/**
 * Draws with Observable Plot in the figures' style, and returns the drawing as markup for {@linkcode composeFigure}.
 *
 * Plot's own style sheet is taken out (outside a browser nothing reads it), its identifiers are made unique by the
 * content they stand in, so that many figures fit on one page, and coordinates are rounded to hundredths.
 *
 * @param options Plot's options, without a title, caption or legend: those would turn the drawing into HTML.
 */
export function plotPanel(options: Plot.PlotOptions): Panel {
  const settings = { ...options, document: plotDocument(), className: "plot" } as unknown as Plot.PlotOptions;
  const drawing = Plot.plot(settings) as unknown as PlotDrawing;
  if (drawing.tagName.toLowerCase() !== "svg") {
    throw new Error(
      "Cannot make one SVG of the plot: a title, a caption or a legend has turned it into HTML.",
    );
  }
  const inside = drawing.innerHTML
    .replace(/<style>[^]*?<\/style>/g, "")
    .replace(/ class="[^"]*"/g, "")
    .replace(/currentColor/g, MUTED)
    .replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => String(Math.round(Number(number) * 100) / 100));
  const position = (name: "x" | "y") => (value: unknown): number => {
    const scale = drawing.scale(name);
    if (!scale) throw new Error(`The plot has no ${name} scale.`);
    return Number(scale.apply(value)) + (scale.bandwidth ?? 0) / 2;
  };
  return {
    markup: element(
      "g",
      { "font-size": FONT_SIZE.tick, "text-anchor": "middle", fill: INK },
      scopeIdentifiers(inside),
    ),
    width: Number(drawing.getAttribute("width")),
    height: Number(drawing.getAttribute("height")),
    x: position("x"),
    y: position("y"),
  };
}

/** Renames the identifiers in a piece of markup after a hash of its content: unique on a page, the same in every run. */
export function scopeIdentifiers(markup: string): string {
  const names = [...new Set([...markup.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))];
  if (names.length === 0) return markup;
  const rename = (content: string, prefix: string) =>
    names.reduce(
      (renamed, name, index) =>
        renamed.replaceAll(`id="${name}"`, `id="${prefix}${index}"`)
          .replaceAll(`url(#${name})`, `url(#${prefix}${index})`)
          .replaceAll(`href="#${name}"`, `href="#${prefix}${index}"`),
      content,
    );
  const neutral = rename(markup, "?");
  let hash = 0x811c9dc5; // FNV-1a
  for (let index = 0; index < neutral.length; index++) {
    hash = Math.imul(hash ^ neutral.charCodeAt(index), 0x01000193) >>> 0;
  }
  return rename(markup, `f${hash.toString(36)}-`);
}

export { Plot };
