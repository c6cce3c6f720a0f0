import assert from "node:assert/strict";
import { resolve } from "@std/path";
import {
  absolutePaths,
  type Command,
  flagOf,
  formatHelp,
  parseCommandLine,
  showFlag,
} from "../../cli/shared/options.ts";
import { InputError } from "../../lib/support/errors.ts";
import { boolean, choice, integer, number, suggest, text } from "../../lib/support/schema.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

const COMMAND = {
  name: "deno task pack",
  summary: "Packs things.",
  positionals: { name: "FILE", help: "what to pack", from: 1, to: 2 },
  options: {
    folder: { schema: text(), default: "out", group: "Output", help: "where to", value: "PATH" },
    count: { schema: integer(), default: 2, help: "how many of them there are to be in the end", value: "N" },
    learningRate: { schema: number(), default: 0.1, help: "how fast", value: "RATE" },
    clipNorm: { schema: number().nullable(), nullWord: "off", help: "how long", value: "NORM" },
    shape: { schema: choice(["round", "flat"]), default: "round", help: "form", value: "FORM" },
    tidy: { schema: boolean(), default: true, help: "clean up", helpOff: "leave a mess" },
    verbose: { schema: boolean(), default: false, help: "print more" },
  },
  examples: [["deno task pack a", "packs a"], ["deno task pack --verbose --count 3 a", "packs it thrice"]],
} satisfies Command;

const DEFAULTS = {
  folder: "out",
  count: 2,
  learningRate: 0.1,
  clipNorm: null,
  shape: "round",
  tidy: true,
  verbose: false,
};

function parse(line: string) {
  return parseCommandLine(COMMAND, line.split(" "))!;
}

Deno.test("a flag is the camelCase name with dashes", () => {
  assert.equal(flagOf("run"), "--run");
  assert.equal(flagOf("noMoreThanTwo"), "--no-more-than-two");
  assert.equal(showFlag("batchSize", 4), "--batch-size 4");
  assert.deepEqual([showFlag("loud", true), showFlag("loud", false)], ["--loud", "--no-loud"]);
});

Deno.test("missing options have their defaults and are not in given", () => {
  assert.deepEqual(parse("a.png"), { given: {}, values: DEFAULTS, positionals: ["a.png"] });
});

Deno.test("values follow a space or an equals sign, options precede or follow arguments", () => {
  const given = { count: 5, shape: "flat", folder: "a=b", clipNorm: 2.5 };
  const expected = { given, values: { ...DEFAULTS, ...given }, positionals: ["a.png", "-"] };
  assert.deepEqual(parse("--count 5 a.png --shape=flat --folder=a=b - --clip-norm 2.5"), expected);
});

Deno.test("a negative number is a value", () => {
  assert.equal(parse("x --count -3").values.count, -3);
  assert.equal(parse("x --learning-rate -1e-3").values.learningRate, -0.001);
  assert.equal(parse("x --learning-rate -.5").values.learningRate, -0.5);
});

Deno.test("a boolean is set by --x and unset by --no-x", () => {
  assert.deepEqual(parse("x --no-tidy --verbose").given, { tidy: false, verbose: true });
  assert.deepEqual(parse("x --tidy --no-verbose").given, { tidy: true, verbose: false });
});

Deno.test("a word stands for null", () => {
  assert.deepEqual(parse("x --clip-norm off").given, { clipNorm: null });
});

Deno.test("after -- everything is an argument", () => {
  assert.deepEqual(parse("--count 1 -- --count --help").positionals, ["--count", "--help"]);
});

