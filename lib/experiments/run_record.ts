import { join } from "@std/path";
import { writeFileAtomically } from "../support/files.ts";
import { InputError } from "../support/errors.ts";
import type { CodeVersion, DataIdentity, Machine } from "./provenance.ts";

/** One process's work on a run: the first begins it, later ones go on with it. */
export interface Sitting {
  /** When it began, ISO 8601, UTC. */
  date: string;
  code: CodeVersion;
  machine: Machine;
  device: "cpu" | "gpu";
  /** Threads within an operation. */
  threads: number;
  /** Runs that were trained side by side; they share the machine, so its seconds are longer. */
  jobs: number;
  tensorflow: string;
}

/** What a comparison notes beside a run's history: `provenance.json` in its folder. */
export interface RunRecord {
  data: DataIdentity;
  sittings: Sitting[];
}

const FILE = "provenance.json";

/**
 * Reads what is noted on a run, or null if nothing is.
 *
 * @throws {InputError} If it is damaged.
 */
export function readRunRecord(runFolder: string): RunRecord | null {
  const path = join(runFolder, FILE);
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const record = JSON.parse(text) as RunRecord;
    if (typeof record.data.fingerprint === "string" && Array.isArray(record.sittings)) return record;
  } catch { /* the sentence below says it */ }
  throw new InputError(`Cannot read ${path}: it is damaged; delete the folder to train that run anew.`);
}

/** Notes a sitting. Only for a process that holds the run's lock. */
export function addSitting(runFolder: string, data: DataIdentity, sitting: Sitting): void {
  const sittings = readRunRecord(runFolder)?.sittings ?? [];
  const record: RunRecord = { data, sittings: [...sittings, sitting] };
  const text = JSON.stringify(record, null, 2) + "\n";
  writeFileAtomically(join(runFolder, FILE), new TextEncoder().encode(text));
}
