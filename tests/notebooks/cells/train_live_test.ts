import assert from "node:assert/strict";
import { join } from "@std/path";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { Interrupted } from "../../../lib/support/interrupt.ts";
import {
  compareCheckpoints,
  notebookRunsFolder,
  trainLive,
  trainUntil,
} from "../../../notebooks/cells/mod.ts";
import { resolveConfig } from "../../../lib/training/config.ts";
import { temporaryFolder, temporaryVariable } from "../../testing/folder.ts";

const datasets = createSynthetic({ trainSize: 160, testSize: 40 });

function configure(run: string, epochs = 2) {
  return resolveConfig({ flags: { run, epochs, batchSize: 16, weights: "random" } });
}

/** Runs with the notebooks' trainings in a folder of the test's own. */
async function inFolder(work: () => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  using _variable = temporaryVariable("CHECKPOINTS_DIR", folder.path);
  await work();
}

Deno.test("a stopped and resumed training equals an uninterrupted one, and a cell can be run again", async () => {
  await inFolder(async () => {
    const options = { datasets, curves: false };
    const { folder } = await trainLive(configure("whole"), options);
    await trainLive(configure("whole"), options); // replaces the first
    assert.match(
      await trainUntil(configure("broken"), 3, { datasets }),
      /^Stopped .*saved\. To continue, give `resume: "broken"`\.$/,
    );
    const resumed = await trainLive(configure("broken"), { ...options, resume: "broken" });
    const [one, other] = [folder, resumed.folder].map((path) => join(path, "last.safetensors"));
    assert.equal((await compareCheckpoints(one, other)).different, 0);
    await assert.rejects(trainUntil(configure("short"), 1000, { datasets }), RangeError);
  });
});

Deno.test("the toolbar's ■ saves the training and keeps the kernel alive", async () => {
  await inFolder(async () => {
    // SIGTERM, handled in the same way: SIGINT would end the test runner
    const timer = setTimeout(() => Deno.kill(Deno.pid, "SIGTERM"), 300);
    await assert.rejects(trainLive(configure("long", 1000), { datasets, curves: false }), (error) => {
      assert.ok(error instanceof Interrupted);
      assert.match(error.message, /saved\. To continue, give `resume: "long"`\.$/);
      return true;
    });
    clearTimeout(timer);
    assert.ok(Deno.statSync(join(notebookRunsFolder(), "long", "last.safetensors")).isFile);
  });
});
