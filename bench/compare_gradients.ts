import { join } from "@std/path";
import { Interrupted } from "../lib/support/interrupt.ts";
import { readSafetensors, type StoredTensor } from "../lib/support/safetensors.ts";
import { type Agreement, gradientDistance, LIMIT, requireAgreement } from "./agreement.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { Arena } from "./columns.ts";
import { findForm } from "./forms.ts";
import type { Prepared } from "./protocol.ts";

/**
 * Compares the gradients of each of our rows, and of PyTorch as usually written, with those of PyTorch tuned.
 *
 * @throws {InputError} If they disagree.
 */
export async function compareGradients(
  { rows, onProgress, signal }: BenchOptions,
  { processOf }: Arena,
  { batches }: Prepared,
  folder: string,
): Promise<Agreement[]> {
  const reference = "best";
  const compute = async (row: string, batch: string): Promise<Map<string, StoredTensor>> => {
    onProgress(`comparing gradients: ${findForm(row).label}`);
    if (signal.aborted) throw new Interrupted("");
    const out = join(folder, "gradients.safetensors");
    await processOf(row).ask({ command: "gradients", form: row, batch, out });
    const { tensors } = await readSafetensors(out);
    return new Map([...tensors].filter(([name]) => name.startsWith("gradient.")));
  };
  const expected = [];
  for (const batch of batches) expected.push(await compute(reference, batch));
  const agreements: Agreement[] = [];
  for (const row of rows.filter((row) => row === "usual" || findForm(row).side === "own")) {
    const distances = [];
    for (const [at, batch] of batches.entries()) {
      distances.push(gradientDistance(await compute(row, batch), expected[at]));
    }
    agreements.push({ row, reference, distances, limit: LIMIT });
  }
  requireAgreement(agreements);
  return agreements;
}
