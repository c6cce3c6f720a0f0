/**
 * `deno run -A tests/cluster/no_locks.ts`: two hosts on a folder without locks, which a preloaded library
 * and two UTS namespaces make of this machine (root and a C compiler).
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { claimsOf, readLastClaim } from "../../lib/experiments/claim.ts";
import { readRunRecord } from "../../lib/experiments/runs.ts";
import { type ChildProcess, startProcess } from "../../lib/support/processes.ts";
import { readSafetensors } from "../../lib/support/safetensors.ts";
import { runCommand, taskArguments } from "../testing/command.ts";
import { PROJECT } from "../testing/sources.ts";
import { isSame } from "../testing/tensors.ts";

const RUN = "static-shared-seed0";
const PLAN = [
  ...["static-shared", "--seeds", "1", "--epochs", "900", "--threads", "1", "--data", "synthetic"],
  ...["--weights", "random", "--subset", "64", "--test-subset", "20", "--batch-size", "16", "--no-compile"],
];
const STALE_AFTER = 15; // seconds

/** A worker on a host of its own. */
interface Worker extends ChildProcess {
  /** What it has printed. */
  said: string[];
  /** Resolves when a line matches. */
  says(pattern: RegExp): Promise<void>;
}

async function main(): Promise<void> {
  const base = Deno.makeTempDirSync({ prefix: "dynamic_filters_no_locks_" });
  try {
    const library = join(base, "no_locks.so");
    const source = join(PROJECT, "tests/cluster/no_locks.c");
    await must("cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl");
    const expected = join(base, "expected");
    await plan(base, expected);
    assert.equal((await runCommand("compare", ["--work", expected], base)).code, 0);
    for (const scene of [leaves, takesOver, wakesUp]) {
      const folder = join(base, scene.name);
      await plan(base, folder);
      await scene(folder, (host) => startWorker(host, folder, library, base));
      const [one, other] = await Promise.all(
        [folder, expected].map((folder) => readSafetensors(join(folder, RUN, "last.safetensors"))),
      );
      const differing = [...one.tensors].filter(([name, { data }]) =>
        !isSame(data, other.tensors.get(name)!.data)
      );
      assert.deepEqual(differing.map(([name]) => name), []);
      console.log(`${scene.name}: the same bits as undisturbed`);
    }
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
}

/** The run that one host trains is left to it by the other. */
async function leaves(folder: string, start: (host: string) => Promise<Worker>): Promise<void> {
  const first = await start("a");
  await first.says(/epoch 2\/900/);
  const second = await start("b");
  assert.equal((await second.ended).code, 0);
  assert.match(second.said.join("\n"), /process \d+ on a trains it/);
  assert.equal((await first.ended).code, 0);
  assert.equal(readRunRecord(join(folder, RUN))!.sessions.length, 1);
}

/** The run of a host that was switched off is taken over when its claim is stale. */
async function takesOver(folder: string, start: (host: string) => Promise<Worker>): Promise<void> {
  const first = await start("a");
  await first.says(/epoch 2\/900/);
  for (const pid of processesOf(folder)) Deno.kill(pid, "SIGKILL");
  await first.ended;
  await untilStale();
  const second = await start("b");
  assert.equal((await second.ended).code, 0, second.said.join("\n"));
  assert.match(second.said.join("\n"), /Taking the run over: process \d+ on a gives no sign of life/);
}

/** A host that stood still for long finds its run taken over, and writes nothing more. */
async function wakesUp(folder: string, start: (host: string) => Promise<Worker>): Promise<void> {
  const first = await start("a");
  await first.says(/epoch 2\/900/);
  const processes = processesOf(folder);
  for (const pid of processes) Deno.kill(pid, "SIGSTOP");
  await untilStale();
  const second = await start("b");
  await second.says(/epoch \d+\/900/);
  for (const pid of processes) Deno.kill(pid, "SIGCONT");
  assert.equal((await first.ended).code, 2);
  assert.match(first.said.join("\n"), /another has taken the run over/);
  assert.equal((await second.ended).code, 0, second.said.join("\n"));
}

const untilStale = () => new Promise<void>((resolve) => setTimeout(resolve, 1000 * (STALE_AFTER + 1)));

/** Returns the worker that holds the run, and its parent. */
function processesOf(folder: string): number[] {
  const { process } = readLastClaim(claimsOf(folder, RUN))!.record;
  const parent = /^PPid:\t(\d+)/m.exec(Deno.readTextFileSync(`/proc/${process}/status`))![1];
  return [Number(parent), process];
}

async function startWorker(host: string, folder: string, library: string, runs: string): Promise<Worker> {
  const said: string[] = [];
  const looks = new Set<() => void>();
  const onLine = (line: string) => {
    said.push(line);
    for (const look of looks) look();
  };
  const work = [...taskArguments("compare"), "--work", folder, "--stale-after", String(STALE_AFTER)];
  const words = [Deno.execPath(), ...work].map((word) => `'${word}'`).join(" ");
  const child = await startProcess("unshare", ["--uts", "sh", "-c", `hostname ${host} && exec ${words}`], {
    cwd: PROJECT,
    env: { LD_PRELOAD: library, NO_LOCKS_UNDER: folder, NO_COLOR: "1", INIT_CWD: "", CHECKPOINTS_DIR: runs },
    onOutput: onLine,
    onError: onLine,
  });
  return {
    ...child,
    said,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => said.some((line) => pattern.test(line)) && resolve();
        looks.add(look);
        look();
        void child.ended.then(() => reject(new Error(`it ended without ${pattern}:\n${said.join("\n")}`)));
      }),
  };
}

async function plan(base: string, folder: string): Promise<void> {
  const { code, stderr } = await runCommand("compare", [...PLAN, "--plan", folder], base);
  assert.equal(code, 0, stderr);
}

async function must(command: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await (await startProcess(command, args)).ended;
  assert.equal(code, 0, stderr);
}

if (import.meta.main) await main();
