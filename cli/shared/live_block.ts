import type { LiveLineOptions } from "./live_line.ts";
import {
  CLEAR_REST,
  consoleSize,
  createWriter,
  isInteractive,
  MILLISECONDS_BETWEEN_DRAWINGS,
} from "./terminal.ts";

/** The terminal's last lines, which change, below lines that stay. */
export interface LiveBlock {
  readonly interactive: boolean;
  /** Draws what `format` makes for a terminal of this size, if the last drawing is 0.1 s old; nothing where it is no terminal. */
  draw(format: (columns: number, rows: number) => string[], options?: { now?: boolean }): void;
  /** Prints a line that stays, above the block. */
  print(text: string): void;
  /** Lets the block stand as it is, and goes on below. */
  leave(): void;
}

/** Where and how a block is drawn; `height` in rows. */
export type LiveBlockOptions = Omit<LiveLineOptions, "color"> & { height?: () => number };

const CLEAR_BELOW = "\x1b[J";

/**
 * Makes a block of live lines: `createLiveLine` for several. What does not fit into the terminal's height is cut at its end, because
 * lines that scrolled away cannot be drawn again.
 */
export function createLiveBlock(options: LiveBlockOptions = {}): LiveBlock {
  const { stream = Deno.stderr, now = () => performance.now() } = options;
  const interactive = options.interactive ?? isInteractive(stream);
  const size = () =>
    interactive && !(options.width && options.height) ? consoleSize() : { columns: 80, rows: 24 };
  const width = options.width ?? (() => size().columns);
  const height = options.height ?? (() => size().rows);
  let drawnLines = 0;
  let lastFormat: ((columns: number, rows: number) => string[]) | null = null;
  let lastDrawing = -Infinity;
  const write = createWriter(stream);
  const up = () => drawnLines > 0 ? `\x1b[${drawnLines}A\r` : "";
  const redraw = (above = "") => {
    if (lastFormat === null) return write(above);
    const [columns, rows] = [width() - 1, height() - 1];
    const lines = lastFormat(columns, rows).slice(0, rows);
    write(
      up() + above + lines.map((line) => line.slice(0, columns) + CLEAR_REST + "\n").join("") + CLEAR_BELOW,
    );
    drawnLines = lines.length;
    lastDrawing = now();
  };
  return {
    interactive,
    draw(format, { now: atOnce = false } = {}) {
      if (!interactive) return;
      lastFormat = format;
      if (atOnce || now() - lastDrawing >= MILLISECONDS_BETWEEN_DRAWINGS) redraw();
    },
    print(text) {
      redraw(`${text}${interactive ? CLEAR_REST : ""}\n`);
    },
    leave() {
      if (lastFormat !== null) redraw();
      lastFormat = null;
      drawnLines = 0;
    },
  };
}
