// deno task bench as a process, our side alone
import assert from "node:assert/strict";
import { join } from "@std/path";
import { type BenchResult, linkPython } from "../../bench/run_bench.ts";
import { runCommand, startCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

const TINY = ["--quick", "--data", "synthetic", "--weights", "random", "--device", "cpu"];

Deno.test("our rows are measured without PyTorch, with JSON and figure", async () => {
  using folder = temporaryFolder();
  const [json, figure] = ["bench.json", "bench.svg"].map((name) => join(folder.path, name));
  const what = [
    "--rows",
    "ours,plain",
    "--columns",
    "predict,slowest,epoch",
    "--batch-sizes",
    "2",
    "--epoch-images",
    "128",
  ];
  const { code, stdout, stderr } = await runCommand("bench", [
    ...[...TINY, ...what, "--rounds", "2", "--threads", "1"],
    ...["--json", json, "--figure", figure],
  ], folder.path);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^QUICK: a smoke test, not a measurement\.$/m);
  assert.match(stdout, /^scores of one image +[\d.,]+ ms +– +[\d.,]+ ms +–$/m);
  assert.match(stdout, /^Images: synthetic\. Weights: random\./m);
  const result = JSON.parse(Deno.readTextFileSync(json)) as BenchResult;
  assert.deepEqual(result.columns.map(({ id }) => id), ["epoch", "predict", "slowest", "step-2"]);
  assert.deepEqual(result.columns.map(({ rows }) => rows.map(({ row }) => row)), [
    ["plain", "ours"],
    ["plain", "ours"],
    ["plain", "ours"],
    ["ours"],
  ]);
  for (const { rows } of result.columns) {
    for (const { rounds, ratio } of rows) {
      assert.equal(rounds.length, 2);
      assert.ok(rounds.every((value) => value > 0));
      assert.equal(ratio, null);
    }
  }
  assert.equal(result.own!.threads, 1);
  assert.deepEqual([result.isQuick, result.pytorch, result.settings.epochImages], [true, null, 128]);
  assert.ok(result.dataShare!.median > 0 && result.overhead!.outside > 0);
  assert.match(Deno.readTextFileSync(figure), /^<svg/);
});

Deno.test("a training by the recipe fast is timed as a process, and its accuracy kept", async () => {
  using folder = temporaryFolder();
  const json = join(folder.path, "bench.json");
  const what = [...TINY, "--rows", "ours", "--columns", "accuracy", "--rounds", "1", "--json", json];
  const { code, stdout, stderr } = await runCommand("bench", what, folder.path);
  assert.equal(code, 0, stderr);
  const [{ id, rows: [{ rounds, accuracies }] }] =
    (JSON.parse(Deno.readTextFileSync(json)) as BenchResult).columns;
  assert.deepEqual([id, rounds.length, accuracies!.length], ["accuracy", 1, 1]);
  assert.ok(rounds[0] > 0.5 && accuracies![0] >= 0.1);
  assert.match(stdout, /Test accuracy .* ours:\s+\d+\.\d\d\s+% \(n = 1\)\./);
});

Deno.test("an interrupted benchmark writes nothing", async () => {
  using folder = temporaryFolder();
  const json = join(folder.path, "bench.json");
  const columns = ["--rows", "ours", "--columns", "step", "--rounds", "1000"];
  const command = startCommand("bench", [...TINY, ...columns, "--json", json], folder.path);
  await new Promise((done) => setTimeout(done, 1500)); // it says nothing that could be waited for
  command.kill("SIGTERM");
  const { code, signal, stdout, stderr } = await command.output;
  // a starved machine may not have come so far that it listens
  assert.ok(
    signal === "SIGTERM" || (code === 130 && stderr.includes("Stopped; nothing was written.")),
    stderr,
  );
  assert.equal(stdout, "");
  assert.throws(() => Deno.statSync(json), Deno.errors.NotFound);
});

Deno.test("invalid requests are refused before any process starts", async () => {
  using folder = temporaryFolder();
  const refuse = async (...args: string[]) => {
    const { code, stderr, stdout } = await runCommand("bench", args, folder.path);
    assert.deepEqual([code, stdout], [2, ""]);
    return stderr;
  };
  assert.match(
    await refuse("--rows", "our"),
    /^error: Cannot select "our" \(--rows\): there is no "our"; choose from plain, .*, ours\.\n$/,
  );
  assert.match(
    await refuse("--json", join(folder.path, "no", "a.json")),
    /^error: Cannot write .*: there is no folder /,
  );
});

Deno.test("a Python environment whose path has a space is used through a link without one", async () => {
  using folder = temporaryFolder();
  const environment = join(folder.path, "a b");
  await new Deno.Command("python3", { args: ["-m", "venv", "--without-pip", environment] }).output();
  const python = linkPython(join(environment, "bin", "python3"), folder.path);
  assert.ok(!python.includes(" "));
  const { stdout } = await new Deno.Command(python, { args: ["-c", "import sys; print(sys.prefix)"] })
    .output();
  assert.equal(new TextDecoder().decode(stdout).trim(), join(folder.path, "python"));
  assert.equal(linkPython("/usr/bin/python3", folder.path), "/usr/bin/python3");
});
