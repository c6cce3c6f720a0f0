import { colourBar, colourDomain } from "./colour_bar.ts";
import type { ColourMap } from "./colours.ts";
import { composeFigure, contentWidth, type Figure } from "./figure.ts";
import { mapElement } from "./raster.ts";
import type { FigureOptions } from "./style.ts";
import { text, translate } from "./svg.ts";

/** A map of the network's cells, with a colour scale of its own. */
export interface CellMap {
  /** What it is. */
  title: string;
  /** `[height·width]`; square. */
  values: ArrayLike<number>;
  /** What is measured, and in which unit. */
  measure: string;
  /** The values at the ends of its colours (default: its own, about zero alike on both sides where the colours diverge). */
  domain?: readonly [number, number];
}

/** Options of {@linkcode cellMaps}. */
export interface CellMapsOptions extends FigureOptions {
  /** The maps' colours (default `"diverging"`: blue below zero, orange above). */
  colours?: ColourMap;
}

/**
 * Maps of the network's cells side by side, each with its own scale: means over many images, say.
 *
 * @throws {RangeError} If there is no map, or one is not square.
 */
export function cellMaps(maps: readonly CellMap[], options: CellMapsOptions = {}): Figure {
  if (maps.length === 0) throw new RangeError("A figure of cells needs at least one map.");
  const { colours = "diverging" } = options;
  const width = contentWidth(options);
  const gap = 32;
  const size = Math.min(240, Math.floor((width - (maps.length - 1) * gap) / maps.length));
  const markup = maps.map(({ title, values, measure, ...map }, index) => {
    const side = Math.sqrt(values.length);
    if (!Number.isInteger(side)) throw new RangeError(`${values.length} values do not make a square map.`);
    const domain = map.domain ?? colourDomain(Array.from(values), colours);
    return translate(
      index * (size + gap),
      0,
      text(title, 0, 11, { weight: "bold" }) +
        mapElement(values, side, side, { x: 0, y: 22, width: size, height: size }, { domain, colours }) +
        translate(0, size + 34, colourBar(size, { colours, domain, label: measure })),
    );
  }).join("");
  return composeFigure({
    markup,
    height: size + 74,
    description: `${maps.map(({ title }) => title).join(", ")}: maps of the network's cells.`,
  }, options);
}
