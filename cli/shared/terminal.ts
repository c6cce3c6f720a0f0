import { relative } from "@std/path";
import { explainSystemError, systemErrorName } from "../../lib/support/system_errors.ts";

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

/** Control characters, and marks that change the direction of text; tabs and line ends may stay. */
const CONTROLS = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu;
/** The colours and weights that this program prints itself. */
const STYLES = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[36m"];

/**
 * Escapes the control characters of names from files, `\u001b`, so that none of them acts on a terminal. In
 * JSON the escaped text means the same.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character, at: number) => {
    const isOwn = STYLES.some((style) => text.startsWith(style, at));
    return isOwn ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/**
 * Prints lines of a command's result on standard output.
 *
 * @throws {InputError} If they cannot be written; a closed pipe's error stays as it is.
 */
export function print(text: string): void {
  try {
    write(Deno.stdout, escapeControls(text) + "\n", 60_000);
  } catch (error) {
    throw explainSystemError(error, "print the result") ?? error;
  }
}

/** Prints a message on standard error, if that is possible. */
export function printMessage(text: string): void {
  createWriter(Deno.stderr, 1000)(escapeControls(text) + "\n");
}

/**
 * Creates a function that writes text if that is possible: a full disk or a closed terminal ends no training.
 *
 * @param patience Milliseconds to wait for a reader that is slow.
 */
export function createWriter(stream: TextStream, patience = 0): (text: string) => void {
  return (text) => {
    try {
      write(stream, plainSpaces(text), patience);
    } catch (error) {
      if (systemErrorName(error) === null) throw error;
    }
  };
}

/** Writes text; into a pipe that does not block, as soon as its reader has made room. */
function write(stream: TextStream, text: string, patience: number): void {
  let bytes = new TextEncoder().encode(text);
  for (let waited = 0; bytes.length > 0;) {
    try {
      bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      if (systemErrorName(error) !== "EAGAIN" || waited >= patience) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      waited += 10;
    }
  }
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
