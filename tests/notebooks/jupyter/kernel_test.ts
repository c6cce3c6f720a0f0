import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { startProcess } from "../../../lib/support/processes.ts";
import { ensureJupyter } from "../../../notebooks/jupyter/jupyter.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { PROJECT } from "../../testing/sources.ts";

const SCRIPT = fromFileUrl(new URL("kernel.py", import.meta.url));

Deno.test("■ stops and saves a training, the kernel keeps its state, and a tensor shows its values", async () => {
  using folder = temporaryFolder();
  const cells = [
    {
      code: `import { openNotebook, trainLive } from "./cells/mod.ts";
import { resolveConfig, tf } from "../lib/mod.ts";
const { datasets } = await openNotebook();
const flags = { run: "long", epochs: 1000, batchSize: 16, weights: "random" };`,
    },
    {
      code: "await trainLive(resolveConfig({ flags }), { datasets, curves: false });",
      stopAfter: 4,
    },
    { code: "await new Promise((resolve) => setTimeout(resolve, 1000)); 'to the end'", stopAfter: 0.3 },
    { code: "flags.run" },
    { code: "tf.tensor1d([1, 2, 3])" },
  ];
  const { python, env } = await ensureJupyter();
  const kernel = await startProcess(python, [SCRIPT, join(PROJECT, "notebooks"), JSON.stringify(cells)], {
    env: { ...env, NOTEBOOK_QUICK: "1", CHECKPOINTS_DIR: folder.path },
    extendEnv: false,
  });
  const { stdout, stderr } = await kernel.ended;
  assert.ok(stdout !== "", stderr);
  const [, training, waiting, state, tensor] = JSON.parse(stdout) as string[];
  assert.match(training, /Stopped .*saved\. To continue, give `resume: "long"`/);
  assert.ok(Deno.statSync(join(folder.path, "notebooks", "long", "last.safetensors")).isFile);
  assert.match(waiting, /restart the kernel[^]*to the end/);
  assert.match(state, /long/);
  assert.equal(tensor, "tensor [3] float32: 1, 2, 3");
});
