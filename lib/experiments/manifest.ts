/** Sweeps: a comparison that several hosts share, by the file `manifest.jsonl` in the folder of its runs. */
import { join } from "@std/path";
import { z } from "zod";
import type { DataIdentity } from "../data/identify.ts";
import { InputError } from "../support/errors.ts";
import { exists, readText } from "../support/files.ts";
import { integer, parseJson, plainText, text } from "../support/schema.ts";
import { makeFolder, writeText } from "../support/write_files.ts";
import { resolveConfig } from "../training/config.ts";
import { EXPERIMENTS } from "./experiments.ts";
import type { PlannedRun } from "./plan.ts";
import { hashValue } from "./provenance.ts";
import { recipeOf } from "./results.ts";
import { DATA_IDENTITY } from "./runs.ts";

/** A run with all that its result depends on. */
export interface SweepRun extends PlannedRun {
  /** Hash of all below but the paths of data and weights and the device. */
  id: string;
  /** Of the code that planned it; null outside a checkout. */
  commit: string | null;
  data: DataIdentity;
  /** Name of the backbone's initial weights. */
  weights: string;
  /** Within an operation: another number changes the last bits. */
  threads: number;
}

const MANIFEST_LINE = z.strictObject({
  id: plainText(64),
  experiment: plainText(),
  seed: integer({ from: 0 }),
  commit: text(/^[0-9a-f]{7,64}$/, "a commit of git").nullable(),
  data: DATA_IDENTITY,
  weights: plainText(),
  threads: integer({ from: 1 }),
  config: z.record(plainText(60), z.unknown()),
});

/** Adds to a planned run what its result depends on. */
export async function describeRun(
  { experiment, seed, config }: PlannedRun,
  { commit, data, weights, threads }: Pick<SweepRun, "commit" | "data" | "weights" | "threads">,
): Promise<SweepRun> {
  const run = { experiment, seed, commit, data, weights, threads, config };
  return { id: await identify(run), ...run };
}

/** Hashes all that a run's result depends on. */
async function identify({ experiment, seed, commit, data, weights, threads, config }: Omit<SweepRun, "id">) {
  const content = { experiment: experiment.name, seed, commit, data, weights, threads };
  return await hashValue({ ...content, recipe: recipeOf(config) });
}

/**
 * Writes a sweep's manifest. Runs that a manifest in the folder has already keep their places, and the others
 * follow them.
 *
 * @returns All runs of the manifest.
 * @throws {InputError} If it has a run of the same name with another recipe, data, weights or code.
 */
export async function writeManifest(folder: string, runs: readonly SweepRun[]): Promise<SweepRun[]> {
  const all = hasManifest(folder) ? await readManifest(folder) : [];
  for (const run of runs) {
    const planned = all.find(({ config }) => config.run === run.config.run);
    if (planned === undefined) all.push(run);
    else if (planned.id !== run.id) throw refuse(folder, planned, run);
  }
  makeFolder(folder);
  const lines = all.map(({ id, experiment: { name }, ...rest }) =>
    JSON.stringify({ id, experiment: name, ...rest }) + "\n"
  );
  writeText(manifestOf(folder), lines.join(""));
  return all;
}

function refuse(folder: string, planned: SweepRun, wanted: SweepRun): InputError {
  const keys = ["commit", "data", "weights", "threads"] as const;
  const differing = keys.filter((key) => JSON.stringify(planned[key]) !== JSON.stringify(wanted[key]));
  return new InputError({
    what: `plan ${wanted.config.run} in ${folder}`,
    why: `it is planned there with ${
      differing.length === 0
        ? "another recipe"
        : differing.map((key) => `${key} ${show(planned[key])}`).join(", ")
    }`,
    next: [{ advice: "choose another folder" }],
  });
}

function show(value: string | number | DataIdentity | null): string {
  return typeof value === "object" && value !== null
    ? `${value.name} (fingerprint ${value.fingerprint})`
    : `${value}`;
}

/** Reads a sweep's manifest. @throws {InputError} If there is none, or it is damaged or was edited. */
export async function readManifest(folder: string): Promise<SweepRun[]> {
  const path = manifestOf(folder);
  const lines = readText(path).split("\n").filter(Boolean);
  return await Promise.all(lines.map(async (line, index): Promise<SweepRun> => {
    const what = `run ${index} of ${path}`;
    const { experiment: name, config: given, ...rest } = parseJson(MANIFEST_LINE, line, what);
    const experiment = EXPERIMENTS.find((one) => one.name === name);
    if (experiment === undefined) {
      throw new InputError({ what: `read ${what}`, why: `there is no experiment ${name}` });
    }
    const run = { ...rest, experiment, config: resolveConfig({ base: given }) };
    if (await identify(run) === run.id) return run;
    throw new InputError({
      what: `read ${what}`,
      why: "it was changed after it was written, since its hash is another",
    });
  }));
}

/** Tells whether a folder has a sweep's manifest. */
export function hasManifest(folder: string): boolean {
  return exists(manifestOf(folder));
}

function manifestOf(folder: string): string {
  return join(folder, "manifest.jsonl");
}
