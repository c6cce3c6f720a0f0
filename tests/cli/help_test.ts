import assert from "node:assert/strict";
import { formatHelp } from "../../cli/shared/help.ts";
import type { Command } from "../../cli/shared/options.ts";
import { parseTrainCommandLine, TRAIN_COMMAND } from "../../cli/shared/train_command.ts";
import { flagOf } from "../../lib/support/options.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { RUN_OPTIONS, TRAINING_OPTIONS } from "../../lib/training/options.ts";

const COMMAND: Command<{ count: number; shape: string; tidy: boolean; limit: number | null }> = {
  name: "deno task pack",
  summary: "Packs things.",
  positionals: { name: "FILE…", help: "what to pack", from: 0, to: 9 },
  options: {
    count: {
      kind: "integer",
      default: 2,
      group: "What",
      help: "how many of them there are to be in the end",
      value: "N",
    },
    shape: {
      kind: "choice",
      choices: ["round", "rectangular", "flat"],
      default: "flat",
      group: "How",
      help: "form",
    },
    tidy: { kind: "boolean", default: true, group: "What", help: "leave a mess" },
    limit: { kind: "number", nullWord: "off", default: null, group: "How", help: "at most", value: "L" },
  },
  examples: [["deno task pack a", "packs a"]],
};

Deno.test("help shows usage, options under their headings, defaults and examples", () => {
  assert.equal(
    formatHelp(COMMAND, 60),
    `Packs things.

Usage: deno task pack [FILE…] [options]

  FILE…                     what to pack

What
  --count N                 how many of them there are to be
                            in the end (default: 2)
  --no-tidy                 leave a mess (default: --tidy)

How
  --shape round|rectangular|flat
                            form (default: flat)
  --limit L                 at most (default: off)

  --help, -h                print this

Examples
  deno task pack a          packs a`,
  );
});

Deno.test("help of the trainer has every option with its default, grouped, in 100 columns", () => {
  const lines = formatHelp(TRAIN_COMMAND, 100).split("\n");
  const groups = ["Run", "Network", "Optimisation", "Data", "Machine", "Output", "Examples"];
  assert.deepEqual(lines.filter((line) => /^[A-Z][a-z]+$/.test(line)), groups);
  const config = resolveConfig();
  for (const [name, option] of Object.entries({ ...TRAINING_OPTIONS, ...RUN_OPTIONS })) {
    const flag = option.default === true ? flagOf(name).replace("--", "--no-") : flagOf(name);
    const from = lines.findIndex((line) =>
      line.startsWith(`  ${flag}`) && !/[a-z-]/.test(line[2 + flag.length] ?? " ")
    );
    assert.notEqual(from, -1, `${flag} is missing`);
    const length = lines.slice(from + 1).findIndex((line) => !line.startsWith(" ".repeat(28)));
    const entry = lines.slice(from, from + 1 + length).join(" ").replaceAll(/\s+/g, " ");
    assert.match(entry, /\(default: .+\)$/, `${flag} tells no default`);
    assert(entry.includes(option.help), `${flag} is not explained`);
    const value = config[name as keyof typeof config];
    if (typeof value === "number" || (typeof value === "string" && name !== "run")) {
      assert.match(
        entry,
        new RegExp(`default: (.* )?${value}\\b`),
        `${flag} tells another default than is used`,
      );
    }
  }
});

Deno.test("help stays within its width, and keeps two columns between an option and its explanation", () => {
  for (let width = 70; width <= 100; width++) {
    for (const line of formatHelp(TRAIN_COMMAND, width).split("\n")) assert(line.length <= width, line);
  }
  for (const [value, isBeside] of [["N", true], ["NM", false]] as const) {
    const options = { abcdefghijklmnopqrst: { ...COMMAND.options.count, value } };
    const help = formatHelp({ name: "x", summary: "x", options }, 80);
    assert.equal(help.includes(`${value}  how`), isBeside, help);
    assert.equal(help.includes(`${value}\n`), !isBeside, help);
  }
});

Deno.test("every example of the trainer's help is a command line it takes", () => {
  for (const [line] of TRAIN_COMMAND.examples!) {
    assert(line.startsWith(TRAIN_COMMAND.name));
    const { flags } = parseTrainCommandLine(line.slice(TRAIN_COMMAND.name.length).split(" ").filter(Boolean));
    resolveConfig({ flags });
  }
});

Deno.test("the trainer's options fall into those recorded and those of one call", () => {
  const line = ["--resume", "dynamic", "--json", "--epochs", "20", "--no-augment", "--subset", "all"];
  assert.deepEqual(parseTrainCommandLine(line), {
    flags: { epochs: 20, augment: false, subset: null },
    runOptions: { resume: "dynamic", config: null, json: true },
  });
});

Deno.test("every option of the trainer is read from its flag", () => {
  const values: Record<string, string> = { string: "x", integer: "7", number: "0.25" };
  for (const [name, option] of Object.entries({ ...TRAINING_OPTIONS, ...RUN_OPTIONS })) {
    const text = option.kind === "choice" ? String(option.choices!.at(-1)) : values[option.kind];
    const { flags, runOptions } = parseTrainCommandLine(
      option.kind === "boolean" ? [flagOf(name)] : [flagOf(name), text],
    );
    const value = ({ ...flags, ...runOptions } as Record<string, unknown>)[name];
    assert.deepEqual(
      value,
      option.kind === "boolean" ? true : text === "x" || option.kind === "choice" ? text : Number(text),
    );
  }
});
