import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { unzipSync } from "fflate";
import { collectFiles, zipFiles } from "../../../notebooks/report/zip.ts";
import { InputError } from "../../../lib/support/errors.ts";
import { temporaryFolder, temporaryVariable } from "../../testing/folder.ts";
import { isTracked } from "./sample.ts";
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

function writeProject(folder: string): void {
  for (const path of FILES) {
    Deno.mkdirSync(dirname(join(folder, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder, path), path);
  }
  Deno.chmodSync(join(folder, "deno"), 0o755);
}

async function git(folder: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command("git", { args, cwd: folder, stdout: "null", stderr: "null" })
    .output();
  assert.ok(success, args.join(" "));
}

const needsGit = { ignore: !await hasGit() };

async function refused(project: string, why: RegExp): Promise<void> {
  await assert.rejects(collectFiles(project), (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.problem!.why, why);
    return true;
  });
}

Deno.test("a project that git does not track is not zipped", needsGit, async () => {
  using folder = temporaryFolder();
  writeProject(folder.path);
  await refused(folder.path, /^not a git repository/);
  await git(folder.path, "init");
  await refused(folder.path, /^git does not track it$/);
  await git(folder.path, "add", "deno.json");
  assert.deepEqual((await collectFiles(folder.path)).paths, ["deno.json"]);
  // a project unpacked inside another repository
  writeProject(join(folder.path, "inner"));
  await refused(join(folder.path, "inner"), /^git does not track it$/);
  {
    using _path = temporaryVariable("PATH", "/nowhere");
    await refused(folder.path, /^git is not installed$/);
  }
  using other = temporaryFolder();
  await git(other.path, "init");
  using _directory = temporaryVariable("GIT_DIR", join(other.path, ".git"));
  assert.deepEqual((await collectFiles(folder.path)).paths, ["deno.json"]);
});

Deno.test("a repository of another user is refused with git's words", {
  ignore: needsGit.ignore || Deno.uid() !== 0,
}, async () => {
  using folder = temporaryFolder();
  writeProject(folder.path);
  await git(folder.path, "init");
  await git(folder.path, "add", "deno.json");
  Deno.chownSync(folder.path, 12345, 12345);
  await refused(folder.path, /^detected dubious ownership in repository/);
});

Deno.test("the zip has the tracked files, and others are named but for ignored ones", needsGit, async () => {
  using folder = temporaryFolder();
  using outside = temporaryFolder();
  writeProject(folder.path);
  const write = (path: string) => Deno.writeTextFileSync(join(folder.path, path), path);
  const odd = 'a "quoted"\nü.txt';
  ["secret.env", odd, "replaced.txt", "deleted.txt", "lib/b.ts", "moved.txt"].forEach(write);
  write("notes.md");
  Deno.writeTextFileSync(join(folder.path, ".gitignore"), "*\n!notes.md\n");
  await git(folder.path, "init");
  Deno.symlinkSync("secret.env", join(folder.path, "link"));
  const added = ["deno", "deno.json", "lib", odd, "link", "replaced.txt", "deleted.txt", "bench"];
  await git(folder.path, "add", "--force", ...added);
  Deno.removeSync(join(folder.path, "deleted.txt"));
  Deno.removeSync(join(folder.path, "replaced.txt"));
  Deno.symlinkSync("secret.env", join(folder.path, "replaced.txt"));
  Deno.renameSync(join(folder.path, "bench"), join(outside.path, "bench"));
  Deno.symlinkSync(join(outside.path, "bench"), join(folder.path, "bench"));
  assert.deepEqual(await collectFiles(folder.path), {
    paths: [odd, "deno", "deno.json", "lib/a.ts", "lib/b.ts"],
    untracked: ["notes.md"],
    leftOut: ["bench/__pycache__/a.pyc", "deleted.txt", "link", "replaced.txt"],
  });
  write("checkpoints/dynamic/notes.md");
  const { paths } = await collectFiles(folder.path, { checkpoints: true });
  assert.deepEqual(paths.filter((path) => path.startsWith("checkpoints")), [
    "checkpoints/dynamic/last.safetensors",
  ]);
});

Deno.test("this project's zip has every source, test, oracle, notebook and result", {
  ignore: !await isTracked(),
}, async () => {
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

Deno.test("a zip has one folder, keeps executable bits, and is reproducible byte for byte", () => {
  using folder = temporaryFolder();
  writeProject(folder.path);
  const entries = [{ path: "deno" }, { path: "lib/a.ts" }, {
    path: "report.pdf",
    bytes: new Uint8Array([1, 2]),
  }];
  const date = new Date("2026-01-02T03:04:05Z");
  const zip = zipFiles(folder.path, "Top", entries, date);
  assert.deepEqual(zip, zipFiles(folder.path, "Top", entries.toReversed(), date));
  const files = unzipSync(zip);
  assert.deepEqual(Object.keys(files).sort(), ["Top/deno", "Top/lib/a.ts", "Top/report.pdf"]);
  assert.equal(new TextDecoder().decode(files["Top/lib/a.ts"]), "lib/a.ts");
  assert.deepEqual([...files["Top/report.pdf"]], [1, 2]);
  for (const outside of ["1970-01-01", "5138-11-16"]) {
    zipFiles(folder.path, "Top", entries, new Date(outside));
  }
  assert.throws(() => zipFiles(folder.path, "Top", [{ path: "lib" }], date), { name: "InputError" });
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
