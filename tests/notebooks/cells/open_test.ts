import assert from "node:assert/strict";
import { CLASS_NAMES } from "../../../lib/data/dataset.ts";
import { createSynthetic } from "../../../lib/data/synthetic.ts";
import { loadPretrained } from "../../../lib/model/pretrained.ts";
import { resolveConfig } from "../../../lib/training/config.ts";
import { createClaim } from "../../../notebooks/cells/claims.ts";
import { requireShowable } from "../../../notebooks/cells/model_facts.ts";
import { openModel } from "../../../notebooks/cells/open.ts";
import { trainLive } from "../../../notebooks/cells/train_live.ts";
import { printed } from "../../testing/printed.ts";
import { temporaryFolder, temporaryVariable } from "../../testing/folder.ts";

const datasets = createSynthetic({ trainSize: 32, testSize: 20 });

Deno.test("one's own run is opened by its name, and its claims do not stop the notebook", async () => {
  using folder = temporaryFolder();
  using _runs = temporaryVariable("CHECKPOINTS_DIR", folder.path);
  const pretrained = await loadPretrained({ weights: "random" });
  const notebook = { datasets, pretrained, quick: false, claim: createClaim(null) };
  for (const [run, variant] of [["mine", "dynamic"], ["stored", "static-per-class"]] as const) {
    const flags = { run, variant, seed: 7, epochs: 1, batchSize: 16, validation: 10, weights: "random" };
    await printed(() => trainLive(resolveConfig({ flags }), { datasets, curves: false }));
  }
  const text = await printed(async () => {
    const model = await openModel(notebook, { run: "notebooks/mine" });
    assert.match(
      model.description,
      /^run mine: dynamic, epoch 1 of 1, seed 7, .* held-out images correct; data synth/,
    );
    model.claim("the evidence points at its class", 0.1, { above: 0.25 });
    model.claim("a sentence that holds", true);
    using _model = temporaryVariable("NOTEBOOK_MODEL", `${folder.path}/notebooks/mine/best.safetensors`);
    assert.equal((await openModel(notebook)).description, model.description);
    const other = await openModel({ ...notebook, pretrained: { ...pretrained, name: "ImageNet" } });
    other.claim("a sentence about other weights", false);
  });
  assert.match(
    text,
    /NOT SO for run mine: the evidence points at its class \(0\.1000 is not above 0\.25\)\./,
  );
  assert.match(
    text,
    /NOT TESTED \(other images or weights than the model's\).*: a sentence about other weights/,
  );
  assert.doesNotMatch(text, /a sentence that holds/);
  await assert.rejects(
    openModel(notebook, { run: "notebooks/stored" }),
    /Cannot show run stored in the notebooks: its filters are stored, it is static-per-class/,
  );
  await assert.rejects(openModel(notebook, { run: "nobody" }), /Cannot find a checkpoint of nobody/);
});

Deno.test("a model is refused where the notebooks would misread it, with the reason", () => {
  const config = resolveConfig({ flags: { run: "mine" } });
  requireShowable({ config, classNames: CLASS_NAMES });
  assert.throws(
    () => requireShowable({ config, classNames: [...CLASS_NAMES, "zebra"] }),
    /Cannot show run mine in the notebooks: its classes are not CIFAR-10's ten/,
  );
  const named = resolveConfig({ flags: { run: "mine", variant: "dynamic-names" } });
  assert.throws(
    () => requireShowable({ config: named, classNames: CLASS_NAMES }),
    /not learned, but made of names/,
  );
});
