import {
  CLEAR_REST,
  consoleSize,
  createWriter,
  isInteractive,
  type LineStream,
  MILLISECONDS_BETWEEN_DRAWINGS,
} from "./terminal.ts";

/** How a live line is drawn. */
export interface LiveLineOptions {
  /** Standard error by default, so that standard output holds results only. */
  stream?: LineStream;
  /** Draw at all; by default where the stream is a terminal that can. */
  interactive?: boolean;
  /** Columns of the terminal, asked at each drawing. */
  width?: () => number;
  /** Colours; by default on a terminal, unless `NO_COLOR` is set. */
  color?: boolean;
  /** Milliseconds since some moment; for tests. */
  now?: () => number;
}

/** The terminal's last line, which changes, below lines that stay. */
export interface LiveLine {
  readonly interactive: boolean;
  readonly color: boolean;
  /** Draws what `format` makes for this many columns, if the last drawing is 0.1 s old; nothing where it is no terminal. */
  draw(format: (columns: number) => string, options?: { now?: boolean }): void;
  /** Prints a line that stays, above the live one. */
  print(text: string): void;
  /** Takes the live line away. */
  clear(): void;
}

/**
 * Makes a live line. The cursor stays visible and wrapping on, so that nothing is left to restore however the program ends.
 *
 * @example
 * ```ts
 * import { createLiveLine } from "./live_line.ts";
 * const line = createLiveLine();
 * for (let done = 0; done <= 3; done++) line.draw(() => `${done} of 3`);
 * line.clear();
 * ```
 */
export function createLiveLine(options: LiveLineOptions = {}): LiveLine {
  const { stream = Deno.stderr, now = () => performance.now() } = options;
  const interactive = options.interactive ?? isInteractive(stream);
  const color = options.color ?? (interactive && !Deno.env.get("NO_COLOR"));
  const width = options.width ?? (() => consoleSize().columns);
  let lastFormat: ((columns: number) => string) | null = null;
  let lastDrawing = -Infinity;
  const write = createWriter(stream);
  const redraw = () => {
    if (lastFormat === null) return;
    // the last column stays free: a character there makes some terminals wrap
    write(`\r${lastFormat(width() - 1)}${CLEAR_REST}`);
    lastDrawing = now();
  };
  return {
    interactive,
    color,
    draw(format, { now: atOnce = false } = {}) {
      if (!interactive) return;
      lastFormat = format;
      if (atOnce || now() - lastDrawing >= MILLISECONDS_BETWEEN_DRAWINGS) redraw();
    },
    print(text) {
      const isLive = lastFormat !== null;
      write(`${isLive ? `\r${CLEAR_REST}` : ""}${text}\n`);
      redraw();
    },
    clear() {
      if (lastFormat !== null) write(`\r${CLEAR_REST}`);
      lastFormat = null;
      lastDrawing = -Infinity;
    },
  };
}

/** A part of a live line; of those that do not fit, the ones with the highest `rank` are left out first. */
export interface LinePart {
  text: string;
  rank: number;
}

/** The bar of {@linkcode fitLine}. */
export interface LineBar {
  /** Share that is done, 0–1. */
  done: number;
  color: boolean;
  /** The part it stands in front of, by index. */
  before: number;
}

const NARROWEST_BAR = 6;
const WIDEST_BAR = 30;

/** Puts parts and a bar into one line of at most `columns`: parts that do not fit are left out, the bar takes what room is left. */
export function fitLine(parts: readonly LinePart[], bar: LineBar, columns: number): string {
  let kept = parts.filter(({ text }) => text !== "");
  const length = () => kept.reduce((sum, { text }) => sum + text.length + 1, -1);
  const leastRank = Math.min(...kept.map(({ rank }) => rank));
  // the bar goes before the parts with the two lowest ranks do
  let barWidth = Math.min(WIDEST_BAR, columns - length() - 1);
  while (barWidth < NARROWEST_BAR && kept.some(({ rank }) => rank > leastRank + 1)) {
    const highest = Math.max(...kept.map(({ rank }) => rank));
    kept = kept.filter(({ rank }) => rank !== highest);
    barWidth = Math.min(WIDEST_BAR, columns - length() - 1);
  }
  const texts = kept.map(({ text }) => text);
  if (barWidth < NARROWEST_BAR) return texts.join(" ").slice(0, Math.max(0, columns));
  texts.splice(kept.indexOf(parts[bar.before]), 0, formatBar(bar.done, barWidth, bar.color));
  return texts.join(" ");
}

/** A bar of `width` columns: heavy for what is done, light for the rest. */
export function formatBar(done: number, width: number, color = false): string {
  const heavy = Math.max(0, Math.min(width, Math.floor(done * width)));
  const [left, right] = ["━".repeat(heavy), "─".repeat(width - heavy)];
  return color ? `\x1b[36m${left}\x1b[2m${right}\x1b[0m` : left + right;
}
