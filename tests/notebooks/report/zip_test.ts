import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { unzipSync } from "fflate";
import { collectFiles, zipFiles } from "../../../notebooks/report/zip.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { listFiles, PROJECT } from "../../testing/sources.ts";

const FILES = [
  "deno",
  "deno.json",
  "lib/a.ts",
  "tests/testdata/a.safetensors",
  "data/README.md",
  "data/cifar-10-batches-bin/test_batch.bin",
  "checkpoints/README.md",
  "checkpoints/published/dynamic.safetensors",
  "checkpoints/dynamic/last.safetensors",
  "checkpoints/dynamic/.lock",
  "node_modules/a/index.js",
  ".venv/bin/python",
  ".tensorflow/cpu/libtensorflow_cc.so.2",
  "notebooks/01_build.ipynb",
  "notebooks/.ipynb_checkpoints/01_build-checkpoint.ipynb",
  "bench/__pycache__/a.pyc",
  "Lab_4_u1234567.pdf",
];

const CODE = [
  "checkpoints/README.md",
  "checkpoints/published/dynamic.safetensors",
  "data/README.md",
  "deno",
  "deno.json",
  "lib/a.ts",
  "notebooks/01_build.ipynb",
  "tests/testdata/a.safetensors",
];

function writeProject(folder: string): void {
  for (const path of FILES) {
    Deno.mkdirSync(dirname(join(folder, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder, path), path);
  }
  Deno.chmodSync(join(folder, "deno"), 0o755);
}

Deno.test("without git, data, environments, checkpoints and build products are left out", async () => {
  using folder = temporaryFolder();
  writeProject(folder.path);
  assert.deepEqual(await collectFiles(folder.path), { paths: CODE, untracked: [] });
  const { paths } = await collectFiles(folder.path, { checkpoints: true });
  assert.deepEqual(paths, [...CODE, "checkpoints/dynamic/last.safetensors"].sort());
});

Deno.test("with git the zip has the tracked files, and untracked ones are named", {
  ignore: !await hasGit(),
}, async () => {
  using folder = temporaryFolder();
  writeProject(folder.path);
  const git = async (...args: string[]) => {
    const { success } = await new Deno.Command("git", {
      args,
      cwd: folder.path,
      stdout: "null",
      stderr: "null",
    }).output();
    assert.ok(success, args.join(" "));
  };
  await git("init");
  Deno.writeTextFileSync(join(folder.path, ".gitignore"), "*\n");
  await git("add", "--force", "lib/a.ts", "deno", "deno.json");
  Deno.removeSync(join(folder.path, "deno.json"));
  Deno.writeTextFileSync(join(folder.path, ".gitignore"), "*\n!/Lab*\n");
  assert.deepEqual(await collectFiles(folder.path), {
    paths: ["deno", "lib/a.ts"],
    untracked: ["Lab_4_u1234567.pdf"],
  });
  // a project inside another repository is not tracked by it
  writeProject(join(folder.path, "inner"));
  assert.deepEqual((await collectFiles(join(folder.path, "inner"))).paths, CODE);
});

Deno.test("this project's zip has every source, test, oracle, notebook and result", async () => {
  const { paths, untracked } = await collectFiles(PROJECT);
  const needed = [
    ...["lib", "cli", "tests", "vendor/std_path"].flatMap((folder) => listFiles(folder, ".ts")),
    ...listFiles("tests/testdata", ""),
    ...listFiles("notebooks", ".ipynb").filter((path) => !path.includes(".ipynb_checkpoints")),
    ...listFiles("notebooks/results", ""),
    ...listFiles("lib", ".py"),
    ...listFiles("lib", ".typ"),
    ...["deno", "deno.json", "deno.lock", "requirements/deno.txt", "README.md"],
  ];
  const missing = needed.filter((path) => !paths.includes(path) && !untracked.includes(path));
  assert.deepEqual(missing, []);
  assert.deepEqual(paths.filter((path) => /^(node_modules|\.venv|\.tensorflow|\.git)\//.test(path)), []);
  assert.deepEqual(paths.filter((path) => /^data\/./.test(path)), ["data/README.md"]);
});

Deno.test("a zip has one folder, keeps executable bits, and is reproducible byte for byte", async () => {
  using folder = temporaryFolder();
  writeProject(folder.path);
  const entries = [{ path: "deno" }, { path: "lib/a.ts" }, {
    path: "report.pdf",
    bytes: new Uint8Array([1, 2]),
  }];
  const date = new Date("2026-01-02T03:04:05Z");
  const zip = await zipFiles(folder.path, "Top", entries, date);
  assert.deepEqual(zip, await zipFiles(folder.path, "Top", entries.toReversed(), date));
  const files = unzipSync(zip);
  assert.deepEqual(Object.keys(files).sort(), ["Top/deno", "Top/lib/a.ts", "Top/report.pdf"]);
  assert.equal(new TextDecoder().decode(files["Top/lib/a.ts"]), "lib/a.ts");
  assert.deepEqual([...files["Top/report.pdf"]], [1, 2]);
  assert.deepEqual(modesOf(zip), { "Top/deno": 0o755, "Top/lib/a.ts": 0o644, "Top/report.pdf": 0o644 });
});

/** Permissions by the zip's central directory: APPNOTE 4.3.12. */
function modesOf(zip: Uint8Array): Record<string, number> {
  const view = new DataView(zip.buffer, zip.byteOffset);
  const modes: Record<string, number> = {};
  for (let at = 0; at + 46 < zip.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + view.getUint16(at + 28, true)));
    modes[name] = (view.getUint32(at + 38, true) >>> 16) & 0o777;
  }
  return modes;
}

async function hasGit(): Promise<boolean> {
  try {
    return (await new Deno.Command("git", { args: ["--version"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}
