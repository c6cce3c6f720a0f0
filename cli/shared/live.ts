/**
 * Lines at the bottom of the terminal that are redrawn in place, by log-update.
 *
 * Added to it: lines that stay above, at most ten drawings per second, output that is lost, and plain lines
 * where there is no terminal.
 */
import {
  consoleSize,
  createWriter,
  escapeControls,
  isInteractive,
  type TerminalSize,
  type TextStream,
} from "./terminal.ts";

export interface LiveOptions {
  /** @default {Deno.stderr} so that standard output holds results only */
  stream?: TextStream;
  /** Redraw lines. @default whether the stream is a terminal that can */
  interactive?: boolean;
  /** Asked at each drawing. */
  size?: () => TerminalSize;
  /** @default whether lines are redrawn, unless `NO_COLOR` is set */
  color?: boolean;
  /** Clock in milliseconds. */
  now?: () => number;
}

/** Live lines, below lines that stay. */
export interface Live {
  readonly interactive: boolean;
  readonly color: boolean;
  /**
   * Draws the lines that `format` makes for `columns`, if the last drawing is 0.1 s old or `now` is true;
   * nothing where there is no terminal.
   */
  draw(format: (size: TerminalSize) => string, options?: { now?: boolean }): void;
  /** Prints a text that stays, above the live lines. */
  print(text: string): void;
  /** Erases the live lines. */
  clear(): void;
  /** Lets the live lines stand. */
  leave(): void;
}

const MILLISECONDS_BETWEEN_DRAWINGS = 100;

/**
 * Creates live lines. The cursor stays visible, so that nothing has to be restored however the program ends.
 */
export async function createLive(options: LiveOptions = {}): Promise<Live> {
  const { stream = Deno.stderr, size = consoleSize, now = () => performance.now() } = options;
  const interactive = options.interactive ?? isInteractive(stream);
  const color = options.color ?? (interactive && !Deno.env.get("NO_COLOR"));
  const write = createWriter(stream);
  if (!interactive) {
    return {
      interactive,
      color,
      draw() {},
      print: (text) => write(`${escapeControls(text)}\n`),
      clear() {},
      leave() {},
    };
  }
  // imported where they are needed: they cost 50 ms
  const [{ createLogUpdate }, { wrapText }] = await Promise.all([import("log-update"), import("./table.ts")]);
  const terminal = {
    isTTY: true,
    write,
    get columns() {
      return size().columns;
    },
    get rows() {
      return size().rows;
    },
  };
  const update = createLogUpdate(terminal as unknown as NodeJS.WritableStream, { showCursor: true });
  let lastFormat: ((size: TerminalSize) => string) | null = null;
  let lastDrawing = -Infinity;
  const redraw = () => {
    if (lastFormat === null) return;
    // a character in the last column makes some terminals wrap; the last row is the cursor's
    const [columns, rows] = [size().columns - 1, size().rows - 1];
    update(escapeControls(lastFormat({ columns, rows })).split("\n").slice(0, rows).join("\n"));
    lastDrawing = now();
  };
  const end = (close: () => void) => {
    if (lastFormat !== null) close();
    lastFormat = null;
    lastDrawing = -Infinity;
  };
  return {
    interactive,
    color,
    draw(format, { now: atOnce = false } = {}) {
      lastFormat = format;
      if (atOnce || now() - lastDrawing >= MILLISECONDS_BETWEEN_DRAWINGS) redraw();
    },
    print(text) {
      update.persist(wrapText(escapeControls(text), size().columns));
      redraw();
    },
    clear: () => end(() => update.clear()),
    leave: () =>
      end(() => {
        redraw();
        update.done();
      }),
  };
}

/** Part of a line; of those that do not fit, the ones with the highest `rank` are left out first. */
export interface LinePart {
  text: string;
  rank: number;
}

/** Bar of {@linkcode fitLine}. */
export interface LineBar {
  /** Fraction done, 0–1. */
  done: number;
  color: boolean;
  /** Index of the part that it stands before. */
  before: number;
}

const NARROWEST_BAR = 6;
const WIDEST_BAR = 30;

/**
 * Puts parts and a bar into one line of at most `columns`: parts that do not fit are left out, the bar fills
 * the rest.
 *
 * @param bar Null for parts alone.
 */
export function fitLine(parts: readonly LinePart[], bar: LineBar | null, columns: number): string {
  let kept = parts.filter(({ text }) => text !== "");
  const room = () => columns - kept.reduce((sum, { text }) => sum + text.length + 1, 0);
  const needed = bar === null ? -1 : NARROWEST_BAR; // without a bar there is no space behind the last part
  const leastRank = Math.min(...kept.map(({ rank }) => rank));
  // the bar is left out before the parts of the two lowest ranks are
  while (room() < needed && kept.some(({ rank }) => rank > leastRank + 1)) {
    const highest = Math.max(...kept.map(({ rank }) => rank));
    kept = kept.filter(({ rank }) => rank !== highest);
  }
  const texts = kept.map(({ text }) => text);
  if (bar === null || room() < needed) return texts.join(" ").slice(0, Math.max(0, columns));
  const width = Math.min(WIDEST_BAR, room());
  texts.splice(kept.indexOf(parts[bar.before]), 0, formatBar(bar.done, width, bar.color));
  return texts.join(" ");
}

/** Draws a bar of `width` columns: heavy for what is done, light for the rest. */
export function formatBar(done: number, width: number, color = false): string {
  const heavy = Math.max(0, Math.min(width, Math.floor(done * width)));
  const [left, right] = ["━".repeat(heavy), "─".repeat(width - heavy)];
  return color ? `\x1b[36m${left}\x1b[2m${right}\x1b[0m` : left + right;
}
