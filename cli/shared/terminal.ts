/** Where live lines are drawn: `Deno.stderr`, or what a test collects. */
export interface LineStream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Live lines are drawn anew at most this often. */
export const MILLISECONDS_BETWEEN_DRAWINGS = 100;

/** Clears what is right of the cursor. */
export const CLEAR_REST = "\x1b[K";

/** Whether lines can be drawn over again there. */
export function isInteractive(stream: LineStream): boolean {
  return stream.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** The terminal's size; 80 by 24 for a stream that says it is a terminal and has none. */
export function consoleSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}

/** Writes text until nobody reads it any more: a closed terminal must not end the work that is reported on. */
export function createWriter(stream: LineStream): (text: string) => void {
  const encoder = new TextEncoder();
  let isOpen = true;
  return (text) => {
    let bytes = encoder.encode(text);
    try {
      while (isOpen && bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== "EPIPE" && code !== "EIO") throw error;
      isOpen = false;
    }
  };
}
