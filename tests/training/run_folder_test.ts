import assert from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import {
  defaultRunsFolder,
  findCheckpoint,
  listRuns,
  openNumberedRunFolder,
  openRunFolder,
  removeRun,
} from "../../lib/training/run_folder.ts";
import { temporaryFolder, temporaryVariable } from "../testing/folder.ts";
import { EPOCH_RECORD, trainTiny } from "../testing/training.ts";

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** A run's folder with these files in it. */
function makeRun(runs: string, name: string, ...files: string[]): string {
  const path = join(runs, name);
  Deno.mkdirSync(path, { recursive: true });
  for (const file of files) Deno.writeTextFileSync(join(path, file), "x");
  return path;
}

for (const file of ["last.safetensors", "best.safetensors"]) {
  Deno.test(`a new run refuses a folder that has a ${file}`, () => {
    using runs = temporaryFolder();
    const path = makeRun(runs.path, "dynamic", file);
    assert.throws(
      () => openRunFolder(path, true),
      new InputError({
        what: "start run dynamic",
        why: `it is already in ${path}`,
        next: [{ set: { resume: "dynamic" } }, { set: { run: "NAME" } }, { advice: "delete the folder" }],
      }),
    );
    assert.equal(Deno.readTextFileSync(join(path, file)), "x");
    openRunFolder(path, false)[Symbol.dispose](); // resuming is allowed, and the refusal left no lock
  });
}

Deno.test("a new run takes a folder without a checkpoint", () => {
  using runs = temporaryFolder();
  const path = makeRun(runs.path, "dynamic", "config.json", "history.jsonl");
  const foreign = /config\.json was not written by a training and would be overwritten/;
  assert.throws(() => openRunFolder(path, true), foreign);
  Deno.writeTextFileSync(join(path, "config.json"), '{"recorded": {}}');
  assert.throws(() => openRunFolder(path, true), /history\.jsonl holds epochs and would be overwritten/);
  Deno.truncateSync(join(path, "history.jsonl"));
  using _folder = openRunFolder(path, true);
});

Deno.test("a run is trained by one process at a time", () => {
  using runs = temporaryFolder();
  const path = join(runs.path, "dynamic");
  const refusal = new InputError({
    what: "train run dynamic",
    why: "another process is training it",
    next: [{ advice: "wait for it" }, { set: { run: "NAME" } }],
  });
  {
    using folder = openRunFolder(path, true);
    for (const isNew of [true, false]) assert.throws(() => openRunFolder(path, isNew), refusal);
    Deno.writeTextFileSync(folder.last, "x");
    for (const isNew of [true, false]) assert.throws(() => openRunFolder(path, isNew), refusal);
    openRunFolder(join(runs.path, "other"), true)[Symbol.dispose]();
  }
  openRunFolder(path, false)[Symbol.dispose]();
});

Deno.test("an unnamed run is numbered if its network's name is taken", () => {
  using runs = temporaryFolder();
  const open = () => openNumberedRunFolder(runs.path, "dynamic");
  makeRun(runs.path, "dynamic-2", "best.safetensors");
  using first = open();
  using second = open(); // as another process would, while the first has no checkpoint yet
  assert.deepEqual(
    [first, second].map(({ path }) => path),
    ["dynamic", "dynamic-3"].map((name) => join(runs.path, name)),
  );
});

Deno.test("the temporary files of a killed process are removed", () => {
  using runs = temporaryFolder();
  const leftover = `.dynamic-filters-${crypto.randomUUID()}.tmp`;
  const path = makeRun(runs.path, "dynamic", "last.safetensors", leftover, "notes.tmp");
  using folder = openRunFolder(path, false);
  folder.writeHistory([]);
  assert.deepEqual(namesIn(path), [".lock", "history.jsonl", "last.safetensors", "notes.tmp"]);
});

Deno.test("a run writes into its own folder only: links in it are refused", () => {
  using runs = temporaryFolder();
  const other = makeRun(runs.path, "other", "last.safetensors", "config.json");
  const linked = join(runs.path, "linked");
  Deno.symlinkSync(other, linked);
  assert.throws(
    () => openRunFolder(linked, true),
    /linked is a symbolic link, and a run writes into its own/,
  );
  for (const name of [".lock", "config.json", "last.safetensors", "provenance.json"]) {
    const path = makeRun(runs.path, `with-${name}`);
    Deno.symlinkSync(join(other, "new"), join(path, name));
    assert.throws(() => openRunFolder(path, true), new RegExp(`${name} is a symbolic link`));
  }
  assert.deepEqual(namesIn(other), ["config.json", "last.safetensors"]);
});

Deno.test("history is appended in whole lines and can be rewritten", () => {
  using runs = temporaryFolder();
  using folder = openRunFolder(join(runs.path, "dynamic"), true);
  const read = () => Deno.readTextFileSync(join(folder.path, "history.jsonl"));
  for (const epoch of [1, 2, 3]) folder.appendHistory({ ...EPOCH_RECORD, epoch });
  assert.deepEqual(
    read().trimEnd().split("\n").map((line) => JSON.parse(line)),
    [1, 2, 3].map((epoch) => ({ ...EPOCH_RECORD, epoch })),
  );
  folder.writeHistory([EPOCH_RECORD]);
  assert.equal(read(), JSON.stringify(EPOCH_RECORD) + "\n");
  folder.writeHistory([]);
  assert.equal(read(), "");
});

