import assert from "node:assert/strict";
import { join } from "@std/path";
import { readRunRecord } from "../../lib/experiments/runs.ts";
import { readManifest } from "../../lib/experiments/manifest.ts";
import { claimsOf, readLastClaim, tryClaim } from "../../lib/experiments/claim.ts";
import { readSafetensors } from "../../lib/support/safetensors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { runCommand, startCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

const TINY_DATA =
  "--data synthetic --weights random --subset 32 --test-subset 20 --batch-size 16 --no-compile".split(" ");
const TINY = [...TINY_DATA, "--threads", "1"];

/** A comparison's table without the line about machines. */
function readTable(folder: string): string {
  return Deno.readTextFileSync(join(folder, "comparison.md")).replace(/^- Trained .*$/m, "");
}

async function plan(folder: string, args: string[]): Promise<void> {
  const { code, stderr } = await runCommand("compare", [...args, ...TINY, "--plan", folder], folder);
  assert.equal(code, 0, stderr);
}

Deno.test("runs are planned with a share of the cores, and later ones with as many threads as the others", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "sweep");
  const plan = async (...args: string[]) => {
    const line = ["static-shared", ...TINY_DATA, "--plan", folder, ...args];
    const { code, stderr } = await runCommand("compare", line, temporary.path);
    assert.equal(code, 0, stderr);
    return stderr;
  };
  const share = Math.max(1, Math.floor(navigator.hardwareConcurrency / 2));
  const threads = `${share} ${share === 1 ? "thread" : "threads"}`;
  assert.match(
    await plan("--seeds", "2", "--jobs", "2"),
    new RegExp(`2 runs are planned in .*, ${threads} each`),
  );
  assert.match(await plan("--seeds", "0-3"), new RegExp(`4 runs are planned in .*, ${threads} each`));
  assert.deepEqual((await readManifest(folder)).map((run) => run.threads), [share, share, share, share]);
});

Deno.test("workers share a sweep, and its tables are those of one machine, byte for byte", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "sweep");
  const args = ["dynamic", "static-shared", "--seeds", "2", "--epochs", "2"];
  await plan(folder, args);
  const none = await runCommand("compare", [folder], temporary.path);
  assert.equal(none.code, 75, none.stderr);
  assert.match(none.stderr, /^4 of 4 runs are missing:\n {2}dynamic-seed0: not begun\n/);

  const task = await runCommand("compare", ["--work", folder, "--task", "2"], temporary.path);
  assert.equal(task.code, 0, task.stderr);
  const some = await runCommand("compare", [folder, "--json"], temporary.path);
  assert.equal(some.code, 75, some.stderr);
  assert.deepEqual(
    JSON.parse(some.stdout).results.map((
      { experiment, seeds }: { experiment: string; seeds: { seed: number }[] },
    ) => [experiment, seeds[0].seed]),
    [["dynamic", 1]],
  );

  const work = ["--work", folder];
  const workers = [work, work].map((args) => runCommand("compare", args, temporary.path));
  for (const { code, stderr } of await Promise.all(workers)) assert.equal(code, 0, stderr);
  // a worker may have ended while the other one trained its last run
  const all = await runCommand("compare", [folder, "--watch"], temporary.path);
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stderr, /4 of 4 runs done/);
  for (const run of ["dynamic-seed0", "dynamic-seed1", "static-shared-seed0", "static-shared-seed1"]) {
    assert.equal(readRunRecord(join(folder, run))!.sessions.length, 1, `${run} was trained once`);
  }

  const here = await runCommand("compare", [...args, ...TINY, "--into", "here"], temporary.path);
  assert.equal(here.code, 0, here.stderr);
  assert.equal(readTable(folder), readTable(join(temporary.path, "here")));
  assert.match(readTable(folder), /\| static-shared .*10\.00 ± 0\.00 \(n = 2\)/);
});

Deno.test("a worker saves at TERM, USR1 and HUP and ends with 75, and the next one resumes", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "sweep");
  await plan(folder, ["static-shared", "--seeds", "1", "--epochs", "80"]);
  let before = 0;
  for (const signal of ["SIGTERM", "SIGUSR1", "SIGHUP"] as const) {
    const worker = startCommand("compare", ["--work", folder, "--task", "0"], temporary.path);
    await worker.says(/epoch \d+\/80/);
    worker.kill(signal);
    const { code, stderr } = await worker.output;
    assert.equal(code, 75, stderr);
    assert.match(stderr, /Stopped; everything is saved\.\n$/);
    const { progress: { totalSteps } } = await openCheckpoint(
      join(folder, "static-shared-seed0", "last.safetensors"),
    );
    assert.ok(totalSteps > before, `${totalSteps} steps after ${before}`);
    before = totalSteps;
    const { end, steps } = readLastClaim(claimsOf(folder, "static-shared-seed0"))!.record;
    assert.deepEqual([end, steps], ["stopped", totalSteps]);
  }
});

