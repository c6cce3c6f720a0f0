/**
 * `deno task test:slurm`: 40 small runs on a real SLURM under random faults. At the end the tables must be
 * those of an undisturbed comparison, byte for byte.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { type ClaimRecord, claimsOf, isHeld, readClaim, readLastClaim } from "../../lib/experiments/claim.ts";
import { readManifest, type SweepRun } from "../../lib/experiments/manifest.ts";
import { readRunRecord } from "../../lib/experiments/runs.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { createRandom } from "../../lib/support/random.ts";
import { runCommand } from "../testing/command.ts";
import { type Cluster, NODES, startCluster, whyNoCluster } from "./slurm_cluster.ts";

const SEED = 0;
const [SEEDS, EPOCHS, STEPS_PER_EPOCH] = [20, 60, 4];
const FAULTS = 60;
const RUNS = [
  "static-shared",
  "static-per-class",
  "--seeds",
  `${SEEDS}`,
  "--epochs",
  `${EPOCHS}`,
  "--threads",
  "1",
];
const TINY = "--data synthetic --weights random --subset 64 --test-subset 20 --batch-size 16 --no-compile"
  .split(" ");

const random = createRandom(SEED);
const choose = <T>(values: readonly T[]): T => values[random.integer(values.length)];
const sleep = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, 1000 * seconds));

/** A running cluster with a sweep. */
interface Scene {
  cluster: Cluster;
  folder: string;
  runs: SweepRun[];
}

/** A kind of fault; it returns false where there was nothing to disturb. */
type Fault = (scene: Scene) => Promise<boolean>;

const FAULT_KINDS: Record<string, Fault> = {
  "preemption of a node": async ({ cluster }) => {
    await cluster.ask(
      "sbatch",
      "--partition=high",
      "--nodes=1",
      "--exclusive",
      "--output=/dev/null",
      "--wrap=sleep 2",
    );
    return true;
  },
  "scontrol requeue": (scene) => onTask(scene, ["scontrol", "requeue"]),
  "scancel": (scene) => onTask(scene, ["scancel"]),
  "USR1 to the batch script": (scene) => onTask(scene, ["scancel", "--batch", "--signal=USR1"]),
  "time limit": async ({ cluster }) => {
    const task = await chooseTask(cluster);
    if (task === null) return false;
    await cluster.ask("scontrol", "update", `JobId=${task}`, "TimeLimit=1");
    return true;
  },
  "kill -9 of the training": (scene) => killProcess(scene, ({ process }) => process),
  "kill -9 of the worker": (scene) => killProcess(scene, ({ process }) => parentOf(process)),
  "kill -9 of slurmd": async ({ cluster }) => {
    const node = choose(NODES);
    await cluster.killNode(node, false);
    await sleep(1);
    await cluster.startNode(node);
    return true;
  },
  "power cut of a node": async ({ cluster }) => {
    const node = choose(NODES);
    await cluster.killNode(node, true);
    await sleep(1);
    await cluster.startNode(node);
    return true;
  },
  "kill -9 of slurmctld": async ({ cluster }) => {
    await cluster.killController();
    await sleep(2);
    await cluster.startController();
    return true;
  },
  "full disk": async ({ folder }) => {
    const path = join(folder, "filler");
    const file = Deno.openSync(path, { write: true, create: true });
    try {
      for (const bytes = new Uint8Array(1 << 16);;) file.writeSync(bytes);
    } catch { /* it is full */ }
    file.close();
    await sleep(2);
    Deno.removeSync(path);
    return true;
  },
};

