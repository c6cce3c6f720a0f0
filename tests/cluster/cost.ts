/**
 * `deno run -A tests/cluster/cost.ts`: what manifest, claims and collection cost per run, for runs that are
 * finished and so have nothing to train.
 *
 * @module
 */
import process from "node:process";
import { join } from "@std/path";
import { claimsOf, tryClaim } from "../../lib/experiments/claim.ts";
import { describeRun, readManifest, writeManifest } from "../../lib/experiments/manifest.ts";
import { type PlannedRun, planRuns } from "../../lib/experiments/plan.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { collectResults } from "../../lib/experiments/results.ts";
import type { SavedRun } from "../../lib/experiments/runs.ts";
import { inspectSweepRun } from "../../lib/experiments/sweep_status.ts";
import { formatComparison } from "../../lib/experiments/markdown.ts";
import { type Checkpoint, openCheckpoint, writeCheckpoint } from "../../lib/training/checkpoint.ts";
import { makeFolder } from "../../lib/support/write_files.ts";
import { runCommand } from "../testing/command.ts";

const SIZES = [100, 1000];

/** A step of a sweep's bookkeeping; it returns how many runs it did. */
type Step = [what: string, work: () => unknown];

async function main(): Promise<void> {
  const base = Deno.makeTempDirSync({ prefix: "dynamic_filters_cost_" });
  try {
    const { checkpoint, data } = await trainOne(base);
    console.log(
      `| milliseconds per run (of which processor) | ${SIZES.map((size) => `${size} runs`).join(" | ")} |`,
    );
    console.log(`| --- | ${SIZES.map(() => "---:").join(" | ")} |`);
    const rows = new Map<string, string[]>();
    for (const size of SIZES) {
      for (const [what, work] of makeSteps(join(base, String(size)), size, checkpoint, data)) {
        const [start, before] = [performance.now(), process.cpuUsage()];
        await work();
        const { user, system } = process.cpuUsage(before); // without that of a child
        const costs = [performance.now() - start, (user + system) / 1000].map((all) =>
          (all / size).toFixed(2)
        );
        if (!what.startsWith("(")) rows.set(what, [...rows.get(what) ?? [], `${costs[0]} (${costs[1]})`]);
      }
    }
    for (const [what, costs] of rows) console.log(`| ${what} | ${costs.join(" | ")} |`);
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
}

function makeSteps(folder: string, size: number, checkpoint: Checkpoint, fingerprint: string): Step[] {
  let planned: PlannedRun[] = [];
  const finished: (PlannedRun & { saved: SavedRun })[] = [];
  const facts = {
    commit: null,
    data: { name: checkpoint.recorded.data, fingerprint },
    weights: checkpoint.recorded.weights,
    threads: 1,
  };
  return [
    ["plan, and write the manifest", async () => {
      const { run: _run, seed: _seed, ...recipe } = checkpoint.config;
      const experiments = EXPERIMENTS.filter(({ name }) => name === "static-shared");
      const seeds = Array.from({ length: size }, (_, seed) => seed);
      planned = planRuns({ experiments, seeds, defaults: recipe });
      await writeManifest(folder, await Promise.all(planned.map((run) => describeRun(run, facts))));
    }],
    ["(make the runs)", () => planned.forEach(({ config }) => copyRun(folder, checkpoint, config))],
    ["read the manifest", () => readManifest(folder)],
    ["claim and release", () => {
      for (const { config } of planned) {
        const found = tryClaim(claimsOf(folder, config.run), { staleAfter: 180, log: () => {} });
        if (!("claim" in found)) throw new Error("held");
        found.claim.release("finished", 1);
        found.claim[Symbol.dispose]();
      }
    }],
    ["look at each run", async () => {
      for (const run of await readManifest(folder)) {
        finished.push({ ...run, saved: (await inspectSweepRun(run, folder)).saved! });
      }
    }],
    ["collect, and format the tables", async () => formatComparison(await collectResults(finished, folder))],
    ["the command, with its start", async () => {
      const { code, stderr } = await runCommand("compare", [folder], folder);
      if (code !== 0) throw new Error(stderr);
    }],
  ];
}

async function trainOne(base: string): Promise<{ checkpoint: Checkpoint; data: string }> {
  const args = [
    "static-shared",
    "--seeds",
    "1",
    "--epochs",
    "1",
    "--data",
    "synthetic",
    "--weights",
    "random",
  ]
    .concat([
      "--subset",
      "32",
      "--test-subset",
      "20",
      "--no-compile",
      "--threads",
      "1",
      "--plan",
      join(base, "one"),
    ]);
  await runCommand("compare", args, base);
  await runCommand("compare", ["--work", join(base, "one")], base);
  const [{ data }] = await readManifest(join(base, "one"));
  const checkpoint = await openCheckpoint(join(base, "one", "static-shared-seed0", "last.safetensors"));
  return { checkpoint, data: data.fingerprint };
}

/** Writes a finished run of another seed. */
function copyRun(folder: string, checkpoint: Checkpoint, config: Checkpoint["config"]): void {
  const { recorded, progress, classNames } = checkpoint;
  makeFolder(join(folder, config.run));
  const contents = { config, recorded, progress, classNames, ...checkpoint.readTensors() };
  writeCheckpoint(join(folder, config.run, "last.safetensors"), contents);
}

if (import.meta.main) await main();
