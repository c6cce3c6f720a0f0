import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { readSafetensors } from "../../lib/support/safetensors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { taskArguments } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

const TINY = "--data synthetic --weights random --subset 32 --test-subset 20 --batch-size 16 --no-compile"
  .split(" ");

function spawnCompare(args: string[], checkpoints: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("compare"), ...args],
    env: { CHECKPOINTS_DIR: checkpoints },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function runCompare(args: string[], checkpoints: string) {
  const { code, stdout, stderr } = await spawnCompare(args, checkpoints).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("a comparison trains, writes its table, and skips finished runs", async () => {
  using temporary = temporaryFolder();
  const args = [
    "dynamic",
    "static-shared",
    "--seeds",
    "1",
    "--epochs",
    "1",
    "--jobs",
    "2",
    "--json",
    ...TINY,
  ];
  const first = await runCompare(args, temporary.path);
  assert.equal(first.code, 0, first.stderr);
  const { comparison } = JSON.parse(first.stdout);
  assert.deepEqual(comparison.map(({ experiment }: { experiment: string }) => experiment), [
    "dynamic",
    "static-shared",
  ]);
  assert.equal(comparison[1].final.mean, 0.1);
  const table = Deno.readTextFileSync(join(temporary.path, "compare", "comparison.md"));
  assert.match(table, /\| static-shared .*10\.00 \(n = 1\)/);

  const last = join(temporary.path, "compare", "dynamic-seed0", "last.safetensors");
  const before = Deno.statSync(last).mtime;
  const second = await runCompare(args, temporary.path);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stderr, /2 of 2 runs are already finished/);
  assert.deepEqual(JSON.parse(second.stdout).comparison, comparison);
  assert.deepEqual(Deno.statSync(last).mtime, before);

  // the one run that is left has as many threads as when both were trained at once: it has the same bits
  const expected = await readSafetensors(last);
  Deno.removeSync(dirname(last), { recursive: true });
  const third = await runCompare(args, temporary.path);
  assert.equal(third.code, 0, third.stderr);
  const { recorded } = await openCheckpoint(last);
  assert.equal(recorded.threads, Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)));
  const { tensors } = await readSafetensors(last);
  for (const [name, { data }] of expected.tensors) assert.deepEqual(tensors.get(name)!.data, data, name);
});

Deno.test("Ctrl-C saves and stops all trainings, with exit code 130", async () => {
  using temporary = temporaryFolder();
  const args = ["dynamic", "frozen", "--seeds", "1", "--epochs", "100000", "--jobs", "2", ...TINY];
  await using child = spawnCompare(args, temporary.path);
  const folders = ["dynamic-seed0", "frozen-seed0"].map((run) => join(temporary.path, "compare", run));
  let isOver = false;
  child.status.then(() => isOver = true);
  while (!isOver && !folders.every((folder) => hasLines(join(folder, "history.jsonl")))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  assert.equal(code, 130, said);
  assert.match(said, /everything is saved\. Run the same command again/);
  for (const folder of folders) {
    const { progress } = await openCheckpoint(join(folder, "last.safetensors"));
    assert.ok(progress.totalSteps > 0);
    // no process writes to it any longer
    using lock = Deno.openSync(join(folder, ".lock"), { write: true });
    assert.ok(lock.tryLockSync(true));
  }
});

Deno.test("invalid comparisons are refused in one sentence with exit code 2", async () => {
  using temporary = temporaryFolder();
  for (
    const [args, words] of [[["dynamik"], /perhaps you mean dynamic\./], [
      ["quick", "--publish"],
      /Cannot publish/,
    ]] as const
  ) {
    const { code, stderr } = await runCompare([...args], temporary.path);
    assert.equal(code, 2);
    assert.match(stderr, words);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});

function hasLines(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
