import { type ColourMap, palette } from "./colours.ts";
import { extent, formatNumber } from "../support/format.ts";
import { encodePng, pngDataUri } from "./png.ts";
import { FONT_SIZE, GREY, MUTED } from "./style.ts";
import { element, text } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** What a colour bar explains. */
export interface ColourBarOptions {
  colours: ColourMap;
  /** The values at its ends. */
  domain: readonly [number, number];
  /** What is measured, and in which unit. */
  label: string;
  /** Values to write beside it (default: round ones inside the domain). */
  ticks?: readonly number[];
  /** How a value is written (default: as many decimals as the ticks need). */
  format?: (value: number) => string;
  /** Position of a value, 0–1, where the colours do not run evenly. */
  position?: (value: number) => number;
}

/** A horizontal colour bar from (0, 0), `width` × 38 pixels, its label above the bar and values below. */
export function colourBar(width: number, options: ColourBarOptions): string {
  const { colours, domain, label } = options;
  const ticks = options.ticks ?? fittingTicks(domain, width);
  const format = options.format ?? ((value: number) => formatNumber(value, decimalsOf(ticks)));
  const position = options.position ?? ((value: number) => (value - domain[0]) / (domain[1] - domain[0]));
  const png = encodePng(Uint8Array.from({ length: 256 }, (_, index) => index), 256, 1, palette(colours));
  return text(label, 0, 10, { size: FONT_SIZE.tick, fill: MUTED }) +
    element("image", { x: 0, y: 16, width, height: 9, preserveAspectRatio: "none", href: pngDataUri(png) }) +
    ticks.map((tick) => {
      const x = Math.max(0, Math.min(1, position(tick))) * width;
      return element("line", { x1: x, x2: x, y1: 25, y2: 28, stroke: GREY }) +
        text(format(tick), x, 38, { size: FONT_SIZE.small, fill: MUTED, anchor: anchorAt(x, width) });
    }).join("");
}

/** Labels at the ends lie inside the bar. */
function anchorAt(x: number, width: number): "start" | "middle" | "end" {
  return x < 8 ? "start" : x > width - 8 ? "end" : "middle";
}

/** As many round values as can be written side by side along `width` pixels; the domain's two ends where too few can. */
export function fittingTicks(domain: readonly [number, number], width: number): number[] {
  const [low, high] = domain;
  const fits = (ticks: readonly number[]) => {
    const spans = ticks.map((tick): [start: number, end: number] => {
      const long = textWidth(formatNumber(tick, decimalsOf(ticks)), FONT_SIZE.small);
      const x = (tick - low) / (high - low) * width;
      const anchor = anchorAt(x, width);
      const start = anchor === "start" ? x : anchor === "end" ? x - long : x - long / 2;
      return [start, start + long];
    });
    return spans.every(([start], index) => index === 0 || start >= spans[index - 1][1] + 8);
  };
  for (let count = Math.ceil(width / 30); count > 0; count--) {
    const ticks = roundTicks(domain, count);
    if (ticks.length < 2) break;
    if (fits(ticks)) return ticks;
  }
  const unit = 10 ** (Math.floor(Math.log10(high - low)) - 1);
  const inside = [Math.ceil(low / unit) * unit, Math.floor(high / unit) * unit].map((tick) =>
    Number(tick.toPrecision(6))
  );
  const withZero = [inside[0], 0, inside[1]];
  return low < 0 && high > 0 && fits(withZero) ? withZero : inside;
}

/** About `count` round values (multiples of 1, 2 or 5 times a power of ten) inside a domain. */
export function roundTicks([low, high]: readonly [number, number], count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const ratio = rough / power;
  const step = power *
    (ratio >= Math.sqrt(50) ? 10 : ratio >= Math.sqrt(10) ? 5 : ratio >= Math.SQRT2 ? 2 : 1);
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

/** The domain of a map's colours: the values' extent, and about zero alike on both sides where the colours diverge. */
export function colourDomain(values: Iterable<number>, colours: ColourMap): [number, number] {
  const [low, high] = extent(values);
  if (colours !== "diverging") return low < high ? [low, high] : [low - 0.5, low + 0.5];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return [-most, most];
}

function decimalsOf(ticks: readonly number[]): number {
  return Math.max(...ticks.map((tick) => (String(tick).split(".")[1] ?? "").length));
}
