/**
 * Figures: plain data in, an SVG document with its title, caption and alternative text out.
 *
 * @example
 * ```ts
 * import { confusionMatrix } from "./mod.ts";
 * const { svg, alt } = confusionMatrix([[8, 2], [1, 9]], { names: ["cat", "dog"], title: "Cats and dogs" });
 * console.assert(svg.startsWith("<svg xmlns="));
 * console.log(alt);
 * ```
 *
 * @module
 */
export * from "./bars.ts";
export * from "./few_images.ts";
export type { Figure } from "./figure.ts";
export { figureFonts, missingCharacters } from "./fonts.ts";
export * from "./heat_map.ts";
export * from "./network_diagram.ts";
export * from "./reliability.ts";
export * from "./response_maps.ts";
export * from "./step_losses.ts";
export * from "./svg_to_png.ts";
export { cellMaps, contactSheet, pointingMaps } from "./tile_grid.ts";
export type { CellMap, ContactSheetOptions, PointingExample, SheetImage } from "./tile_grid.ts";
export * from "./training_curves.ts";
export * from "./variant_comparison.ts";
export type { Matrix } from "../support/arrays.ts";
export type { MeanInterval } from "../support/statistics.ts";
export type { FigureOptions } from "./style.ts";
