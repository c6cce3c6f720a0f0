/**
 * Figures: plain data in; an SVG document with title, caption and alternative text out.
 *
 * @example
 * ```ts
 * import { confusionMatrix } from "./mod.ts";
 * const { svg, title } = confusionMatrix([[8, 2], [1, 9]], { names: ["cat", "dog"], title: "Cats and dogs" });
 * console.assert(svg.startsWith("<svg xmlns=") && title === "Cats and dogs");
 * ```
 *
 * @module
 */
export * from "./bench_bars.ts";
export * from "./blend_maps.ts";
export * from "./cell_maps.ts";
export * from "./confusion_matrix.ts";
export * from "./contact_sheet.ts";
export * from "./deletion_insertion.ts";
export * from "./drift_bars.ts";
export * from "./filters_heat_map.ts";
export * from "./network_diagram.ts";
export * from "./per_class_accuracy.ts";
export * from "./pointing_maps.ts";
export * from "./response_maps.ts";
export * from "./similarity.ts";
export * from "./svg_to_png.ts";
export * from "./training_curves.ts";
export * from "./variant_comparison.ts";
export type { ColourMap } from "./colours.ts";
export type { Matrix } from "../support/format.ts";
export type { Interpolation } from "./raster.ts";
export { type MeanInterval, meanInterval, wilsonInterval } from "../support/statistics.ts";
export type { Figure } from "./figure.ts";
export type { FigureOptions } from "./style.ts";
