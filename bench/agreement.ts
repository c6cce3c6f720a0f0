/**
 * Whether two systems compute the same gradients: the bench refuses to compare speeds of different things.
 *
 * @module
 */
import { InputError } from "../lib/support/errors.ts";
import type { StoredTensor } from "../lib/support/safetensors.ts";
import { quantile } from "./statistics.ts";

/** How far one form's gradients lie from another's. */
export interface Agreement {
  row: string;
  /** The row it was compared with. */
  reference: string;
  /** ‖g − g₀‖ / ‖g₀‖ over all parameters together, a batch each. */
  distances: number[];
  /** What their median may be. */
  limit: number;
}

/** What the median over batches may be: float32's rounding, ten times over. */
export const LIMIT = 1e-5;

/** A single batch may lie so far away: one ReLU that rounding turned over. */
export const TURNED = 2e-2;

/**
 * ‖g − g₀‖ / ‖g₀‖ over all tensors together.
 *
 * @throws {Error} If they have not the same names and sizes.
 */
export function gradientDistance(
  gradients: ReadonlyMap<string, StoredTensor>,
  reference: ReadonlyMap<string, StoredTensor>,
): number {
  const names = [...reference.keys()];
  if (gradients.size !== names.length) {
    throw new Error(`There are gradients of ${gradients.size} tensors here and of ${names.length} there.`);
  }
  let [apart, length] = [0, 0];
  for (const name of names) {
    const [one, other] = [
      gradients.get(name)?.data as Float32Array,
      reference.get(name)!.data as Float32Array,
    ];
    if (one?.length !== other.length) {
      throw new Error(`The gradient of ${name} has another size, or is missing.`);
    }
    for (let at = 0; at < other.length; at++) {
      apart += (one[at] - other[at]) ** 2;
      length += other[at] ** 2;
    }
  }
  return Math.sqrt(apart / length);
}

/**
 * Refuses to go on if gradients disagree.
 *
 * @throws {InputError} naming the first that does.
 */
export function requireAgreement(agreements: readonly Agreement[]): void {
  for (const { row, reference, distances, limit } of agreements) {
    const median = quantile(distances, 0.5);
    const worst = Math.max(...distances);
    // written so that NaN is refused
    if (median <= limit && worst <= TURNED) continue;
    throw new InputError(
      `Cannot compare ${row} with ${reference}: their gradients differ by ${
        median.toExponential(1)
      } of their length ` +
        `(${
          worst.toExponential(1)
        } in the worst of ${distances.length} batches), and ${limit} would be rounding. They do not ` +
        "compute the same, so nothing is reported.",
    );
  }
}
