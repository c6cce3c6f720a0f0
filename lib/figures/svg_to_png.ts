import { Resvg } from "@resvg/resvg-js";
import { createRequire } from "node:module";

/** How an SVG becomes pixels. */
export interface SvgToPngOptions {
  /** Pixels of the picture for one pixel of the figure (default 2, sharp on today's screens). */
  scale?: number;
}

/**
 * The font files the figures are drawn with: Arimo, regular and bold.
 *
 * resvg and typst draw no text, or text of another width, on a machine without fonts. Arimo has Arial's widths, which
 * the layouts are computed with, and comes as TrueType (they read neither WOFF nor WOFF2) under the Open Font License.
 *
 * @returns Their paths; a folder of them is what `typst --font-path` takes.
 */
export function figureFonts(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return ["400Regular/Arimo_400Regular.ttf", "700Bold/Arimo_700Bold.ttf"]
    .map((file) => resolve(`@expo-google-fonts/arimo/${file}`));
}

/**
 * Draws a figure as a PNG file.
 *
 * Only the project's own font is used, not the machine's, so the picture is the same everywhere.
 *
 * @param svg A complete SVG document.
 * @returns The bytes of a PNG file.
 * @throws If `svg` is not an SVG document.
 */
export function svgToPng(svg: string, { scale = 2 }: SvgToPngOptions = {}): Uint8Array {
  const resvg = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: figureFonts(),
      defaultFontFamily: "Arimo",
      sansSerifFamily: "Arimo",
    },
  });
  return new Uint8Array(resvg.render().asPng());
}
