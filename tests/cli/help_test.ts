// the help of every command is true, complete and narrow enough; every example is a command line that its
// command accepts
import assert from "node:assert/strict";
import { COMMAND as BENCH } from "../../cli/bench.ts";
import { COMPARE_COMMAND } from "../../cli/compare/options.ts";
import { COMMAND as DATA } from "../../cli/data.ts";
import { COMMAND as EVALUATE } from "../../cli/evaluate.ts";
import { COMMAND as EXPLORE } from "../../cli/explore.ts";
import { COMMAND as EXPORT } from "../../cli/export.ts";
import { COMMAND as GPU_CHECK } from "../../cli/gpu_check.ts";
import { COMMAND as LAB } from "../../cli/lab.ts";
import { COMMAND as NOTEBOOKS } from "../../cli/notebooks.ts";
import { COMMAND as PAGES } from "../../cli/pages.ts";
import { COMMAND as PREDICT } from "../../cli/predict.ts";
import { COMMAND as REPORT } from "../../cli/report.ts";
import { COMMAND as RUNS } from "../../cli/runs.ts";
import { COMMAND as SETUP } from "../../cli/setup.ts";
import { COMMAND as STUDY } from "../../cli/study.ts";
import { COMMAND as SUMMARY } from "../../cli/summary.ts";
import { COMMAND as TEACH } from "../../cli/teach.ts";
import { COMMAND as TRAIN } from "../../cli/train.ts";
import { type Command, flagOf, formatHelp, parseCommandLine } from "../../cli/shared/options.ts";
import { findProblem } from "../../lib/support/schema.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { PROJECT } from "../testing/sources.ts";

const COMMANDS: Command[] = [
  ...[
    BENCH,
    COMPARE_COMMAND,
    DATA,
    EVALUATE,
    EXPLORE,
    EXPORT,
    GPU_CHECK,
    LAB,
    NOTEBOOKS,
    PAGES,
    PREDICT,
    REPORT,
    RUNS,
  ],
  ...[SETUP, STUDY, SUMMARY, TEACH, TRAIN],
];

Deno.test("every command task has a description, and its command has the task's name", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
  for (const { name } of COMMANDS) {
    const { description, command } = tasks[name.replace("deno task ", "")];
    assert.match(description, /^[A-Z].{10,70}[^.]$/);
    assert.match(command, /^deno run -q --no-prompt -P=\w+ cli\//, name);
  }
  for (const [name, task] of Object.entries(tasks)) {
    assert((task as { description?: string }).description, name);
  }
});

for (const command of COMMANDS) {
  Deno.test(`${command.name} --help fits 60, 80 and 100 columns and has every default`, () => {
    for (const width of [60, 80, 100]) {
      const tooLong = formatHelp(command, width).split("\n").filter((line) => line.length > width);
      assert.deepEqual(tooLong, []);
    }
    const help = formatHelp(command, 80).replaceAll(/\s+/g, " ");
    for (const [name, option] of Object.entries(command.options)) {
      const isOn = option.default === true;
      const flag = isOn ? flagOf(name).replace("--", "--no-") : flagOf(name);
      const from = help.indexOf(` ${flag} `);
      assert.notEqual(from, -1, `${flag} is missing`);
      const words = (isOn ? option.helpOff : undefined) ?? option.help;
      assert(help.slice(from).includes(words), `${flag} is not explained`);
      const standard = option.defaultText ?? option.default ?? option.nullWord;
      if (typeof standard === "boolean" || standard === undefined || standard === null) continue;
      assert(help.slice(from).includes(`(default: ${standard})`), `${flag} does not tell its default`);
    }
  });

  Deno.test(`${command.name} accepts its examples and its defaults`, () => {
    for (const [line] of command.examples ?? []) {
      if (!line.startsWith("deno task ")) continue;
      assert(line.startsWith(command.name), line);
      parseCommandLine(command, line.slice(command.name.length).split(" ").filter(Boolean));
    }
    for (const [name, option] of Object.entries(command.options)) {
      if (option.default !== undefined) assert.equal(findProblem(option.schema, option.default), null, name);
    }
  });
}

Deno.test("the help of train has the actual defaults", () => {
  const config = resolveConfig();
  for (const [name, option] of Object.entries(TRAIN.options as Command["options"])) {
    const value = config[name as keyof typeof config];
    if (value === undefined || value === null || name === "run") continue;
    assert(String(option.defaultText ?? option.default).startsWith(String(value)), name);
  }
});

Deno.test("every training option is read from its flag", () => {
  const samples: Record<string, string> = {
    clipNorm: "0.25",
    learningRate: "0.25",
    run: "x",
    weights: "x",
    data: "x",
  };
  const options = Object.entries(TRAIN.options as Command["options"]);
  for (const [name, option] of options) {
    const isBoolean = typeof option.default === "boolean";
    const text = samples[name] ?? (typeof option.default === "string" ? option.default : "7");
    if (name === "momentum" || name === "labelSmoothing") continue; // below 1
    const { given } = parseCommandLine(TRAIN, isBoolean ? [flagOf(name)] : [flagOf(name), text])!;
    const expected = isBoolean
      ? true
      : /^[\d.]+$/.test(text) && !["resume", "config"].includes(name)
      ? Number(text)
      : text;
    assert.deepEqual(given, { [name]: expected });
  }
});
