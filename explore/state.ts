/**
 * What the page shows, pictures aside, and its place in the address: the fragment after #.
 *
 * @module
 */
import { CLASS_NAMES } from "../lib/data/dataset.ts";
import { MAP_SIZE } from "../lib/model/spec.ts";

/** The panels below the overview. */
export const PANELS = ["cell", "generate", "hide", "teach"] as const;

/** One of {@linkcode PANELS}. */
export type Panel = typeof PANELS[number];

/** A cell of a class's map. */
export interface Cell {
  label: number;
  row: number;
  column: number;
}

/** State of the page. */
export interface State {
  panel: Panel;
  /** Number of the example picture; kept while a picture of one's own is shown. */
  example: number;
  /** What the maps show: responses, or evidence for a class. */
  map: "response" | "evidence";
  /** Order of the scores. */
  order: "sorted" | "fixed";
  /** The cell that is asked. */
  cell: Cell;
  /** Classes at the corners of the generator's triangle. */
  corners: readonly [number, number, number];
  /** Shares of the second and the third corner in the mixture, 0–1; the first has the rest. */
  mixture: readonly [number, number];
  /** Hidden cells of the picture `[64]`, 1 where hidden. */
  hidden: Uint8Array;
}

const CELLS = MAP_SIZE * MAP_SIZE;

/** Creates the state of a page that is opened without one in its address. */
export function initialState(): State {
  return {
    panel: "cell",
    example: 0,
    map: "response",
    order: "sorted",
    cell: { label: 8, row: 4, column: 4 }, // the ship of the first example
    corners: [8, 0, 9],
    mixture: [0.5, 0],
    hidden: new Uint8Array(CELLS),
  };
}

/** Formats the state as a fragment without its #; what is as at the start is left out. */
export function formatState(state: State): string {
  const fields = fieldsOf(state);
  const initial = fieldsOf(initialState());
  return Object.entries(fields)
    .filter(([name, value]) => value !== initial[name])
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function fieldsOf({ panel, example, map, order, cell, corners, mixture, hidden }: State) {
  const fields: Record<string, string> = {
    panel,
    example: String(example + 1),
    map,
    order,
    cell: [cell.label, cell.row, cell.column].join("."),
    corners: corners.join("."),
    mixture: mixture.map((share) => Math.round(100 * share)).join("."),
    hidden: formatCells(hidden),
  };
  return fields;
}

/**
 * Reads a state from a fragment. People edit and cut addresses: what cannot be read is as at the start.
 *
 * @param classes Number of the network's classes.
 */
export function parseState(fragment: string, classes: number = CLASS_NAMES.length): State {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const initial = initialState();
  const choose = <T extends string>(name: string, values: readonly T[], otherwise: T): T =>
    values.find((value) => value === fields.get(name)) ?? otherwise;
  const numbers = (name: string, limits: readonly number[]): number[] | null => {
    const parts = fields.get(name)?.split(".").map(Number) ?? [];
    const areValid = parts.length === limits.length &&
      parts.every((part, index) => Number.isInteger(part) && part >= 0 && part < limits[index]);
    return areValid ? parts : null;
  };
  const label = (wanted: number) => Math.min(wanted, classes - 1);
  const example = numbers("example", [7])?.[0] ?? 1;
  const cell = numbers("cell", [classes, MAP_SIZE, MAP_SIZE]);
  const [one, two, three] = numbers("corners", [classes, classes, classes]) ?? initial.corners.map(label);
  const shares = numbers("mixture", [101, 101]) ?? [50, 0];
  return {
    panel: choose("panel", PANELS, initial.panel),
    example: Math.max(0, example - 1),
    map: choose("map", ["response", "evidence"], initial.map),
    order: choose("order", ["sorted", "fixed"], initial.order),
    cell: cell === null
      ? { ...initial.cell, label: label(initial.cell.label) }
      : { label: cell[0], row: cell[1], column: cell[2] },
    corners: [one, two, three],
    mixture: shares[0] + shares[1] <= 100 ? [shares[0] / 100, shares[1] / 100] : initial.mixture,
    hidden: parseCells(fields.get("hidden") ?? ""),
  };
}

/** Writes 64 marks as 16 hexadecimal digits. */
function formatCells(cells: Uint8Array): string {
  return Array.from(
    { length: CELLS / 4 },
    (_, at) => parseInt(cells.subarray(4 * at, 4 * at + 4).join(""), 2).toString(16),
  ).join("");
}

function parseCells(text: string): Uint8Array {
  if (!/^[0-9a-f]{16}$/.test(text)) return new Uint8Array(CELLS);
  return Uint8Array.from(
    [...text].flatMap((digit) => [...parseInt(digit, 16).toString(2).padStart(4, "0")].map(Number)),
  );
}