async function main(): Promise<void> {
  const missing = await whyNoCluster();
  if (missing !== null) return console.log(`skipped: ${missing}`);
  const base = Deno.makeTempDirSync({ prefix: "dynamic_filters_slurm_" });
  const folder = join(base, "a disk"); // small, so that it can be filled
  Deno.mkdirSync(folder);
  await must("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder);
  try {
    const reference = join(base, "reference");
    await compare(base, [...RUNS, ...TINY, "--plan", reference]);
    await compare(base, ["--work", reference, "--jobs", "2"]);
    await compare(base, [reference]);
    await using cluster = await startCluster(join(base, "slurm"));
    await compare(base, [...RUNS, ...TINY, "--plan", folder]);
    const scene = { cluster, folder, runs: await readManifest(folder) };
    const counts = await disturb(scene, base);
    await compare(base, [folder]);
    check(scene, reference, counts);
  } finally {
    await must("umount", "--lazy", folder);
    Deno.removeSync(base, { recursive: true });
  }
}

/** Submits the sweep and breaks what it runs on, until all faults were tried and all runs are finished. */
async function disturb(scene: Scene, base: string): Promise<Map<string, number>> {
  const { cluster, folder } = scene;
  const counts = new Map(Object.keys(FAULT_KINDS).map((kind) => [kind, 0]));
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  let done = 0;
  while (true) {
    const queued = await cluster.ask(
      "squeue",
      "--noheader",
      "--array",
      "--partition=low",
      "--format=%i %T %r",
    );
    if (queued === "") {
      const { code } = await runCommand("compare", [folder], base);
      if (code === 0) break;
      await submit(scene, base, count);
      continue;
    }
    // SLURM lets a requeued job wait for two minutes
    for (const [task, state, ...reason] of queued.split("\n").map((line) => line.split(" "))) {
      // held for good where a node's daemon died in the moment of the start
      if (reason.includes("held")) await cluster.ask("scontrol", "release", task);
      if (state === "PENDING") {
        await cluster.ask("scontrol", "update", `JobId=${task}`, "StartTime=now", "TimeLimit=10");
      }
    }
    for (const node of NODES) await cluster.ask("scontrol", "update", `NodeName=${node}`, "State=RESUME");
    await sleep(1 + 2 * random.next());
    const kinds = Object.keys(FAULT_KINDS);
    const kind = kinds[done % kinds.length]; // each equally often
    if (done < FAULTS && await FAULT_KINDS[kind](scene)) {
      count(kind);
      done++;
      console.log(`${done} of ${FAULTS}: ${kind}`);
    }
  }
  return counts;
}

/** Submits what is not finished; the first time the controller is down meanwhile. */
async function submit(
  { cluster, folder }: Scene,
  base: string,
  count: (kind: string) => void,
): Promise<void> {
  const isFirst = !(await Deno.stat(join(folder, "slurm.sh")).then(() => true, () => false));
  if (isFirst) await cluster.killController();
  const submission = runCommand("compare", [folder, "--slurm", "time=10"], base);
  if (isFirst) {
    await sleep(20); // sbatch itself tries for some seconds
    await cluster.startController();
    count("sbatch without a controller");
  } else count("(submitted again)");
  const { code, stderr } = await submission;
  assert.equal(code, 0, stderr);
  console.log(stderr.trim());
}

function check({ folder, runs }: Scene, reference: string, counts: Map<string, number>): void {
  const table = (folder: string) =>
    Deno.readTextFileSync(join(folder, "comparison.md")).replace(/^- Trained .*$/m, "");
  assert.equal(table(folder), table(reference));
  const claims = runs.flatMap(({ config }) => {
    const path = claimsOf(folder, config.run);
    const last = readLastClaim(path)!.number;
    return Array.from({ length: last }, (_, index) => readClaim(path, index + 1)!.record);
  });
  const ends = Map.groupBy(claims, ({ end }) => end ?? "crashed");
  const crashes = (ends.get("crashed")?.length ?? 0) + (ends.get("failed")?.length ?? 0);
  const sessions = runs.flatMap(({ config }) => readRunRecord(join(folder, config.run))!.sessions);
  const all = runs.length * EPOCHS * STEPS_PER_EPOCH;
  const most = crashes * STEPS_PER_EPOCH / all; // each epoch is saved
  console.log(`\n| fault | times |\n| --- | ---: |`);
  for (const [kind, times] of counts) console.log(`| ${kind} | ${times} |`);
  console.log(
    `\n${runs.length} runs, ${sessions.length} training sessions in ${claims.length} claims, which ended ${
      [...ends].map(([end, { length }]) => `${end}: ${length}`).join(", ")
    }. The tables are those of an undisturbed comparison; lost: 0; done twice: at most ${
      (100 * most).toFixed(2)
    } % of ${all} steps.`,
  );
  assert.ok(most <= 0.02, "more than 2 % of the steps were done twice");
}

async function onTask({ cluster }: Scene, [command, ...args]: string[]): Promise<boolean> {
  const task = await chooseTask(cluster);
  if (task !== null) await cluster.ask(command, ...args, task);
  return task !== null;
}

async function chooseTask(cluster: Cluster): Promise<string | null> {
  const running = await cluster.ask(
    "squeue",
    "--noheader",
    "--array",
    "--partition=low",
    "--states=R",
    "--format=%i",
  );
  return running === "" ? null : choose(running.split("\n"));
}

/** Kills a process of a run that is in training. */
async function killProcess({ folder, runs }: Scene, of: (claim: ClaimRecord) => number): Promise<boolean> {
  const held = runs.map(({ config }) => readLastClaim(claimsOf(folder, config.run)))
    .filter((claim) => claim !== null && isHeld(claim, new Date()));
  if (held.length === 0) return false;
  try {
    Deno.kill(of(choose(held)!.record), "SIGKILL");
    return await Promise.resolve(true);
  } catch {
    return false; // it has just ended
  }
}

function parentOf(process: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(Deno.readTextFileSync(`/proc/${process}/status`))![1]);
}

async function compare(base: string, args: string[]): Promise<void> {
  const { code, stderr } = await runCommand("compare", args, base);
  assert.equal(code, 0, stderr);
}

async function must(command: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await (await startProcess(command, args)).ended;
  assert.equal(code, 0, stderr);
}

if (import.meta.main) await main();
