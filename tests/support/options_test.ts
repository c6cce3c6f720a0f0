import assert from "node:assert/strict";
import { InputError } from "../../lib/support/errors.ts";
import {
  checkOptionValue,
  describeValues,
  flagOf,
  type Option,
  parseOptionText,
  showOption,
  suggest,
} from "../../lib/support/options.ts";

const COUNT: Option<number> = {
  kind: "integer",
  range: { from: 1, to: 9 },
  default: 3,
  group: "Test",
  help: "how many",
};
const SHARE: Option<number | null> = {
  kind: "number",
  range: { above: 0, below: 1 },
  nullWord: "off",
  default: null,
  group: "Test",
  help: "how much",
};
const SHAPE: Option<string> = {
  kind: "choice",
  choices: ["round", "square", "flat"],
  default: "round",
  group: "Test",
  help: "what form",
};

Deno.test("a flag is the camelCase name with dashes", () => {
  assert.equal(flagOf("run"), "--run");
  assert.equal(flagOf("noMoreThanTwo"), "--no-more-than-two");
});

Deno.test("an option is shown as one would type it", () => {
  assert.equal(showOption("count", COUNT, 4), "--count 4");
  assert.equal(showOption("share", SHARE, null), "--share off");
  const loud: Option<boolean> = { kind: "boolean", default: true, group: "Test", help: "" };
  assert.equal(showOption("loud", loud, true), "--loud");
  assert.equal(showOption("loud", loud, false), "--no-loud");
});

Deno.test("what an option takes is told in words", () => {
  assert.equal(describeValues(COUNT), "a whole number of at least 1 and of at most 9");
  assert.equal(describeValues(SHARE), "a number above 0 and below 1, or off");
  assert.equal(describeValues(SHAPE), "round, square or flat");
});

Deno.test("text becomes the value it stands for", () => {
  assert.equal(parseOptionText(COUNT, "7", ""), 7);
  assert.equal(parseOptionText(SHARE, "5e-4", ""), 0.0005);
  assert.equal(parseOptionText(SHARE, ".25", ""), 0.25);
  assert.equal(parseOptionText(SHARE, "off", ""), null);
  assert.equal(parseOptionText(SHAPE, "flat", ""), "flat");
});

for (
  const text of ["", " 7", "7 ", "seven", "0x7", "7.5", "0", "10", "1e400", "NaN", "Infinity", "7,0", "off"]
) {
  Deno.test(`an integer from 1 to 9 is not ${JSON.stringify(text)}`, () => {
    const message = `Cannot use --count ${text}: it must be a whole number of at least 1 and of at most 9.`;
    assert.throws(() => parseOptionText(COUNT, text, `--count ${text}`), new InputError(message));
  });
}

for (const value of [0, 1, -0.5, NaN, Infinity, "0.5", true, [0.5], {}]) {
  Deno.test(`a number above 0 and below 1 is not ${JSON.stringify(value)} (${typeof value})`, () => {
    assert.throws(() => checkOptionValue(SHARE, value, "share in a.json"), {
      name: "InputError",
      message: "Cannot use share in a.json: it must be a number above 0 and below 1, or null.",
    });
  });
}

Deno.test("null is refused where no word stands for it", () => {
  assert.throws(() => checkOptionValue(COUNT, null, "count null"), InputError);
  assert.equal(checkOptionValue(SHARE, null, "share null"), null);
});

Deno.test("a choice is one of its words, letter for letter", () => {
  for (const value of ["Round", "oval", "", 0, null]) {
    assert.throws(() => checkOptionValue(SHAPE, value, "shape"), /must be round, square or flat/);
  }
});

Deno.test("a near miss is recognised, a far one is not", () => {
  const names = ["--learning-rate", "--run", "--seed", "--augment", "--no-augment", "--batch-size"];
  assert.equal(suggest("--leraning-rate", names), "--learning-rate");
  assert.equal(suggest("--learning_rate", names), "--learning-rate");
  assert.equal(suggest("--learningRate", names), "--learning-rate");
  assert.equal(suggest("--learning", names), "--learning-rate");
  assert.equal(suggest("--batchsiez", names), "--batch-size");
  assert.equal(suggest("--no-augmnt", names), "--no-augment");
  assert.equal(suggest("--sed", names), "--seed");
  assert.equal(suggest("--port", names), undefined);
  assert.equal(suggest("--verbose", names), undefined);
});
