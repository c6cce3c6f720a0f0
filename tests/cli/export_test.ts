import assert from "node:assert/strict";
import { join } from "@std/path";
import { exists } from "../../lib/support/files.ts";
import { saveRandomCheckpoint } from "../testing/checkpoint.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { PROJECT } from "../testing/sources.ts";

const exportNetwork = (folder: string, ...args: string[]) => runCommand("export", args, folder);

Deno.test("export writes each format and describes inputs and outputs", async () => {
  using folder = temporaryFolder();
  const checkpoint = await saveRandomCheckpoint(join(folder.path, "c.safetensors"));
  const cases = [
    {
      format: "pytorch",
      output: "new/a.safetensors",
      files: ["new/a.safetensors", "new/load_a.py"],
      input: "[N,3,32,32]",
    },
    { format: "onnx", output: "a.onnx", files: ["a.onnx"], input: "[N,3,32,32]" },
    {
      format: "tfjs",
      output: "web/model",
      files: ["web/model/model.json", "web/model/weights.bin"],
      input: "[N,32,32,3]",
    },
  ];
  for (const { format, output, files, input } of cases) {
    const args = [checkpoint, "--format", format, "--output", join(folder.path, output)];
    const { code, stdout, stderr } = await exportNetwork(folder.path, ...args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^The sign of the maps in .*c\.safetensors was never chosen: .*\n$/);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines[0], `dynamic (${checkpoint}, after epoch 0)`);
    for (const [index, file] of files.entries()) {
      const path = join(folder.path, file);
      assert(lines[1 + index].startsWith(`  ${path}  `), lines[1 + index]);
      assert(Deno.statSync(path).size > 100);
    }
    assert(stdout.includes(`In: images ${input}, `) && stdout.includes("Out: scores [N,10]"), stdout);
    assert.equal(lines.at(-1), "Trained on: nothing. Weights: random.");
    const json = JSON.parse((await exportNetwork(folder.path, ...args, "--json")).stdout);
    assert.deepEqual(json.files, files.map((file) => join(folder.path, file)));
  }
});

Deno.test("export has nothing to warn of where the sign of the maps was chosen", async () => {
  using folder = temporaryFolder();
  const published = join(PROJECT, "checkpoints", "published", "dynamic.safetensors");
  const output = join(folder.path, "a.onnx");
  const { code, stderr } = await exportNetwork(
    folder.path,
    published,
    "--format",
    "onnx",
    "--output",
    output,
  );
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("export refuses invalid requests in one line and keeps the checkpoint", async () => {
  using folder = temporaryFolder();
  const path = await saveRandomCheckpoint(join(folder.path, "c.safetensors"));
  const before = Deno.readFileSync(path);
  const cases: [string[], string][] = [
    [[path], `Cannot start without --format: write deno task export ${path} --format pytorch|onnx|tfjs.`],
    [[path, "--format", "keras"], "Cannot use --format keras: it must be pytorch, onnx or tfjs."],
    [
      [path, "--format", "onnx", "--output", "a.pb"],
      "Cannot export to a.pb: for onnx the name must end in .onnx.",
    ],
    [
      [path, "--format", "pytorch", "--output", path],
      `Cannot export to ${path}: that is the checkpoint itself; use --output PATH.`,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await exportNetwork(folder.path, ...args);
    assert.deepEqual([code, stdout, stderr], [2, "", `error: ${message}\n`]);
  }
  assert.deepEqual(Deno.readFileSync(path), before);
});

Deno.test("export replaces only an unchanged export of the same checkpoint, unless it is forced", async () => {
  using folder = temporaryFolder();
  const file = (name: string) => join(folder.path, name);
  const [one, other] = ["one.safetensors", "other.safetensors"].map(file);
  await saveRandomCheckpoint(one);
  await saveRandomCheckpoint(other, { variant: "static-per-class" });
  const [exported, module] = [file("torch.safetensors"), file("load_torch.py")];
  const run = async (checkpoint: string, output: string, ...more: string[]) => {
    const args = [checkpoint, "--format", "pytorch", "--output", output, ...more];
    const { code, stderr } = await exportNetwork(folder.path, ...args);
    return [code, stderr.replace(/^The sign of the maps .*\n/, "")];
  };
  const refuse = (path: string, why: string) => [
    2,
    `error: Cannot replace ${path}: ${why}; choose another name, or use --force.\n`,
  ];
  const foreign =
    "there is already a file of that name, which this program did not write or which has changed since";
  Deno.writeTextFileSync(module, "mine");
  assert.deepEqual(await run(one, exported), refuse(module, foreign));
  assert.deepEqual([exists(exported), Deno.readTextFileSync(module)], [false, "mine"]);
  Deno.removeSync(module);
  assert.deepEqual(await run(one, exported), [0, ""]);
  assert.deepEqual(await run(one, exported), [0, ""]); // its own, unchanged
  assert.deepEqual(await run(other, exported), refuse(exported, `it is an export of ${one}`));
  Deno.writeTextFileSync(module, "# mine", { append: true });
  assert.deepEqual(await run(one, exported), refuse(module, foreign));
  const before = Deno.readFileSync(other);
  assert.deepEqual(await run(one, other), refuse(other, foreign)); // another checkpoint
  assert.deepEqual(Deno.readFileSync(other), before);
  assert.deepEqual(await run(other, exported, "--force"), [0, ""]);
});

Deno.test("a task called from another folder takes paths relative to it", async () => {
  using folder = temporaryFolder();
  await saveRandomCheckpoint(join(folder.path, "c.safetensors"));
  const args = ["c.safetensors", "--format", "onnx", "--output", "new/a.onnx"];
  const { INIT_CWD: _, ...env } = Deno.env.toObject(); // deno task keeps one that is there
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--config", join(PROJECT, "deno.json"), "export", ...args],
    cwd: folder.path,
    clearEnv: true,
    env: { ...env, CHECKPOINTS_DIR: folder.path },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  assert(Deno.statSync(join(folder.path, "new", "a.onnx")).isFile);
});
