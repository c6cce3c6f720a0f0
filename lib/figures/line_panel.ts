import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { extent } from "../support/format.ts";
import { element, text } from "./figure.ts";
import { categoryColour, FAINT, FONT_SIZE, GREY, INK, MUTED } from "./style.ts";

/** Drawing returned by Plot; Deno has no types of the DOM. */
interface PlotDrawing {
  innerHTML: string;
}

let sharedDocument: unknown;

/** Returns the document Plot draws into, made on first use. */
function plotDocument(): unknown {
  const page = () =>
    parseHTML("<!doctype html><html><body></body></html>") as unknown as { document: unknown };
  return sharedDocument ??= page().document;
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

/** Colour and dash of the curve with this number. */
export function curveStyle(index: number) {
  // shifted after each round of the colours, so that none comes back with its dash
  return { colour: categoryColour(index), dash: DASHES[(index + Math.floor(index / 7)) % DASHES.length] };
}

/** Dashes, so that lines can be told apart without colours. */
const DASHES = [undefined, "7 3", "2 2.5", "9 3 2 3", "4 2", "12 4", "9 2.5 2 2.5 2 2.5"] as const;

export interface LinePanelOptions {
  /** Size and margins in pixels. */
  width: number;
  height: number;
  margins: { left: number; right: number; top: number; bottom: number };
  /** Without a label, the axis is not drawn. */
  x: {
    domain: readonly [number, number];
    ticks: readonly number[];
    label?: string;
    /** @default whole numbers */
    format?: (tick: number) => string;
  };
  y?: {
    /** @default the lines' extent, made round */
    domain?: readonly [number, number];
    /** Number of ticks. @default 5 */
    ticks?: number;
    /** @default Plot's own */
    format?: (tick: number) => string;
  };
}

/** Draws lines with their bands on one pair of axes, from (0, 0); lines of one or two points get dots. */
export function linePanel(lines: readonly Line[], options: LinePanelOptions): string {
  const { width, height, margins, x, y = {} } = options;
  const values = lines.flatMap(({ points }) =>
    points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y])
  );
  const [low, high] = extent(values);
  const domain = y.domain ?? (low < high ? [low, high] : [low - 0.5, high + 0.5]);
  const ticks = y.ticks ?? 5;
  const hasDots = Math.max(...lines.map(({ points }) => points.length)) < 3;
  const settings = {
    document: plotDocument(),
    width,
    height,
    marginLeft: margins.left,
    marginRight: margins.right,
    marginTop: margins.top,
    marginBottom: margins.bottom,
    x: {
      domain: [...x.domain],
      ticks: [...x.ticks],
      tickFormat: x.format ?? "d",
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
  };
  const drawing = Plot.plot(settings as Plot.PlotOptions) as unknown as PlotDrawing;
  const inside = drawing.innerHTML
    .replace(/<style>[^]*?<\/style>/g, "") // read by browsers only
    .replace(/ class="[^"]*"/g, "")
    .replace(/currentColor/g, MUTED)
    .replace(
      /(?<![>\d])-?\d+\.\d{3,}(?:e-?\d+)?/g,
      (number) => String(Math.round(Number(number) * 100) / 100),
    );
  const middle = (margins.left + width - margins.right) / 2;
  const label = x.label ? text(x.label, middle, height - 4, { anchor: "middle", fill: MUTED }) : "";
  return element("g", { "font-size": FONT_SIZE.tick, "text-anchor": "middle", fill: INK }, inside) + label;
}

/** Draws the learning rate, 104 pixels high. */
export function ratePanel(
  points: readonly LinePoint[],
  options: Pick<LinePanelOptions, "width" | "margins" | "x">,
): string {
  const highest = Math.max(...points.map(({ y }) => y));
  const panel = linePanel([{ colour: GREY, points }], {
    ...options,
    height: 104,
    y: {
      domain: [0, highest || 1],
      ticks: 3,
      ...(highest < 5e-3 && { format: formatSmall }),
    },
  });
  return panel + text("Learning rate", 0, 11, { weight: "bold" });
}

/** Formats what Plot would round to 0: `5e−4`. */
function formatSmall(tick: number): string {
  return tick === 0 ? "0" : Number(tick.toPrecision(6)).toExponential().replace("-", "−");
}
