import { relative } from "@std/path";

/** A stream that text is written to: `Deno.stderr`, or one that a test collects. */
export interface TextStream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Size of a terminal in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** Tells whether lines can be redrawn on a stream. */
export function isInteractive(stream: TextStream): boolean {
  return stream.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** Asks for the terminal's size; 80 by 24 where a terminal has none. */
export function consoleSize(): TerminalSize {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}

/** Columns for tables and text on a stream: its terminal's, at least 40; 80 where it is none. */
export function outputWidth(stream: Pick<TextStream, "isTerminal"> = Deno.stdout): number {
  return stream.isTerminal() ? Math.max(40, consoleSize().columns) : 80;
}

/** Replaces non-breaking spaces, which have done their work once text is wrapped. */
export function plainSpaces(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

/** Failures of an output that must not end a training: nobody reads it any more, or its disk is full. */
const LOST_OUTPUT = ["EPIPE", "EIO", "ENOSPC"];

/** Writes text as long as that is possible. */
export function createWriter(stream: TextStream): (text: string) => void {
  const encoder = new TextEncoder();
  return (text) => {
    let bytes = encoder.encode(plainSpaces(text));
    try {
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const isOverQuota = message.includes("os error 122"); // for which Deno has no code
      if (!LOST_OUTPUT.includes(code ?? "") && !isOverQuota) throw error;
    }
  };
}

/** Shortens a path for the terminal: relative to the current folder where it lies within it. */
export function showPath(path: string): string {
  const inside = relative(Deno.cwd(), path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}

/** Quotes an argument for a shell where that needs it. */
export function quoteShell(argument: string): string {
  return /^[\w./:@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