const REFUSED: Record<string, string> = {
  "x --conut 3": "Unknown option --conut. Did you mean --count?",
  "x --learning_rate 3": "Unknown option --learning_rate. Did you mean --learning-rate?",
  "x -count 3": "Unknown option -count. Did you mean --count?",
  "x --no-tody": "Unknown option --no-tody. Did you mean --no-tidy?",
  "x --no-count": "Unknown option --no-count. Did you mean --count?",
  "x --quick=1": "Unknown option --quick. See deno task pack --help.",
  "x y -5": 'Cannot use the argument "-5": deno task pack takes 2 at most; see deno task pack --help.',
  "x --count": "Cannot use --count without a value: write --count N.",
  "x --folder --count 3": "Cannot use --folder without a value: write --folder PATH.",
  "x --shape --verbose": "Cannot use --shape without a value: write --shape FORM.",
  "x --count three": "Cannot use --count three: it must be a whole number.",
  "x --count=": 'Cannot use --count "": it must be a whole number.',
  "x --shape oval": "Cannot use --shape oval: it must be round or flat.",
  "x --clip-norm none": "Cannot use --clip-norm none: it must be a number, or off.",
  "x --verbose=yes": "Cannot use --verbose=yes: --verbose takes no value.",
  "x --count 1 --count=2": "Cannot use --count twice: leave one of them out.",
  "x --tidy --no-tidy": "Cannot use --tidy and --no-tidy together: leave one of them out.",
  "--count 1": "Cannot start without FILE: write deno task pack FILE, or see deno task pack --help.",
  "x y z": 'Cannot use the argument "z": deno task pack takes 2 at most; see deno task pack --help.',
};

for (const [line, message] of Object.entries(REFUSED)) {
  Deno.test(`"${line}" is refused: ${message}`, () => {
    assert.throws(() => parse(line), (error) => error instanceof InputError && error.message === message);
  });
}

Deno.test("--help takes precedence over any error", () => {
  for (const line of ["--help", "-h", "--count --help", "x --nonsense -h"]) {
    assert.equal(parseCommandLine(COMMAND, line.split(" ")), null);
  }
});

Deno.test("a missing required option is reported with the whole command line", () => {
  const format = { schema: choice(["a", "b"]), isRequired: true, help: "format" };
  const command = { name: "x", summary: "X.", options: { format }, positionals: COMMAND.positionals };
  assert.throws(() => parseCommandLine(command, ["f"]), {
    message: "Cannot start without --format: write x f --format a|b.",
  });
  assert.equal(parseCommandLine(command, ["f", "--format", "b"])?.values.format, "b");
});

Deno.test("help shows usage, options under their headings with defaults, and examples", () => {
  assert.equal(
    formatHelp(COMMAND, 60),
    `Usage: deno task pack [options] <FILE...>

Packs things.

Arguments:
  FILE                what to pack

Output:
  --folder <PATH>     where to (default: out)

Options:
  --count <N>         how many of them there are to be in
                      the end (default: 2)
  --learning-rate <RATE>
                      how fast (default: 0.1)
  --clip-norm <NORM>  how long (default: off)
  --shape <FORM>      form: round or flat (default: round)
  --no-tidy           leave a mess
  --verbose           print more

Help:
  -h, --help          print this help

Examples:
  deno task pack a    packs a
  deno task pack --verbose --count 3 a
                      packs it thrice`,
  );
});

Deno.test("recorded paths are made absolute, keywords for data and weights are not", () => {
  assert.deepEqual(absolutePaths({ data: "a/b", weights: "random", epochs: 3 }), {
    data: resolve("a/b"),
    weights: "random",
    epochs: 3,
  });
  const words = { data: "synthetic", weights: null };
  assert.deepEqual(absolutePaths(words), words);
});

Deno.test("an endless name is refused at once, in a short sentence", async () => {
  const word = "x".repeat(100_000);
  using folder = temporaryFolder();
  for (const args of [[`--${word}`], ["--variant", word], [word]]) {
    const { code, stderr } = await runCommand("train", args, folder.path);
    assert.equal(code, 2);
    assert(stderr.length < 500 && stderr.includes("xxx…xxx"), stderr.slice(0, 500));
  }
  const names = Array.from({ length: 50 }, (_, index) => "y".repeat(200) + index);
  assert.equal(suggest("x".repeat(5e6), names), undefined);
});
