/** Gradient agreement: the benchmark refuses to compare the speed of different computations. */
import { join } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import { Interrupted } from "../lib/support/interrupt.ts";
import { readSafetensors, type StoredTensor } from "../lib/support/safetensors.ts";
import { type BenchContext, type Row, ROWS } from "./cases.ts";
import { quantile } from "./rounds.ts";

/** Distances between one row's gradients and the reference row's. */
export interface Agreement {
  row: string;
  reference: string;
  /** ‖g − g₀‖ / ‖g₀‖ over all parameters together, one per batch. */
  distances: number[];
  /** Largest median distance that passes. */
  limit: number;
}

/** Largest median over the batches: ten times float32's rounding. */
export const LIMIT = 1e-5;

/** … on a GPU, where convolutions round their inputs to TF32's 10 bits: 0.03 to 0.04 on an H200. */
export const GPU_LIMIT = 0.1;

/** Largest distance of a single batch: rounding may flip one ReLU. */
const SINGLE_LIMIT = 2e-2;

type Gradients = ReadonlyMap<string, StoredTensor>;

/** Inputs of {@linkcode compareGradients}. */
export interface CompareGradientsOptions {
  rows: readonly Row[];
  /** Safetensors files, one batch each. */
  batches: readonly string[];
  /** Folder for the gradients' file. */
  folder: string;
  /** Largest median distance that passes. */
  limit: number;
  signal: AbortSignal;
  onProgress(text: string): void;
}

/**
 * Compares the gradients of our rows, and of PyTorch as usually written, with those of tuned PyTorch.
 *
 * @throws {InputError} If they disagree.
 */
export async function compareGradients(
  { processOf }: Pick<BenchContext, "processOf">,
  { rows, batches, folder, limit, signal, onProgress }: CompareGradientsOptions,
): Promise<Agreement[]> {
  const reference = "best";
  const compute = async (row: Row, batch: string): Promise<Gradients> => {
    onProgress(`comparing gradients: ${ROWS[row].label}`);
    if (signal.aborted) throw new Interrupted("");
    const out = join(folder, "gradients.safetensors");
    await processOf(row).ask({ command: "gradients", form: row, batch, out });
    const { tensors } = await readSafetensors(out);
    return new Map([...tensors].filter(([name]) => name.startsWith("gradient.")));
  };
  const expected: Gradients[] = [];
  for (const batch of batches) expected.push(await compute(reference, batch));
  const agreements: Agreement[] = [];
  for (const row of rows.filter((row) => row === "usual" || ROWS[row].side === "own")) {
    const distances: number[] = [];
    for (const [at, batch] of batches.entries()) {
      distances.push(gradientDistance(await compute(row, batch), expected[at]));
    }
    agreements.push({ row, reference, distances, limit });
  }
  requireAgreement(agreements);
  return agreements;
}

/** Computes ‖g − g₀‖ / ‖g₀‖ over all tensors together. @throws {Error} If names or sizes differ. */
export function gradientDistance(gradients: Gradients, reference: Gradients): number {
  if (gradients.size !== reference.size) {
    throw new Error(`Cannot compare gradients of ${gradients.size} tensors with those of ${reference.size}.`);
  }
  let [difference, length] = [0, 0];
  for (const [name, { data }] of reference) {
    const [one, other] = [gradients.get(name)?.data as Float32Array, data as Float32Array];
    if (one?.length !== other.length) {
      throw new Error(`The gradient of ${name} is missing or has another size.`);
    }
    for (let at = 0; at < other.length; at++) {
      difference += (one[at] - other[at]) ** 2;
      length += other[at] ** 2;
    }
  }
  return Math.sqrt(difference / length);
}

/** Refuses gradients that disagree. @throws {InputError} Naming the first that does. */
export function requireAgreement(agreements: readonly Agreement[]): void {
  for (const { row, reference, distances, limit } of agreements) {
    const median = quantile(distances, 0.5);
    const worst = Math.max(...distances);
    if (median <= limit && worst <= Math.max(limit, SINGLE_LIMIT)) continue; // NaN fails both
    throw new InputError({
      what: `compare ${row} with ${reference}`,
      why: `their gradients differ by ${median.toExponential(1)} of their length ` +
        `(${
          worst.toExponential(1)
        } in the worst of ${distances.length} batches) where rounding explains ${limit}, ` +
        "so they do not compute the same thing, and nothing is reported",
    });
  }
}
