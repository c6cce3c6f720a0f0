// deno task train as a process: signals, locks, exit codes, what goes where
import assert from "node:assert/strict";
import { join } from "@std/path";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { train } from "../../lib/training/train.ts";
import { runCommand, startCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { assertSameRun, readHistory, timeless } from "../testing/training.ts";

const NETWORK = ["--data", "synthetic", "--weights", "random", "--device", "cpu", "--no-compile"];
const SIZE = ["--run", "cut", "--subset", "960", "--test-subset", "20", "--batch-size", "4", "--epochs", "3"];

Deno.test("a training that is interrupted, terminated, killed and resumed equals an undisturbed one", async (test) => {
  using folder = temporaryFolder();
  const [runs, whole] = [join(folder.path, "cut"), join(folder.path, "whole")];
  const run = join(runs, "cut");
  const resume = ["--resume", "cut"];

  for (const [signal, args] of [["SIGINT", [...NETWORK, ...SIZE]], ["SIGTERM", resume]] as const) {
    await test.step(`${signal} saves, and prints how to resume`, async () => {
      const command = startCommand("train", [...args], runs);
      await command.says(/^folder /m);
      command.kill(signal);
      const { code, stdout, stderr } = await command.output;
      assert.equal(code, 130, stderr);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /\nStopped (in epoch \d, after step \d+|after epoch \d); everything is saved\. To continue, run `deno task train --resume cut`\.\n$/,
      );
    });
  }

  await test.step("another process that trains the run is refused in one line", async () => {
    using lock = Deno.openSync(join(run, ".lock"), { write: true });
    lock.lockSync(true);
    const { code, stdout, stderr } = await runCommand("train", resume, runs);
    assert.equal(code, 2);
    assert.deepEqual([stdout, stderr], [
      "",
      "error: Cannot train run cut: another process is training it; wait for it, or use --run NAME.\n",
    ]);
  });

  await test.step("after SIGKILL at any time the run can be resumed", async () => {
    const command = startCommand("train", resume, runs);
    await command.says(/^epoch \d\/3/m);
    await new Promise((done) => setTimeout(done, 300 * Math.random()));
    command.kill("SIGKILL");
    const { signal, code, stderr } = await command.output;
    assert.ok(signal === "SIGKILL" || code === 0, stderr); // a fast machine may have finished
  });

  await test.step("resumed to its end it prints one JSON object, with equal tensors and history", async () => {
    const { code, stdout, stderr } = await runCommand("train", [...resume, "--json"], runs);
    assert.equal(code, 0, stderr);
    await useNativeTensorFlow({ device: "cpu" });
    const expected = await train(
      resolveConfig({
        flags: {
          ...{ data: "synthetic", weights: "random", device: "cpu", compile: false },
          ...{ run: "cut", subset: 960, testSubset: 20, batchSize: 4, epochs: 3 },
        },
      }),
      { runsFolder: whole },
    );
    await assertSameRun(run, expected.folder);
    const { history, folder, ...result } = JSON.parse(stdout);
    assert.deepEqual(result, {
      ...{ config: expected.config, recorded: expected.recorded, best: expected.best },
      ...{ chosenOn: "test", test: expected.test },
    });
    assert.equal(folder, run);
    assert.deepEqual(history, readHistory(run));
    assert.deepEqual(timeless(history), timeless(expected.history));
    assert.match(stderr, /^Resuming run cut (in epoch \d, after step \d+|after epoch \d)\.$/m);
    assert.match(stderr, /^epoch 3\/3 +train loss \d.*test loss \d.*$/m);
  });

  await test.step("a finished run, resumed again, prints its result with data and weights", async () => {
    const { code, stdout, stderr } = await runCommand("train", resume, runs);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^Test accuracy \d+\.\d\d %, loss \d\.\d{4}, after epoch [123]: the best of all epochs on the test set\.\nData: synthetic \(NOT CIFAR-10\)\. Weights: random\. Saved in .*\/cut\.\n$/,
    );
    assert.match(stderr, /^network +dynamic, 212,481 parameters, all trainable$/m);
    assert.match(stderr, /^device +CPU, TensorFlow \d+\.\d+\.\d+, \d+ threads$/m);
  });

  await test.step("another of its files, or another name, continues it in a new run", async () => {
    const best = join(run, "best.safetensors");
    const refused = await runCommand("train", ["--resume", best], runs);
    assert.deepEqual([refused.code, refused.stdout], [2, ""]);
    assert.match(
      refused.stderr,
      /; use --resume .*\/cut, or use --resume .*\/best\.safetensors --run NAME\.\n$/,
    );
    const { code, stderr } = await runCommand("train", [...resume, "--run", "copy"], runs);
    assert.equal(code, 0, stderr);
    await assertSameRun(join(runs, "copy"), run);
    const own = await runCommand("train", [...resume, "--run", "cut"], runs);
    assert.match(own.stderr, /^run +cut$/m);
  });

  await test.step("it is not resumed with another seed or batch size", async () => {
    const { code, stdout, stderr } = await runCommand("train", [
      ...resume,
      "--batch-size",
      "8",
      "--seed",
      "3",
    ], runs);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^error: Cannot resume run cut with seed 3 \(it has seed 0\) and batchSize 8 \(it has batchSize 4\): .*\n$/m,
    );
    assert.equal(readHistory(run).length, 3);
  });
});

Deno.test("a second run of a network is numbered with a message; an explicit name that is taken is refused", async () => {
  using folder = temporaryFolder();
  const args = [...NETWORK, ...[
    "--subset",
    "20",
    "--test-subset",
    "10",
    "--batch-size",
    "10",
    "--epochs",
    "1",
  ]];
  const first = await runCommand("train", args, folder.path);
  assert.match(first.stderr, /^run +dynamic\n/);
  const second = await runCommand("train", [...args, "--tensorboard"], folder.path);
  assert.match(
    second.stderr,
    /^dynamic exists; this run is dynamic-2; --resume dynamic continues that one\.\nrun +dynamic-2\n/,
  );
  assert.match(second.stderr, /^curves +tensorboard --logdir .*\/dynamic-2$/m);
  assert.equal(
    (await openCheckpoint(join(folder.path, "dynamic-2", "last.safetensors"))).config.run,
    "dynamic-2",
  );
  const { code, stderr } = await runCommand("train", [...args, "--run", "dynamic"], folder.path);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: Cannot start run dynamic: it is already in .*; use --resume dynamic, or use --run NAME, .*\n$/,
  );
});

Deno.test("a run that cannot be resumed is refused in one line with a list of runs", async () => {
  using folder = temporaryFolder();
  const { code, stdout, stderr } = await runCommand("train", ["--resume", "dynamic"], folder.path);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^error: Cannot find a checkpoint of dynamic: .*; there are no runs yet\.\n$/);
});

Deno.test("where the last checkpoint is damaged, the message says how to go on from the best one", async () => {
  using folder = temporaryFolder();
  const run = join(folder.path, "damaged");
  Deno.mkdirSync(run);
  const best = join(run, "best.safetensors");
  for (const path of [best, join(run, "last.safetensors")]) Deno.writeTextFileSync(path, "x".repeat(1000));
  const { code, stderr } = await runCommand("train", ["--resume", "damaged"], folder.path);
  assert.equal(code, 2);
  assert.match(stderr, new RegExp(`^error: Cannot read .*; use --resume ${best} --run NAME.*\n$`));
});