Deno.test("config.json holds options and environment, and is a configuration file", () => {
  using runs = temporaryFolder();
  using folder = openRunFolder(join(runs.path, "dynamic"), true);
  const config = resolveConfig({ flags: { epochs: 3 } });
  const recorded = {
    data: "synthetic",
    weights: "random",
    device: "cpu",
    threads: 2,
    tensorflow: "2.21.0",
  } as const;
  folder.writeConfig(config, recorded);
  const values = JSON.parse(Deno.readTextFileSync(join(folder.path, "config.json")));
  assert.deepEqual(values, { ...config, recorded });
  assert.deepEqual(resolveConfig({ file: { path: "config.json", values } }), config);
});

Deno.test("RUN|FILE is a file, or the best or last checkpoint of a run or folder", () => {
  using runs = temporaryFolder();
  const both = makeRun(runs.path, "both", "last.safetensors", "best.safetensors", "other.safetensors");
  const only = makeRun(runs.path, "only", "last.safetensors");
  const find = (name: string, which: "best" | "last") => findCheckpoint(name, which, runs.path);
  assert.equal(find("both", "best"), join(both, "best.safetensors"));
  assert.equal(find("both", "last"), join(both, "last.safetensors"));
  assert.equal(find(both, "best"), join(both, "best.safetensors"));
  assert.equal(findCheckpoint(both, "last", "/nowhere"), join(both, "last.safetensors"));
  for (const which of ["best", "last"] as const) {
    assert.equal(find(join(both, "other.safetensors"), which), join(both, "other.safetensors"));
  }
  assert.equal(find("only", "last"), join(only, "last.safetensors"));
  assert.throws(() => find("only", "best"), {
    message: /no best\.safetensors in .*only; runs here are both, only\.$/,
    next: [{ advice: `use the file ${join(only, "last.safetensors")}` }],
  });
});

Deno.test("a device is no checkpoint", () => {
  const message = "Cannot read /dev/zero: it is a device or a pipe and no file.";
  assert.throws(() => findCheckpoint("/dev/zero", "best"), { message });
});

Deno.test("a missing checkpoint is refused with a list of runs", () => {
  using runs = temporaryFolder();
  const refuse = (name: string, message: RegExp) =>
    assert.throws(() => findCheckpoint(name, "best", runs.path), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });
  refuse(
    "dynamic",
    /^Cannot find a checkpoint of dynamic: there is no such file, .* there are no runs yet\.$/,
  );
  const path = makeRun(runs.path, "b", "last.safetensors");
  makeRun(runs.path, "a", "best.safetensors");
  makeRun(runs.path, "empty", "config.json");
  Deno.writeTextFileSync(join(runs.path, "README.md"), "x");
  assert.deepEqual(listRuns(runs.path), ["a", "b"]);
  for (
    const name of [
      "dynamic",
      "",
      "empty",
      join(path, "last.safetensors", "inside"),
      "README.md/x",
    ]
  ) {
    refuse(name, /^Cannot find a checkpoint of .*; runs here are a, b\.$/);
  }
  assert.deepEqual(listRuns(join(runs.path, "missing")), []);
});

Deno.test("runs are in checkpoints/ or in CHECKPOINTS_DIR", () => {
  using _variable = temporaryVariable("CHECKPOINTS_DIR", null);
  assert.match(defaultRunsFolder(), /\/checkpoints$/);
  Deno.env.set("CHECKPOINTS_DIR", "somewhere/else");
  assert.equal(defaultRunsFolder(), join(Deno.cwd(), "somewhere/else"));
});

Deno.test("a run is removed without others' files, and not while it trains", () => {
  using runs = temporaryFolder();
  const path = makeRun(runs.path, "dynamic", "last.safetensors", "history.jsonl", "notes.txt");
  Deno.mkdirSync(join(path, "tensorboard"));
  {
    using _training = openRunFolder(path, false);
    assert.throws(() => removeRun(path), /another process is training it/);
    assert.ok(namesIn(path).includes("last.safetensors"));
  }
  removeRun(path);
  assert.deepEqual(namesIn(path).filter((name) => name !== ".lock"), ["notes.txt"]);
  removeRun(join(runs.path, "none"));
});

Deno.test("a training whose claim was taken over saves nothing more", async () => {
  using temporary = temporaryFolder();
  let isOwn = true;
  const requireClaim = () => {
    if (!isOwn) throw new InputError("taken over");
  };
  const observer = { onEpoch: () => void (isOwn = false) };
  await assert.rejects(trainTiny(temporary.path, { epochs: 3 }, { requireClaim, observer }), /taken over/);
  const { progress } = await openCheckpoint(join(temporary.path, "tiny", "last.safetensors"));
  assert.deepEqual([progress.epochs, progress.steps], [1, 0]);
});
