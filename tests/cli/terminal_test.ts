// what the commands print on a terminal of 80 and of 60 columns, in a pseudo-terminal
import assert from "node:assert/strict";
import { join } from "@std/path";
import { formatResult } from "../../cli/compare/result.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { experimentResult, seedResult } from "../experiments/samples.ts";
import { taskArguments } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { PROJECT } from "../testing/sources.ts";
import { createTerminal } from "../testing/terminal.ts";

const hasTerminals = Deno.build.os === "linux" &&
  (await new Deno.Command("python3", { args: ["-c", "import pty"] }).output().catch(() => null))?.success;

/** Runs a command line of cli/ on a terminal of so many columns; returns the lines that it leaves there. */
async function runOnTerminal(columns: number, line: string, runs: string): Promise<string[]> {
  const [script, ...args] = line.split(" ");
  const task = taskArguments(script.replace(".ts", "")).map((argument) => `"${argument}"`).join(" ");
  const { stdout } = await new Deno.Command("python3", {
    args: [
      join("tests", "testing", "terminal.py"),
      "sh",
      "-c",
      `stty cols ${columns} rows 24; "${Deno.execPath()}" ${task} ${args.join(" ")}`,
    ],
    cwd: PROJECT,
    stdin: "null",
    env: { TERM: "xterm", INIT_CWD: "", CHECKPOINTS_DIR: runs, CIFAR10_DIR: "", RESNET18_WEIGHTS: "" },
  }).output();
  const terminal = createTerminal({ columns });
  terminal.write(new TextDecoder().decode(stdout));
  return terminal.lines();
}

const TRAIN =
  "train.ts --data synthetic --weights random --device cpu --no-compile --subset 20 --test-subset 10 --batch-size 10";
const LINES: [line: string, says: RegExp][] = [
  [`${TRAIN} --epochs 2 --tensorboard`, /^epoch 2\/2 +train .*\d % +test .*\d % {2}00:0\d/m],
  [
    `${TRAIN} --epochs 1`,
    /^dynamic exists; this run is dynamic-2; --resume dynamic\s+continues that one\.$/m,
  ],
  ["train.ts --resume dynamic", /^Resuming run dynamic after epoch 2\.$/m],
  [`${TRAIN} --run dynamic`, /^error: Cannot start run dynamic: /m],
  ["evaluate.ts dynamic --data synthetic --test-subset 100", /^automobile +\d+\.\d % +(\d+ +){9}\d+$/m],
  ["predict.ts --model dynamic --cifar 3 --data synthetic", /^▸ \w+ +.\d+\.\d\d +[━─]+ +\d+\.\d %$/m],
  ["runs.ts", /^dynamic-2 +.*1\/1 +\d+\.\d\d %/m],
  ["summary.ts", /^score_predictor\.0 .*4,160$/m],
  ["summary.ts --backbone frozen --adapter 3x3", /^total +249,473 +91,969$/m],
  ["compare.ts --list", /^frozen-1x1 +backbone frozen, 1×1 adapter +59,201$/m],
  ["data.ts --data synthetic", /^airplane( +\d(,\d+)?\d*){3}$/m],
];

for (const columns of [80, 60]) {
  Deno.test(
    `every command fits a terminal of ${columns} columns`,
    { ignore: !hasTerminals },
    async (test) => {
      using folder = temporaryFolder();
      for (const [line, says] of LINES) {
        await test.step(line, async () => {
          const lines = await runOnTerminal(columns, line, folder.path);
          // a path is never broken
          const tooLong = lines.filter((each) => each.length > columns && !each.includes(folder.path));
          assert.deepEqual(tooLong, []);
          assert.match(lines.join("\n"), says);
        });
      }
    },
  );

  Deno.test(`a comparison's table fits ${columns} columns, with every accuracy and difference whole`, async () => {
    const accuracies = (index: number) =>
      [0, 1, 2].map((seed) => 80.11 - 9 * index + (seed * (index + 1)) % 3);
    const results = await Promise.all(
      EXPERIMENTS.map(({ name }, index) =>
        experimentResult(name, accuracies(index).map((accuracy, seed) => seedResult(seed, [accuracy / 100])))
      ),
    );
    const text = formatResult(results, columns);
    const same = [0.7, 0.71, 0.72].map((accuracy, seed) => seedResult(seed, [accuracy]));
    const equal = await Promise.all(["dynamic", "frozen"].map((name) => experimentResult(name, same)));
    assert.match(
      formatResult(equal, columns),
      /0\.00 \[0\.00, 0\.00\][^]*backbone frozen; no\s+difference shown/,
    );
    assert.deepEqual(text.split("\n").filter((line) => line.length > columns), []);
    assert.match(text, /^dynamic +3 +81\.11 ± 1\.00 +reference/m);
    assert.match(text, /^static-ten-way +3 +\d+\.\d\d ± \d+\.\d\d +−\d+\.\d\d \[−\d+\.\d\d, −\d+\.\d\d\]/m);
  });
}
