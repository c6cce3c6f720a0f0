import { Resvg } from "@resvg/resvg-js";
import { figureFonts } from "./fonts.ts";

/** Options of {@linkcode svgToPng}. */
export interface SvgToPngOptions {
  /** Pixels of the PNG per pixel of the SVG. @default 2 */
  scale?: number;
}

/**
 * Renders an SVG document as a PNG file, with the project's own font only: the same on every machine.
 *
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
