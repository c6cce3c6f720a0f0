/**
 * Several processes at once: trainers of one run, readers of a run that trains, set-ups, a comparison that is
 * killed, and locks that dead processes left.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { readSafetensors } from "../../lib/support/safetensors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { findCheckpoint } from "../../lib/training/run_folder.ts";
import { isSame } from "../testing/tensors.ts";
import {
  assertRefused,
  checkRun,
  digest,
  finishRun,
  type Reference,
  RESUME,
  RUN,
  runTask,
  startArguments,
  startTask,
  trainReference,
} from "./run.ts";
import type { Kind, Torture } from "./runner.ts";

const EPOCHS = 20;

export const TOGETHER: Kind = {
  name: "together",
  async run(torture) {
    if (torture.quick) return;
    const reference = await trainReference(join(torture.folder, "reference"), EPOCHS);
    await tryTrainers(torture, reference);
    await tryReader(torture, reference);
    await tryStaleLocks(torture, reference);
    await trySetups(torture);
    await tryComparison(torture);
  },
};

async function tryTrainers({ folder, row }: Torture, reference: Reference): Promise<void> {
  await row("two trainers of one run", ["Linux"], async ({ try: attempt, random }) => {
    for (let number = 0; number < 8; number++) {
      const delay = number % 2 ? 1000 * random.next() : 0;
      await attempt(`the second after ${Math.round(delay)} ms`, async () => {
        const runs = join(folder, `two-${number}`);
        const first = startTask("train", startArguments(EPOCHS), runs);
        await new Promise((done) => setTimeout(done, delay));
        const begun = await Deno.stat(join(runs, RUN, "last.safetensors")).then(() => true, () => false);
        const second = startTask("train", begun ? RESUME : startArguments(EPOCHS), runs);
        const ends = await Promise.all([first.end, second.end]);
        const codes = ends.map(({ code }) => code);
        assert.ok(codes.includes(0), `neither trained: ${ends.map(({ stderr }) => stderr).join("\n")}`);
        for (const end of ends) if (end.code !== 0) assertRefused(end);
        assert.equal(await checkRun(join(runs, RUN), reference, EPOCHS), EPOCHS);
      });
    }
  });
}

async function tryReader({ folder, row }: Torture, { states }: Reference): Promise<void> {
  await row("reading a run that trains", ["Linux"], async ({ try: attempt }) => {
    const runs = join(folder, "read");
    const training = startTask("train", startArguments(EPOCHS), runs);
    let isOver = false;
    void training.end.finally(() => isOver = true).catch(() => {});
    for (let number = 0; !isOver; number++) {
      const which = number % 2 ? "best" : "last";
      const path = join(runs, RUN, `${which}.safetensors`);
      if (!await Deno.stat(path).then(() => true, () => false)) {
        await new Promise((done) => setTimeout(done, 5));
        continue;
      }
      await attempt(`${which}, read ${number}`, async () => {
        const checkpoint = await openCheckpoint(findCheckpoint(RUN, which, runs));
        assert.equal(digest(checkpoint), states.get(checkpoint.progress.epochs));
      });
    }
    await attempt("deno task runs, after it", async () => {
      const { stdout, code, stderr } = await runTask("runs", ["--json"], runs);
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).runs.length, 1);
    });
  });
}

async function tryStaleLocks({ folder, row }: Torture, reference: Reference): Promise<void> {
  await row("locks of dead processes and other hosts", ["Linux"], async ({ try: attempt }) => {
    const contents = ["", "99999999", '{"pid":1,"host":"elsewhere"}', "\0".repeat(4096)];
    for (const [number, text] of contents.entries()) {
      await attempt(JSON.stringify(text.slice(0, 40)), async () => {
        const runs = join(folder, `stale-${number}`);
        await runTask("train", startArguments(2), runs);
        await Deno.writeTextFile(join(runs, RUN, ".lock"), text);
        await Deno.utime(join(runs, RUN, ".lock"), 0, 0);
        await finishRun(runs, reference);
      });
    }
  });
}

async function trySetups({ folder, row }: Torture): Promise<void> {
  await row("set-ups of a ready checkout at once", ["Linux"], async ({ try: attempt }) => {
    for (let number = 0; number < 3; number++) {
      await attempt(`four set-ups, ${number}`, async () => {
        const ends = await Promise.all(Array.from({ length: 4 }, () => runTask("setup", [], folder)));
        for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
      });
    }
  });
}

async function tryComparison({ folder, row }: Torture): Promise<void> {
  await row("compare --jobs 2, killed and restarted", ["Linux"], async ({ try: attempt, random, note }) => {
    const args = ["dynamic", "static-shared", "--seeds", "2", "--epochs", "6", "--data", "synthetic"]
      .concat(["--weights", "random", "--subset", "200", "--test-subset", "20", "--batch-size", "10"])
      .concat(["--device", "cpu", "--jobs", "2", "--into", "c"]);
    const whole = join(folder, "compare");
    assert.equal((await runTask("compare", args, whole)).code, 0);
    let kills = 0;
    for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
      await attempt(`${signal}, try ${kills}`, async () => {
        const runs = join(folder, `compare-${kills}`);
        for (let again = 0; again < 3; again++) {
          const comparison = startTask("compare", args, runs);
          await new Promise((done) => setTimeout(done, 1500 + 3000 * random.next()));
          try {
            comparison.process.kill(signal);
            kills++;
          } catch { /* it has ended */ }
          await comparison.end;
        }
        let end = await runTask("compare", args, runs);
        // the trainers of a killed comparison need a moment to save and end
        for (let again = 0; end.code !== 0 && again < 3; again++) end = await runTask("compare", args, runs);
        assert.equal(end.code, 0, end.stderr);
        for (const { name, isDirectory } of Deno.readDirSync(join(whole, "c"))) {
          if (!isDirectory) continue;
          const [one, other] = await Promise.all(
            [whole, runs].map((folder) => readSafetensors(join(folder, "c", name, "last.safetensors"))),
          );
          const differing = [...one.tensors].filter(([tensor, { data }]) =>
            !isSame(data, other.tensors.get(tensor)!.data)
          );
          assert.deepEqual(differing.map(([tensor]) => tensor), [], `tensors of ${name} that differ`);
        }
      });
    }
    note(`${kills} kills`);
  });
}
