/** Arimo (Open Font License), the font all figures are laid out and drawn with. It has Arial's metrics. */
import { createRequire } from "node:module";
import opentype from "opentype.js";

/** Weight of a piece of text. */
export type FontWeight = "regular" | "bold";

/** The part of opentype.js, which has no types, that is used here. */
interface Font {
  getAdvanceWidth(text: string, fontSize: number): number;
}

const fonts = new Map<FontWeight, Font>();
/** Widths at 1 px; the same few labels are measured again and again. */
const widths = new Map<string, number>();

/**
 * Paths of the font files, regular and bold. They are TrueType, since resvg and typst read neither WOFF nor
 * WOFF2, and draw no text on a machine without fonts. `typst --font-path` takes their folders.
 */
export function figureFonts(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return ["400Regular/Arimo_400Regular.ttf", "700Bold/Arimo_700Bold.ttf"]
    .map((file) => resolve(`@expo-google-fonts/arimo/${file}`));
}

/** Measures a line of text in pixels. */
export function textWidth(text: string, fontSize: number, weight: FontWeight = "regular"): number {
  const key = `${weight} ${text}`;
  let width = widths.get(key);
  if (width === undefined) widths.set(key, width = loadFont(weight).getAdvanceWidth(text, 1));
  return width * fontSize;
}

function loadFont(weight: FontWeight): Font {
  let font = fonts.get(weight);
  if (font === undefined) {
    const bytes = Deno.readFileSync(figureFonts()[weight === "bold" ? 1 : 0]);
    fonts.set(weight, font = opentype.parse(bytes.buffer) as Font);
  }
  return font;
}

/** Width of the widest of some lines, in pixels; 0 for none. */
export function widestOf(lines: readonly string[], fontSize: number, weight?: FontWeight): number {
  return Math.max(0, ...lines.map((line) => textWidth(line, fontSize, weight)));
}

/** Shrinks a font size until the text is no wider than `maximum` pixels. */
export function fitFontSize(text: string, fontSize: number, maximum: number, weight?: FontWeight): number {
  return Math.min(fontSize, fontSize * maximum / textWidth(text, fontSize, weight));
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
