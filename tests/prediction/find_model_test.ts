import assert from "node:assert/strict";
import { join } from "@std/path";
import { findModel, PUBLISHED_MODEL } from "../../lib/prediction/classify.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("the published model is the default; without it the next step is named", () => {
  using folder = temporaryFolder();
  const runs = folder.path;
  assert.throws(() => findModel(null, runs), {
    name: "InputError",
    message: `Cannot predict without a model: there is no ${join(runs, PUBLISHED_MODEL)} yet.`,
  });
  for (const file of [PUBLISHED_MODEL, join("mine", "best.safetensors")]) {
    Deno.mkdirSync(join(runs, file, ".."), { recursive: true });
    Deno.writeTextFileSync(join(runs, file), "");
  }
  assert.equal(findModel(null, runs), join(runs, PUBLISHED_MODEL));
  assert.equal(findModel("mine", runs), join(runs, "mine", "best.safetensors"));
});
