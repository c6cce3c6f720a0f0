/**
 * Disks that are full, read-only, forbidden, slow, dying, or whose folder is removed under a training.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { openCheckpoint, writeCheckpoint } from "../../lib/training/checkpoint.ts";
import { openRunFolder } from "../../lib/training/run_folder.ts";
import { run } from "./power.ts";
import {
  assertRefused,
  checkRun,
  digest,
  finishRun,
  listTemporary,
  type Reference,
  RESUME,
  RUN,
  runTask,
  startArguments,
  startTask,
  trainReference,
} from "./run.ts";
import type { Kind, Need, Torture } from "./runner.ts";

const EPOCHS = 6;
const PAGE = 4096;

export const DISKS: Kind = {
  name: "disks",
  async run(torture) {
    const reference = await trainReference(join(torture.folder, "reference"), EPOCHS);
    await fillEachPage(torture, reference);
    if (torture.quick) return;
    await fillUnderCommand(torture, reference);
    await failCalls(torture, reference);
    await forbid(torture, reference);
    await killDisk(torture, reference);
    await removeFolder(torture, reference);
    await leaveTemporaryFiles(torture);
  },
};

/** A file system in memory of this size in bytes, until the end of the block. */
async function memoryDisk(at: string, bytes: number): Promise<AsyncDisposable> {
  await Deno.mkdir(at, { recursive: true });
  await run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", at);
  return { [Symbol.asyncDispose]: () => run("umount", at) };
}

/** Saves with each number of free pages: disks give room by the page, so these are all the cases. */
async function fillEachPage({ folder, row, count }: Torture, reference: Reference): Promise<void> {
  await row("disk full at each page of a save", ["Linux", "root"], async ({ try: attempt }) => {
    const disk = join(folder, "pages");
    await using _disk = await memoryDisk(disk, 8 << 20);
    const run = join(disk, RUN);
    await Deno.mkdir(run);
    for (const name of ["last", "best"]) {
      await Deno.copyFile(join(reference.folder, `${name}.safetensors`), join(run, `${name}.safetensors`));
    }
    const path = join(run, "last.safetensors");
    const checkpoint = await openCheckpoint(path);
    const tensors = checkpoint.readTensors();
    const before = digest(checkpoint);
    const pages = Math.ceil(Deno.statSync(path).size / PAGE) + 2;
    for (let free = 0; free <= pages; free += count(1, 60)) {
      for (const what of ["checkpoint", "history"]) {
        if (what === "history" && free > 2) continue;
        await attempt(`${what}, ${free} pages free`, async () => {
          fill(join(disk, "filler"), free);
          let isSaved = true;
          try {
            using opened = openRunFolder(run, false);
            if (what === "checkpoint") writeCheckpoint(opened.last, { ...checkpoint, ...tensors });
            else opened.writeHistory(checkpoint.progress.history);
          } catch (error) {
            isSaved = false;
            assert.match(String(error), /space|full/i);
          }
          if (what === "checkpoint") assert.equal(isSaved, free >= pages - 2, "a save too few or too many");
          assert.deepEqual(listTemporary(run), [], "temporary files are left");
          assert.equal(digest(await openCheckpoint(path)), before);
          Deno.removeSync(join(disk, "filler"));
        });
      }
    }
  });
}

/** Fills a disk until so many pages are free. */
function fill(path: string, free: number): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const block = new Uint8Array(PAGE);
  let size = 0;
  try {
    for (;; size += file.writeSync(block));
  } catch { /* it is full */ }
  file.truncateSync(Math.max(0, size - free * PAGE));
}

async function fillUnderCommand({ folder, row, count }: Torture, reference: Reference): Promise<void> {
  await row("disk full under a training", ["Linux", "root"], async ({ try: attempt, random }) => {
    for (let index = 0; index < count(12, 0); index++) {
      const size = PAGE * (1 + random.integer(1700)); // it needs up to 1,260
      await attempt(`a disk of ${size} bytes`, async () => {
        const disk = join(folder, `full-${index}`);
        await using _disk = await memoryDisk(disk, size);
        const end = await runTask("train", startArguments(EPOCHS), disk);
        assertRefused(end, 0);
        await run("mount", "-o", "remount,size=64M", disk);
        await finishRun(disk, reference);
      });
    }
  });
}

