// what the commands print on a terminal of 80 and of 60 columns, in a pseudo-terminal
import assert from "node:assert/strict";
import { join } from "@std/path";
import { formatResult } from "../../cli/compare/result.ts";
import { createLive, formatBar } from "../../cli/shared/live.ts";
import { createWriter, escapeControls } from "../../cli/shared/terminal.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { experimentResult, seedResult } from "../experiments/samples.ts";
import { taskArguments } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { listFiles, PROJECT } from "../testing/sources.ts";
import { createTerminal } from "../testing/terminal.ts";

const hasTerminals = Deno.build.os === "linux" &&
  (await new Deno.Command("python3", { args: ["-c", "import pty"] }).output().catch(() => null))?.success;

Deno.test("control characters and marks of direction are escaped, this program's own styles are not", () => {
  const evil = "a\x1b]0;title\x07\x9b2J\u202eb\r\x7f\u2066\x1b[31m\x1b[2Jend";
  const escaped = "a\\u001b]0;title\\u0007\\u009b2J\\u202eb\\u000d\\u007f\\u2066\\u001b[31m\\u001b[2Jend";
  assert.equal(escapeControls(evil), escaped);
  assert.deepEqual(JSON.parse(escapeControls(JSON.stringify({ evil }))), { evil });
  const own = `\x1b[1mname\x1b[0m\tü 界 –\n${formatBar(0.5, 4, true)}`;
  assert.equal(escapeControls(own), own);
});

Deno.test("live lines and lines that stay print no control characters of names", async () => {
  for (const interactive of [true, false]) {
    let written = "";
    const stream = {
      isTerminal: () => interactive,
      writeSync: (bytes: Uint8Array) => (written += new TextDecoder().decode(bytes), bytes.length),
    };
    const live = await createLive({ stream, interactive, size: () => ({ columns: 80, rows: 24 }) });
    live.draw(() => "run \x1b]0;title\x07");
    live.print("run \x1b]0;title\x07");
    assert(written.includes("run \\u001b]0;title\\u0007") && !written.includes("\x07"), written);
  }
});

Deno.test("a reader that is slow gets everything, one that never reads does not stop the work", () => {
  let [written, calls] = ["", 0];
  const stream = {
    isTerminal: () => false,
    writeSync: (bytes: Uint8Array) => {
      if (calls++ % 3 < 2) throw new Deno.errors.WouldBlock("Resource temporarily unavailable (os error 11)");
      written += new TextDecoder().decode(bytes.subarray(0, 4));
      return Math.min(4, bytes.length);
    },
  };
  createWriter(stream, 1000)("a whole line");
  assert.equal(written, "a whole line");
  const full = {
    isTerminal: () => false,
    writeSync: () => {
      throw new Deno.errors.WouldBlock("Resource temporarily unavailable (os error 11)");
    },
  };
  createWriter(full, 20)("lost");
});

Deno.test("commands print through functions that escape control characters", () => {
  const sources = listFiles("cli", ".ts").map((path) => [path, Deno.readTextFileSync(join(PROJECT, path))]);
  const breaches = sources.filter(([, code]) => /^(?! \*).*console\.\w+\(/m.test(code)).map(([path]) => path);
  assert.deepEqual(breaches, []);
});

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
  ["compare.ts --list", /^frozen +backbone frozen +54,977$/m],
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
      /backbone frozen;[^]*0\.00 \[−2\.27, \+2\.27\][^]*undecided|0\.00 \[−2\.27, \+2\.27\][^]*backbone frozen;\s+undecided/,
    );
    assert.deepEqual(text.split("\n").filter((line) => line.length > columns), []);
    assert.match(text, /^dynamic +(3 +)?81\.11 ± 1\.00 +reference/m);
    assert.match(
      text,
      /^static-ten-way +(3 +)?\d+\.\d\d ± \d+\.\d\d +−\d+\.\d\d \[−\d+\.\d\d, −\d+\.\d\d\]/m,
    );
  });
}
