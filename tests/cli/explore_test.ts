import assert from "node:assert/strict";
import { join } from "@std/path";
import { publishedModelFolder } from "../../lib/experiments/publish.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

const PUBLISHED = join(publishedModelFolder(), "dynamic.safetensors");

Deno.test("explore writes one page, the same each time, and replaces nobody else's file", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "page.html");
  const explore = () => runCommand("explore", ["--model", PUBLISHED, "--output", path], folder.path);
  const { code, stdout, stderr } = await explore();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /page\.html +1\.\d MB \(wasm \d+ kB, network \d+ kB, known \d+ kB, program /);
  const page = Deno.readTextFileSync(path);
  assert.equal((await explore()).code, 0);
  assert.equal(Deno.readTextFileSync(path), page);
  assert.doesNotMatch(page, /(src|href)="?(https?:)?\/\//);
  assert.match(
    page,
    /content="default-src 'none'; script-src 'sha256-[^"]+ 'sha256-[^"]+ 'wasm-unsafe-eval';/,
  );
  Deno.writeTextFileSync(path, "mine");
  const refused = await explore();
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: Cannot replace .*page\.html: there is already a file/);
  assert.equal(Deno.readTextFileSync(path), "mine");
});

Deno.test("a page of another network teaches by the images that it was trained on", async () => {
  using folder = temporaryFolder();
  const explore = async (name: string, data: string) => {
    const model = await saveRandomCheckpoint(join(folder.path, name), { data });
    const args = ["--model", model, "--output", join(folder.path, "page.html"), "--data", "synthetic"];
    const { code, stdout, stderr } = await runCommand("explore", args, folder.path);
    assert.equal(code, 0, stderr);
    return { canTeach: stdout.includes("known"), stderr };
  };
  assert.equal((await explore("a.safetensors", "synthetic")).canTeach, true);
  const { canTeach, stderr } = await explore("b.safetensors", "CIFAR-10");
  assert.equal(canTeach, false);
  assert.match(
    stderr,
    /The page cannot teach: the network was trained on CIFAR-10, and the images found are /,
  );
});
