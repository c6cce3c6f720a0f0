/** Observable Plot outside a browser, drawn as a part of a larger SVG. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { extent } from "../support/format.ts";
import { element, text } from "./figure.ts";
import { FAINT, FONT_SIZE, INK, MUTED } from "./style.ts";

/** Drawing returned by Plot; Deno has no types of the DOM. */
interface PlotDrawing {
  tagName: string;
  innerHTML: string;
  getAttribute(name: string): string | null;
  scale(name: "x" | "y"): { apply(value: unknown): number; bandwidth?: number } | undefined;
}

let sharedDocument: unknown;

/** Returns the document Plot draws into, made on first use. */
function plotDocument(): unknown {
  const page = () =>
    parseHTML("<!doctype html><html><body></body></html>") as unknown as { document: unknown };
  return sharedDocument ??= page().document;
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
 * Draws with Observable Plot in the figures' style.
 *
 * Plot's style sheet is removed (outside a browser nothing reads it), identifiers are renamed after a hash of the content, so that many
 * figures fit on one page, and coordinates are rounded to hundredths.
 *
 * @param options Plot's options without title, caption or legend: those would turn the drawing into HTML.
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

/** Renames identifiers after a hash of the content: unique on a page, the same in every run. */
function scopeIdentifiers(markup: string): string {
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

/** Point of a line, with the ends of its band where it has one. */
export interface LinePoint {
  x: number;
  y: number;
  low?: number;
  high?: number;
}

/** A line of a {@linkcode linePanel}. */
export interface Line {
  points: readonly LinePoint[];
  colour: string;
  dash?: string;
  /** In pixels. @default 2 */
  width?: number;
}

/** Options of {@linkcode linePanel}. */
export interface LinePanelOptions {
  /** Size and margins in pixels. */
  width: number;
  height: number;
  margins: { left: number; right: number; top: number; bottom: number };
  /** Without a label, the axis is not drawn. */
  x: { domain: readonly [number, number]; ticks: readonly number[]; label?: string };
  y?: {
    /** @default the lines' extent, made round */
    domain?: readonly [number, number];
    /** Number of ticks. @default 5 */
    ticks?: number;
    /** @default Plot's own */
    format?: (tick: number) => string;
  };
}

/** Draws lines with their bands on one pair of axes; a line of one or two points gets dots. */
export function linePanel(lines: readonly Line[], options: LinePanelOptions): Panel {
  const { width, height, margins, x, y = {} } = options;
  const values = lines.flatMap(({ points }) =>
    points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y])
  );
  const [low, high] = extent(values);
  const domain = y.domain ?? (low < high ? [low, high] : [low - 0.5, high + 0.5]);
  const ticks = y.ticks ?? 5;
  const hasDots = Math.max(...lines.map(({ points }) => points.length)) < 3;
  const panel = plotPanel({
    width,
    height,
    marginLeft: margins.left,
    marginRight: margins.right,
    marginTop: margins.top,
    marginBottom: margins.bottom,
    x: {
      domain: [...x.domain],
      ticks: [...x.ticks],
      tickFormat: "d",
      tickSize: 4,
      axis: x.label === undefined ? null : "bottom",
      label: null,
    },
    y: {
      domain: [...domain],
      nice: true,
      ticks,
      tickFormat: y.format,
      tickSize: 0,
      label: null,
    },
    marks: [
      Plot.gridY({ stroke: FAINT, strokeOpacity: 1, ticks }),
      ...(low < 0 && high > 0 ? [Plot.ruleY([0], { stroke: MUTED, strokeWidth: 0.75 })] : []),
      ...lines.map(({ points, colour }) =>
        Plot.areaY(points.filter(({ low, high }) => low !== undefined && high !== undefined), {
          x: "x",
          y1: "low",
          y2: "high",
          fill: colour,
          fillOpacity: 0.16,
        })
      ),
      ...lines.map(({ points, colour, dash, width: strokeWidth = 2 }) =>
        Plot.lineY(points, { x: "x", y: "y", stroke: colour, strokeWidth, strokeDasharray: dash })
      ),
      ...(hasDots
        ? lines.map(({ points, colour }) => Plot.dot(points, { x: "x", y: "y", r: 3, fill: colour }))
        : []),
    ],
  });
  const middle = (margins.left + width - margins.right) / 2;
  const label = x.label ? text(x.label, middle, height - 4, { anchor: "middle", fill: MUTED }) : "";
  return { ...panel, markup: panel.markup + label };
}

export { Plot };
