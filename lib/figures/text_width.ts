/** Advance widths of the characters U+0020 to U+007E in thousandths of the font size: Arial's, and Arimo's made to match. */
const WIDTHS = {
  // deno-fmt-ignore
  regular: [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556,
    556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ],
  // deno-fmt-ignore
  bold: [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611,
    611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
  ],
} as const;

/** Widths of the few other characters the figures use. */
const OTHER_WIDTHS: Readonly<Record<string, number>> = {
  "\u00a0": 278,
  "·": 333,
  "×": 584,
  "÷": 549,
  "±": 549,
  "–": 556,
  "−": 584,
  "→": 1000,
  "…": 1000,
};

/**
 * The width of a line of text in pixels, known without a font or a browser, so that a layout is the same everywhere.
 *
 * @param text One line; characters that are not in the table count as 0.6 of the font size.
 * @param fontSize In pixels.
 * @param weight `"bold"` for bold text.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(textWidth("ab", 10), 11.12);
 * ```
 */
export function textWidth(text: string, fontSize: number, weight: "regular" | "bold" = "regular"): number {
  let width = 0;
  for (const character of text) {
    width += WIDTHS[weight][character.charCodeAt(0) - 32] ?? OTHER_WIDTHS[character] ?? 600;
  }
  return width * fontSize / 1000;
}

/**
 * Breaks text between words into lines no wider than `maximum` pixels; a longer word stands alone on its line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(wrapText("one two three", 45, 10), ["one two", "three"]);
 * ```
 */
export function wrapText(
  text: string,
  maximum: number,
  fontSize: number,
  weight: "regular" | "bold" = "regular",
): string[] {
  const lines: string[] = [];
  for (const word of text.split(/ +/)) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length > 0 && textWidth(longer, fontSize, weight) <= maximum) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
