/** Arimo (Open Font License), the font all figures are laid out and drawn with. It has Arial's metrics. */
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import opentype from "opentype.js";
import { InputError } from "../support/errors.ts";
import { readFileBounded } from "../support/files.ts";
import { FONT_SIZE } from "./style.ts";

/** Weight of a piece of text. */
export type FontWeight = "regular" | "bold";

/** The part of opentype.js, which has no types, that is used here. */
interface Font {
  getAdvanceWidth(text: string, fontSize: number): number;
  charToGlyphIndex(character: string): number;
}

const fonts = new Map<FontWeight, Font>();
/** Widths at 1 px; the same few labels are measured again and again. */
const widths = new Map<string, number>();

/** The package's files with their SHA-256: a font that is cropped or another one draws boxes. */
const FILES = {
  regular: [
    "400Regular/Arimo_400Regular.ttf",
    "88cc899855d30f9c779b73c3319d0e077b098f927187aafce11ca029add707a6",
  ],
  bold: ["700Bold/Arimo_700Bold.ttf", "ec96ac9fdd94766f66f6140c1375bf011577558f88d43f76b3b59307d2a6bca3"],
};

/**
 * Paths of the font files, regular and bold. They are TrueType, since resvg and typst read neither WOFF nor
 * WOFF2, and draw no text on a machine without fonts. `typst --font-path` takes their folders.
 *
 * @throws {InputError} If a file is missing or damaged.
 */
export function figureFonts(): string[] {
  return [readFont("regular").path, readFont("bold").path];
}

interface FontFile {
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const files = new Map<FontWeight, FontFile>();

function readFont(weight: FontWeight): FontFile {
  let file = files.get(weight);
  if (file === undefined) files.set(weight, file = openFont(weight, createRequire(import.meta.url).resolve));
  return file;
}

/** Reads and checks a font, whose path `resolve` finds. @throws {InputError} As {@linkcode figureFonts}. */
export function openFont(weight: FontWeight, resolve: (file: string) => string): FontFile {
  const [name, sha256] = FILES[weight];
  let why = "is missing in its package";
  try {
    const path = resolve(`@expo-google-fonts/arimo/${name}`);
    const bytes = readFileBounded(path, 10_000_000);
    if (createHash("sha256").update(bytes).digest("hex") === sha256) return { path, bytes };
    why = "is damaged";
  } catch (error) {
    if (!(error instanceof InputError) && (error as { code?: unknown }).code !== "MODULE_NOT_FOUND") {
      throw error;
    }
  }
  const next = [{ advice: "delete the folder node_modules, which is then made anew" }];
  throw new InputError({ what: "use the font Arimo", why: `${name} ${why}`, next });
}

/** Measures a line of text in pixels. */
export function textWidth(text: string, fontSize: number, weight: FontWeight = "regular"): number {
  const key = `${weight} ${text}`;
  let width = widths.get(key);
  if (width === undefined) widths.set(key, width = loadFont(weight).getAdvanceWidth(text, 1));
  return width * fontSize;
}

/** Lists the characters of a text that the font cannot draw: boxes stand for them in a PNG. */
export function missingCharacters(text: string): string[] {
  return [...new Set(text)].filter((character) =>
    /\S/.test(character) && loadFont("regular").charToGlyphIndex(character) === 0
  );
}

function loadFont(weight: FontWeight): Font {
  let font = fonts.get(weight);
  if (font === undefined) {
    fonts.set(weight, font = opentype.parse(readFont(weight).bytes.buffer) as Font);
  }
  return font;
}

/** Width of the widest of some lines, in pixels; 0 for none. */
export function widestOf(lines: readonly string[], fontSize: number, weight?: FontWeight): number {
  return Math.max(0, ...lines.map((line) => textWidth(line, fontSize, weight)));
}

/** Shrinks a font size until the text is no wider than `maximum` pixels, or cannot be smaller. */
export function fitFontSize(text: string, fontSize: number, maximum: number, weight?: FontWeight): number {
  const fitting = fontSize * maximum / textWidth(text, fontSize, weight);
  return Math.min(fontSize, Math.max(FONT_SIZE.small, fitting));
}

/** Breaks text between words into lines of at most `maximum` pixels; a longer word gets its own line. */
export function wrapText(text: string, maximum: number, fontSize: number, weight?: FontWeight): string[] {
  const lines: string[] = [];
  for (const word of text.split(/ +/)) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, fontSize, weight) <= maximum) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
