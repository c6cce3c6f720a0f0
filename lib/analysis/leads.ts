/**
 * Leads: what something has more than the classes that have no part in it, on average, on the same image. The softmax sees differences only,
 * so a score by itself says nothing.
 *
 * @module
 */
import { CLASSES } from "../model/spec.ts";
import { MAP_CELLS } from "./scorer.ts";

/**
 * What some scores of each image are above the mean score of the classes not named.
 *
 * @param rows Scores of whatever is judged, a row an image.
 * @param scores The ten classes' scores of the same images, `[N,10]`.
 * @param parts The classes that have a part in it.
 */
export function leadScores(
  rows: readonly (readonly number[])[],
  scores: Float32Array,
  parts: readonly number[],
): number[][] {
  const others = otherClasses(parts);
  return rows.map((row, image) => {
    const mean = others.reduce((sum, label) => sum + scores[image * CLASSES + label], 0) / others.length;
    return row.map((score) => score - mean);
  });
}

/**
 * The same for maps, cell by cell.
 *
 * @param maps Maps of whatever is judged, `[N,K,8,8]`.
 * @param classMaps The ten classes' maps of the same images, `[N,10,8,8]`.
 */
export function leadMaps(
  maps: Float32Array,
  classMaps: Float32Array,
  parts: readonly number[],
): Float32Array {
  const others = otherClasses(parts);
  const images = classMaps.length / (CLASSES * MAP_CELLS);
  const perImage = maps.length / images;
  return maps.map((value, at) => {
    const start = Math.floor(at / perImage) * CLASSES * MAP_CELLS + at % MAP_CELLS;
    const sum = others.reduce((sum, label) => sum + classMaps[start + label * MAP_CELLS], 0);
    return value - sum / others.length;
  });
}

function otherClasses(parts: readonly number[]): number[] {
  return Array.from({ length: CLASSES }, (_, label) => label).filter((label) => !parts.includes(label));
}
