/**
 * A class that was taught, as a JSON file: its name and the numbers that were learned. They say something to
 * the network alone that learned them, so the file also says which one that was.
 *
 * @module
 */
import * as z from "zod";
import { CLASS_NAME } from "../lib/data/dataset.ts";
import { InputError } from "../lib/support/errors.ts";
import { hash } from "../lib/support/random.ts";
import { parseJson } from "../lib/support/schema.ts";

/** A class and its numbers. */
export interface TaughtClass {
  name: string;
  /** Embedding `[128]`, or filter `[64]` where filters are stored. */
  numbers: Float32Array;
  /** {@linkcode identifyNetwork} of the network that learned it. */
  network: string;
}

const SCHEMA = z.strictObject({
  format: z.literal("dynamic-filters-class/1"),
  name: z.string().regex(CLASS_NAME, "must be the name of a class"),
  network: z.string(),
  numbers: z.array(z.number()).min(1),
});

/** Identifies a network by the filter of its first class, which teaching leaves as it is. */
export function identifyNetwork(filters: Float32Array): string {
  const rounded = Array.from(filters.subarray(0, 64), (value) => Math.round(1000 * value));
  return hash(...rounded).toString(16).padStart(8, "0");
}

/** Formats a class as JSON. */
export function formatTaughtClass({ name, network, numbers }: TaughtClass): string {
  return JSON.stringify({ format: "dynamic-filters-class/1", name, network, numbers: [...numbers] }) + "\n";
}

/**
 * Parses a class.
 *
 * @param network {@linkcode identifyNetwork} of the network that is to have it.
 * @param label Name of the file in errors.
 * @throws {InputError} If it is not such a file, or another network learned it.
 */
export function parseTaughtClass(json: string, network: string, label: string): TaughtClass {
  const read = parseJson(SCHEMA, json, label);
  if (read.network !== network) {
    throw new InputError({
      what: `load the class of ${label}`,
      why: "another network learned it, and its numbers say nothing to this one",
      next: [{ advice: "open that network first" }],
    });
  }
  return { name: read.name, network, numbers: Float32Array.from(read.numbers) };
}
