import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { imageElement } from "./raster.ts";
import { type FigureOptions, FONT_SIZE, INK, MUTED, TRUE_COLOUR, WINNER_COLOUR } from "./style.ts";
import { element, text, translate } from "./svg.ts";
import { textWidth } from "./text_width.ts";

/** An image of a contact sheet. */
export interface SheetImage {
  /** Bytes `[32,32,3]`, red, green, blue. */
  image: ArrayLike<number>;
  /** The line under it, such as the class. */
  label?: string;
  /** A second, grey line. */
  note?: string;
  /** `"right"` frames it in blue, `"wrong"` in orange. */
  mark?: "right" | "wrong";
}

/** Options of {@linkcode contactSheet}. */
export interface ContactSheetOptions extends FigureOptions {
  /** Images in a row (default: as many as there are, ten at most). */
  columns?: number;
}

/**
 * Images in rows, each with what is to be said of it: a sample of the data, or of what the network gets wrong.
 *
 * @throws {RangeError} If there is no image.
 */
export function contactSheet(images: readonly SheetImage[], options: ContactSheetOptions = {}): Figure {
  if (images.length === 0) throw new RangeError("A contact sheet needs at least one image.");
  const columns = options.columns ?? Math.min(10, images.length);
  const gap = 10;
  const width = contentWidth(options);
  const size = Math.min(128, Math.floor((width - (columns - 1) * gap) / columns));
  const labelled = images.some((image) => image.label !== undefined);
  const noted = images.some((image) => image.note !== undefined);
  const step = size + (labelled ? 17 : 0) + (noted ? 14 : 0) + (labelled || noted ? 12 : gap);
  const tiles = images.map(({ image, label, note, mark }, index) => {
    const colour = mark === "wrong" ? WINNER_COLOUR : mark === "right" ? TRUE_COLOUR : undefined;
    const frame = colour
      ? element("rect", {
        x: -1.75,
        y: -1.75,
        width: size + 3.5,
        height: size + 3.5,
        rx: 1,
        fill: "none",
        stroke: colour,
        "stroke-width": 2.25,
      })
      : "";
    const line = (
      content: string | undefined,
      y: number,
      most: number,
      fill: string,
      weight: "regular" | "bold",
    ) =>
      content === undefined ? "" : text(content, size / 2, y, {
        size: Math.min(most, most * (size + gap - 3) / textWidth(content, most, weight)),
        weight,
        fill,
        anchor: "middle",
      });
    return translate(
      (index % columns) * (size + gap),
      2 + Math.floor(index / columns) * step,
      imageElement(image, { x: 0, y: 0, width: size, height: size }) + frame +
        line(label, size + 15, FONT_SIZE.tick, colour ?? INK, "bold") +
        line(note, size + (labelled ? 29 : 15), FONT_SIZE.small, MUTED, "regular"),
    );
  }).join("");
  return composeFigure({
    markup: tiles,
    height: Math.ceil(images.length / columns) * step - (labelled || noted ? 10 : gap - 4),
    description: `${images.length} images` +
      (labelled ? `: ${images.map((image) => image.label ?? "").join(", ")}.` : "."),
  }, options);
}