const ERRORS = ["EIO", "ENOSPC", "EDQUOT", "ESTALE", "EROFS", "ENOLCK"];

/** Lets system calls fail, or take long, in the middle of a training. */
async function failCalls({ folder, row, count }: Torture, reference: Reference): Promise<void> {
  const through = (inject: string) => {
    const call = inject.split(":")[0];
    return ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${inject}`];
  };
  await row(
    "failing sync, rename, flock",
    ["Linux", "program strace"],
    async ({ try: attempt, random }) => {
      for (let index = 0; index < count(30, 0); index++) {
        const call = ["fsync", "rename", "flock"][index % 3];
        const error = ERRORS[random.integer(ERRORS.length)];
        const when = call === "flock" ? 1 + random.integer(2) : 1 + random.integer(14);
        const inject = `${call}:error=${error}:when=${when}`;
        await attempt(inject, async () => {
          const runs = join(folder, `fail-${index}`);
          assertRefused(
            await runTask("train", startArguments(EPOCHS), runs, { through: through(inject) }),
            0,
          );
          await finishRun(runs, reference);
        });
      }
    },
  );
  await row("a slow disk", ["Linux", "program strace"], async ({ try: attempt }) => {
    for (const signal of [null, "SIGTERM"] as const) {
      await attempt(`each sync takes 0.3 s, ${signal ?? "to its end"}`, async () => {
        const runs = join(folder, `slow-${signal}`);
        let isSent = false;
        const training = startTask("train", startArguments(EPOCHS), runs, {
          through: through("fsync:delay_enter=300000"),
          onText: (text) => {
            if (signal === null || isSent || !/^epoch +2/m.test(text)) return;
            isSent = true;
            void signalChildren(training.process.pid, signal);
          },
        });
        const { code, stderr } = await training.end;
        assert.ok(code === 0 || code === 130, stderr);
        await checkRun(join(runs, RUN), reference, training.done());
        await finishRun(runs, reference);
      });
    }
  });
}

/** Signals what strace runs. */
async function signalChildren(pid: number, signal: Deno.Signal): Promise<void> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  for (const child of children.split(" ").filter(Boolean)) Deno.kill(Number(child), signal);
}

/** Arguments that start another run. */
const another = (epochs: number) => startArguments(epochs).map((word) => word === RUN ? "other" : word);

async function forbid({ folder, row }: Torture, reference: Reference): Promise<void> {
  await row("a read-only disk", ["Linux", "root"], async ({ try: attempt }) => {
    const disk = join(folder, "read-only");
    await using _disk = await memoryDisk(disk, 64 << 20);
    await runTask("train", startArguments(2), disk);
    await run("mount", "-o", "remount,ro", disk);
    for (const args of [RESUME, another(2)]) {
      await attempt(args.join(" "), async () => {
        assertRefused(await runTask("train", args, disk));
      });
    }
    await attempt("resumed when it is writable again", async () => {
      await run("mount", "-o", "remount,rw", disk);
      await finishRun(disk, reference);
    });
  });
  await row("a folder of another user", ["Linux", "root", "program setpriv"], async ({ try: attempt }) => {
    const through = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const home = join(folder, "home");
    await Deno.mkdir(home);
    await Deno.chown(home, 65534, 65534);
    await Deno.chmod(folder, 0o755);
    const runs = join(folder, "denied");
    await runTask("train", startArguments(2), runs);
    for (const args of [RESUME, another(2)]) {
      await attempt(args.join(" "), async () => {
        const end = await runTask("train", args, runs, { through, env: { HOME: home, DENO_DIR: home } });
        assertRefused(end);
        assert.match(end.stderr, /not allowed|permission/i);
      });
    }
    await attempt("resumed by its owner", () => finishRun(runs, reference));
  });
}

/** Shuts a file system down under a training: from then on every call fails, as on a disk that dies. */
async function killDisk({ folder, row }: Torture, reference: Reference): Promise<void> {
  await row(
    "a disk that dies",
    ["loop devices", "program mkfs.xfs", "program xfs_io"],
    async ({ try: attempt, random }) => {
      for (let index = 0; index < 6; index++) {
        const system = index % 2 ? "xfs" : "ext4";
        await attempt(`${system}, ${index}`, async () => {
          const [image, disk] = [join(folder, `dying-${index}.img`), join(folder, `dying-${index}`)];
          await run("truncate", "-s", "300M", image);
          await run(`mkfs.${system}`, "-q", image);
          await Deno.mkdir(disk);
          await run("mount", "-o", "loop", image, disk);
          try {
            const training = startTask("train", startArguments(EPOCHS), disk);
            await new Promise((done) => setTimeout(done, 700 + 700 * random.next()));
            const done = training.done();
            await run("xfs_io", "-x", "-c", "shutdown", disk);
            assertRefused(await training.end, 0);
            await run("umount", disk);
            await run("mount", "-o", "loop", image, disk);
            const isBegun = await Deno.stat(join(disk, RUN)).then(() => true, () => false);
            if (isBegun || done >= 0) await checkRun(join(disk, RUN), reference, done);
            await finishRun(disk, reference);
          } finally {
            await run("umount", disk);
            await Deno.remove(image);
          }
        });
      }
    },
  );
}

async function removeFolder({ folder, row }: Torture, reference: Reference): Promise<void> {
  await row("run folder removed while training", ["Linux"], async ({ try: attempt }) => {
    for (const isBegunAnew of [false, true]) {
      await attempt(isBegunAnew ? "removed, and begun anew by another" : "removed", async () => {
        const runs = join(folder, `removed-${isBegunAnew}`);
        const path = join(runs, RUN);
        let other: Promise<unknown> | null = null;
        const training = startTask("train", startArguments(60), runs, {
          onText: (text) => {
            if (other !== null || !/^epoch +3/m.test(text)) return;
            Deno.removeSync(path, { recursive: true });
            other = isBegunAnew ? runTask("train", startArguments(EPOCHS), runs) : Promise.resolve();
          },
        });
        assertRefused(await training.end, 130);
        await other;
        if (isBegunAnew) assert.equal(await checkRun(path, reference, EPOCHS), EPOCHS);
        else await finishRun(runs, reference);
      });
    }
  });
}

/** Kills compiled trainings while they remove a graph from TMPDIR: the next one removes what they left. */
async function leaveTemporaryFiles({ folder, row }: Torture): Promise<void> {
  const needs: Need[] = ["Linux", "program strace"];
  await row("temporary files go at the next start", needs, async ({ try: attempt, note }) => {
    const [runs, temporary] = [join(folder, "left"), join(folder, "tmp")];
    await Deno.mkdir(temporary);
    const args = startArguments(2).filter((word) => word !== "--no-compile");
    const env = { TMPDIR: temporary };
    let left = 0;
    for (let when = 1; when <= 6; when++) {
      await attempt(`kill -9 at removal ${when}, then a training to its end`, async () => {
        const calls = "unlinkat";
        const inject = `inject=${calls}:signal=SIGKILL:when=${when}`;
        const through = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject];
        await runTask("train", args, join(runs, `${when}`), { env, through });
        for (const { name } of Deno.readDirSync(temporary)) {
          left++;
          Deno.utimeSync(join(temporary, name), 0, 0); // younger than a minute they are left alone
        }
        assert.equal((await runTask("train", args, join(runs, `${when}-next`), { env })).code, 0);
        assert.deepEqual([...Deno.readDirSync(temporary)].map(({ name }) => name), []);
      });
    }
    note(`${left} were left`);
  });
}