Deno.test("the run of a killed worker is taken over at once, while that of a live one is left to it", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "sweep");
  await plan(folder, ["static-shared", "--seeds", "1", "--epochs", "40"]);
  const whole = join(temporary.path, "whole");
  await plan(whole, ["static-shared", "--seeds", "1", "--epochs", "40"]);
  assert.equal((await runCommand("compare", ["--work", whole], temporary.path)).code, 0);

  const first = startCommand("compare", ["--work", folder], temporary.path);
  await first.says(/epoch 2\/40/);
  const second = await runCommand("compare", ["--work", folder], temporary.path);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stderr, /static-shared-seed0: process \d+ on \S+ trains it\n/);
  const { process } = readLastClaim(claimsOf(folder, "static-shared-seed0"))!.record;
  Deno.kill(process, "SIGKILL");
  const { code, stderr } = await first.output;
  assert.equal(code, 2);
  assert.match(stderr, /static-shared-seed0 failed \(exit code SIGKILL\)/);
  const third = await runCommand("compare", ["--work", folder], temporary.path);
  assert.equal(third.code, 0, third.stderr);
  assert.match(third.stderr, /Taking the run over: process \d+ on/);
  const [one, other] = await Promise.all(
    [folder, whole].map((folder) => readSafetensors(join(folder, "static-shared-seed0", "last.safetensors"))),
  );
  for (const [name, { data }] of one.tensors) assert.deepEqual(other.tensors.get(name)!.data, data, name);
});

Deno.test("the worker of one run waits until the last one's claim is stale, or shows that it lives", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "sweep");
  await plan(folder, ["static-shared", "--seeds", "1", "--epochs", "1"]);
  const path = claimsOf(folder, "static-shared-seed0");
  const found = tryClaim(path, { staleAfter: 4, log: () => {} });
  assert.ok("claim" in found);
  found.claim[Symbol.dispose]();
  const text = Deno.readTextFileSync(`${path}.1`); // as if its host had lost power
  Deno.writeTextFileSync(`${path}.1`, text.replace(/"host":"[^"]*"/, '"host":"elsewhere"'));
  const beat = () => Deno.utimeSync(`${path}.1`, new Date(), new Date());

  let heartbeat = setInterval(beat, 1000);
  const leaving = await runCommand("compare", ["--work", folder, "--task", "0"], temporary.path);
  clearInterval(heartbeat);
  assert.equal(leaving.code, 0, leaving.stderr);
  assert.match(leaving.stderr, /static-shared-seed0: process \d+ on elsewhere trains it/);

  heartbeat = setInterval(beat, 1000);
  const worker = startCommand("compare", ["--work", folder, "--task", "0"], temporary.path);
  await worker.says(/Waiting for a sign of life of process \d+ on elsewhere, at most 4 s …/);
  clearInterval(heartbeat);
  const { code, stderr } = await worker.output;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Taking the run over: process \d+ on elsewhere gives no sign of life/);
});

Deno.test("what cannot be done with a sweep is refused in one sentence", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "sweep");
  await plan(folder, ["static-shared", "--seeds", "1"]);
  for (
    const [args, words] of [
      [["--work", folder, "--task", "1"], /Cannot train run 1 \(--task\): .* has the runs 0 to 0\./],
      [["--work", folder, "--epochs", "2"], /Cannot use --epochs with --work: what is trained and how was/],
      [[folder, "--seeds", "2"], /Cannot use --seeds with the planned folder/],
      [
        [temporary.path],
        /Cannot collect the results in .*: it has no manifest\.jsonl; run `deno task compare/,
      ],
      [["--work", temporary.path], /Cannot read .*manifest\.jsonl/],
      [["dynamic", "--slurm"], /Cannot use --slurm without a planned folder: add --plan FOLDER/],
      [["dynamic", "time=3"], /Cannot use time=3 without --slurm/],
      [[folder, "dynamic"], /Cannot use dynamic beside the folder/],
    ] as const
  ) {
    const { code, stderr } = await runCommand("compare", [...args], temporary.path);
    assert.equal(code, 2, stderr);
    assert.match(stderr, words);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});
