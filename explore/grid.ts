/** Pointing at cells of a map, by pointer and by keys. */
import { MAP_SIZE } from "../lib/model/spec.ts";

/** Place of a cell in a map. */
export interface Place {
  row: number;
  column: number;
}

const STEPS: Record<string, readonly [down: number, right: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Finds the cell under a pointer, or the nearest, of a map that fills an element. */
export function cellUnder({ clientX, clientY }: PointerEvent, element: Element): Place {
  const { left, top, width, height } = element.getBoundingClientRect();
  const place = (share: number) => within(Math.floor(share * MAP_SIZE));
  return { row: place((clientY - top) / height), column: place((clientX - left) / width) };
}

/** Finds the cell that an arrow key leads to, the same at the edge; null for another key. */
export function cellByArrow(key: string, { row, column }: Place): Place | null {
  const step = STEPS[key];
  return step === undefined ? null : { row: within(row + step[0]), column: within(column + step[1]) };
}

function within(at: number): number {
  return Math.max(0, Math.min(MAP_SIZE - 1, at));
}
