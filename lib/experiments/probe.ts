import { join } from "@std/path";
import { writeFileAtomically } from "../support/files.ts";
import { createSynthetic } from "../data/synthetic.ts";
import { resolveConfig } from "../training/config.ts";
import { train } from "../training/train.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { CODE_PARTS, type CodeVersion, readCodeVersion } from "./provenance.ts";
import { publishedResultsFolder } from "./results.ts";

/** What a version of the code makes of a few steps of each experiment: losses in training and test, epoch by epoch. */
export interface Probe {
  code: CodeVersion;
  losses: Record<string, number[]>;
}

const TOLERANCE = 1e-5; // rounding, as of another number of threads
const FILE = "probes.json";

/**
 * Trains each experiment for two epochs of a hundred drawn images and notes the losses. Versions of the code whose losses agree train alike,
 * whatever else was changed in the sources: results of one are results of the other.
 */
export async function probeTraining(): Promise<Probe> {
  const datasets = createSynthetic({ trainSize: 100, testSize: 50 });
  const losses: Record<string, number[]> = {};
  const runsFolder = await Deno.makeTempDir();
  try {
    for (const { name, network } of EXPERIMENTS) {
      const flags = { ...network, run: name, epochs: 2, batchSize: 16, weights: "random", data: "synthetic" };
      const { history } = await train(resolveConfig({ flags }), { datasets, runsFolder });
      losses[name] = history.flatMap(({ trainLoss, testLoss }) => [trainLoss, testLoss]);
    }
  } finally {
    await Deno.remove(runsFolder, { recursive: true });
  }
  return { code: await readCodeVersion(), losses };
}

/** Whether two versions of the code train alike. */
export function trainAlike(one: Probe, other: Probe): boolean {
  const names = new Set([...Object.keys(one.losses), ...Object.keys(other.losses)]);
  return [...names].every((name) => {
    const [a, b] = [one.losses[name], other.losses[name]];
    return a !== undefined && b !== undefined && a.length === b.length &&
      a.every((loss, index) => Math.abs(loss - b[index]) <= TOLERANCE * Math.abs(b[index]));
  });
}

/** Whether two versions have the same sources. */
export function isSameCode(one: CodeVersion, other: CodeVersion): boolean {
  return CODE_PARTS.every((part) => one[part] === other[part]);
}

/** Reads the probes that are committed with the results; none where there is no such file. */
export function readProbes(folder = publishedResultsFolder()): Probe[] {
  try {
    return JSON.parse(Deno.readTextFileSync(join(folder, FILE)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Adds a probe to those committed with the results, in place of an older one of the same sources. */
export function writeProbe(probe: Probe, folder = publishedResultsFolder()): void {
  const others = readProbes(folder).filter(({ code }) => !isSameCode(code, probe.code));
  const text = JSON.stringify([...others, probe], null, 2) + "\n";
  writeFileAtomically(join(folder, FILE), new TextEncoder().encode(text));
}
