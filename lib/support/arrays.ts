/** A matrix of numbers: nested rows, or flat values in row-major order, as a tensor's data. */
export type Matrix = ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/**
 * Splits a matrix into rows.
 *
 * @param rows Expected number of rows.
 * @throws {RangeError} If the values cannot be split into this many rows of equal length.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(toRows([1, 2, 3, 4], 2), [[1, 2], [3, 4]]);
 * ```
 */
export function toRows(matrix: Matrix, rows: number): number[][] {
  const nested = typeof matrix[0] !== "number";
  const columns = nested ? (matrix as ArrayLike<ArrayLike<number>>)[0]?.length : matrix.length / rows;
  const result = Array.from(
    { length: rows },
    (_, row) =>
      nested
        ? Array.from((matrix as ArrayLike<ArrayLike<number>>)[row] ?? [])
        : Array.from({ length: columns }, (_, column) =>
          (matrix as ArrayLike<number>)[row * columns + column]),
  );
  if (
    !Number.isInteger(columns) || result.some((row) => row.length !== columns) ||
    (nested && matrix.length !== rows)
  ) {
    throw new RangeError(
      `Cannot read ${matrix.length} ${nested ? "rows" : "values"} as ${rows} rows of one length.`,
    );
  }
  return result;
}

/** Splits flat values into `count` rows of one length, which are views. */
export function splitRows<T extends Float32Array | Uint8Array>(values: T, count: number): T[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, row) => values.subarray(row * length, (row + 1) * length) as T);
}

/**
 * Concatenates arrays.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(joinBytes([Uint8Array.of(1, 2), Uint8Array.of(3)]), Uint8Array.of(1, 2, 3));
 * assert.deepEqual(splitRows(joinArrays([Float32Array.of(1, 2)]), 2), [Float32Array.of(1), Float32Array.of(2)]);
 * ```
 */
export function joinArrays(parts: readonly Float32Array[]): Float32Array {
  return fill(new Float32Array(totalLength(parts)), parts);
}

/** The same for bytes. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return fill(new Uint8Array(totalLength(parts)), parts);
}

function totalLength(parts: readonly ArrayLike<number>[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function fill<T extends Float32Array | Uint8Array>(joined: T, parts: readonly T[]): T {
  let filled = 0;
  for (const part of parts) {
    joined.set(part, filled);
    filled += part.length;
  }
  return joined;
}
