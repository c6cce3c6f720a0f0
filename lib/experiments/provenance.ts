/**
 * Provenance of a result: code, data and machine. Names and hashes, no paths and no host names, so that it
 * can be published.
 */
import os from "node:os";
import { z } from "zod";
import { hashBytes } from "../data/identify.ts";
import { InputError } from "../support/errors.ts";
import { toPlainText } from "../support/format.ts";
import { startProcess } from "../support/processes.ts";
import { projectFolder } from "../support/project.ts";
import { integer, number, plainText } from "../support/schema.ts";

/** Schema of the hardware and system of a result: `memory` in GB, `gpu` if it was used. */
export const MACHINE = z.object({
  cpu: plainText(),
  cores: integer({ from: 0 }),
  memory: number({ from: 0 }),
  system: plainText(),
  gpu: plainText().optional(),
});

/** Hardware and system of a result. */
export type Machine = z.infer<typeof MACHINE>;

export async function describeMachine(device: "cpu" | "gpu"): Promise<Machine> {
  return {
    cpu: toPlainText(os.cpus()[0]?.model.trim() ?? "unknown"),
    cores: navigator.hardwareConcurrency,
    memory: Math.round(os.totalmem() / 1e9),
    system: `${Deno.build.os} ${Deno.build.arch}`,
    ...device === "gpu" ? { gpu: await readFirstLine("nvidia-smi", GPU_QUERY) ?? "unknown" } : {},
  };
}

const GPU_QUERY = ["--query-gpu=name", "--format=csv,noheader"];

/** Reads the git commit of this project; null outside a git checkout, or without git. */
export async function readCommit(): Promise<string | null> {
  return await readFirstLine("git", ["rev-parse", "HEAD"]);
}

/** Runs a program for the first line of its output; null where it is missing, fails or prints nothing. */
async function readFirstLine(command: string, args: string[]): Promise<string | null> {
  try {
    const { ended } = await startProcess(command, args, { cwd: projectFolder() });
    const { code, stdout } = await ended;
    return code === 0 ? stdout.split("\n")[0].trim() || null : null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** Formats a {@linkcode Machine} as one line. */
export function formatMachine({ cpu, cores, memory, system, gpu }: Machine): string {
  const processor = `${cpu}, ${cores} cores, ${memory} GB, ${system}`;
  return gpu === undefined ? processor : `${gpu}; ${processor}`;
}

/** Hashes a value's JSON, independent of the order of its keys. */
export async function hashValue(value: unknown): Promise<string> {
  return await hashBytes(new TextEncoder().encode(JSON.stringify(sortKeys(value))));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
