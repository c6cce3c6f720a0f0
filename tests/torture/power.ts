/**
 * Power cuts: a training writes to a file system in an image, and the image is copied in one moment (a reflink)
 * while it runs. What the guest file system had only in memory is not in the copy, as after a power cut.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import {
  checkRun,
  finishRun,
  type Reference,
  RUN,
  startArguments,
  startTask,
  trainReference,
} from "./run.ts";
import type { Kind, Need, OpenRow, Torture } from "./runner.ts";

const EPOCHS = 40;
const FILE_SYSTEMS = { ext4: "64M", xfs: "300M", btrfs: "128M" };

export const POWER: Kind = {
  name: "power",
  async run(torture) {
    if (torture.quick) return; // root and seconds: not for every test run
    const reference = await trainReference(join(torture.folder, "reference"), EPOCHS);
    for (const [system, size] of Object.entries(FILE_SYSTEMS)) {
      const needs: Need[] = ["loop devices", "program mkfs.xfs", `program mkfs.${system}`];
      await torture.row(
        `power cuts on ${system}`,
        needs,
        (row) => cutPower(torture, reference, row, system, size),
      );
    }
  },
};

const CUTS = 25; // of each file system

async function cutPower(
  { folder }: Torture,
  reference: Reference,
  row: OpenRow,
  system: string,
  size: string,
) {
  await using stack = new AsyncDisposableStack();
  await using running = new AsyncDisposableStack();
  const host = join(folder, `host-${system}`); // xfs, which can copy a file in a moment
  await mount(stack, await makeImage(join(folder, `host-${system}.img`), "4G", "xfs"), host);
  const image = await makeImage(join(host, "disk.img"), size, system);
  const disk = join(folder, system);
  await mount(running, image, disk);
  const cuts: { path: string; done: number; soon: number }[] = [];
  for (let round = 0; cuts.length < CUTS; round++) {
    const runs = join(disk, "runs");
    await Deno.mkdir(runs);
    await run("sync", "-f", disk); // as if the folder of all runs had been there for long
    const training = startTask("train", startArguments(EPOCHS), runs);
    let isOver = false;
    void training.end.finally(() => isOver = true).catch(() => {});
    await sleep(700);
    while (!isOver && cuts.length < CUTS) {
      await sleep(400 * row.random.next());
      const done = training.done(); // reported before the power is cut
      const path = join(host, `cut-${cuts.length}.img`);
      await run("cp", "--reflink=always", image, path);
      cuts.push({ path, done, soon: training.done() + 3 });
    }
    const { code, stderr } = await training.end;
    assert.equal(code, 0, stderr);
    await Deno.remove(runs, { recursive: true });
  }
  await running.disposeAsync(); // a copy has the same identity: both cannot be mounted
  for (const [index, { path, done, soon }] of cuts.entries()) {
    await row.try(`cut ${index}, epoch ${done} done`, async () => {
      await using mounted = new AsyncDisposableStack();
      const after = join(folder, `${system}-after`);
      await mount(mounted, path, after);
      const runs = join(after, "runs");
      if (await Deno.stat(join(runs, RUN)).then(() => true, () => false)) {
        const found = await checkRun(join(runs, RUN), reference, done);
        assert.ok(found <= soon, `the copy is from another moment: epoch ${found}`);
      } else {
        assert.equal(done, -1, `epoch ${done} was done, and the run's folder is gone`);
      }
      if (index % 5 === 0) await finishRun(runs, reference);
    });
  }
  row.note(
    `after epoch ${Math.max(0, Math.min(...cuts.map(({ done }) => done)))} to ${
      Math.max(...cuts.map(({ done }) => done))
    }`,
  );
}

async function makeImage(path: string, size: string, system: string): Promise<string> {
  await run("truncate", "-s", size, path);
  await run(`mkfs.${system}`, system === "ext4" ? "-q" : "-f", path);
  return path;
}

async function mount(stack: AsyncDisposableStack, image: string, at: string): Promise<void> {
  await Deno.mkdir(at, { recursive: true });
  await run("mount", "-o", "loop,nouuid", image, at).catch(() => run("mount", "-o", "loop", image, at));
  stack.defer(() => run("umount", at));
}

/** Runs a program of the system, which must succeed. */
export async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" })
    .output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
