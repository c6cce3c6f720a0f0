import assert from "node:assert/strict";
import { z } from "zod";
import {
  checkValue,
  choice,
  findDuplicateKey,
  findProblem,
  integer,
  number,
  parseJson,
  suggest,
  text,
} from "../../lib/support/schema.ts";

const COUNT = integer({ from: 1, to: 9 });
const SHARE = number({ above: 0, below: 1 });
const NAME = text(/^[a-z]+$/, "a word of small letters");

Deno.test("values within their range are accepted", () => {
  for (const value of [1, 5, 9]) assert.equal(findProblem(COUNT, value), null);
  for (const value of [1e-9, 0.999]) assert.equal(findProblem(SHARE, value), null);
  assert.equal(findProblem(NAME, "abc"), null);
  assert.equal(findProblem(choice(["round", "flat"]), "flat"), null);
});

Deno.test("an error states the whole constraint", () => {
  const refused: [schema: z.ZodType, must: string, values: unknown[]][] = [
    [COUNT, "must be a whole number of at least 1 and of at most 9", [
      0,
      10,
      7.5,
      "7",
      NaN,
      Infinity,
      2 ** 53,
      null,
    ]],
    [SHARE, "must be a number above 0 and below 1", [
      0,
      1,
      -0.5,
      NaN,
      Infinity,
      "0.5",
      true,
      [0.5],
      {},
      null,
    ]],
    [SHARE, "must be a number above 0 and below 1, also when rounded to single precision", [
      1e-50,
      1 - 1e-9,
    ]],
    [number(), "must be a number, also when rounded to single precision", [1e39, -1e300]],
    [SHARE.nullable(), "must be a number above 0 and below 1", ["off"]],
    [NAME, "must be a word of small letters", ["", "A", 3, null]],
    [text(), "must be some text", ["", 3]],
    [choice(["round", "square", "flat"]), "must be round, square or flat", ["Round", "oval", "", 0, null]],
  ];
  for (const [schema, must, values] of refused) {
    for (const value of values) {
      assert.deepEqual(findProblem(schema, value), { path: "", must }, String(value));
    }
  }
});

const RUN = z.strictObject({
  name: z.string(),
  seeds: z.array(z.object({ accuracy: z.number().min(0).max(1) })).optional(),
  steps: z.int().optional(),
  kind: z.enum(["a", "b"]).optional(),
  either: z.union([z.string(), z.null()]).optional(),
});

Deno.test("invalid JSON gives one sentence with the first invalid entry", () => {
  const refused: Record<string, string> = {
    '{"name": ': "it is not JSON (Unexpected end of JSON input)",
    "null": "it must be an object",
    "[]": "it must be an object",
    "{}": "name is missing",
    '{"name": 3}': "name must be text",
    '{"name": "x", "seeds": {}}': "seeds must be an array",
    '{"name": "x", "seeds": [{"accuracy": 1}, {"accuracy": 80}]}': "seeds[1].accuracy must be at most 1",
    '{"name": "x", "seeds": [{"accuracy": -1}]}': "seeds[0].accuracy must be at least 0",
    '{"name": "x", "steps": 1.5}': "steps must be a whole number",
    '{"name": "x", "kind": "c"}': 'kind must be "a" or "b"',
    '{"name": "x", "either": 3}': "either is of another form",
    '{"name": "x", "speed": 3}': "speed is not known",
    '{"name": "x", "__proto__": 3}': "__proto__ is not known",
  };
  for (const [json, why] of Object.entries(refused)) {
    assert.throws(() => parseJson(RUN, json, "run.json"), {
      name: "InputError",
      message: `Cannot read run.json: ${why}.`,
    });
  }
  assert.throws(() => checkValue(RUN, {}, "use that"), { message: "Cannot use that: name is missing." });
  assert.deepEqual(parseJson(RUN, '{"name": "x"}', "run.json"), { name: "x" });
});

Deno.test("a near miss gives a suggestion, a far one none", () => {
  const names = ["--learning-rate", "--run", "--seed", "--augment", "--no-augment", "--batch-size"];
  const meant = {
    "--leraning-rate": "--learning-rate",
    "--learning_rate": "--learning-rate",
    "--learningRate": "--learning-rate",
    "--learning": "--learning-rate",
    "--batchsiez": "--batch-size",
    "--no-augmnt": "--no-augment",
    "--sed": "--seed",
    "--port": undefined,
    "--verbose": undefined,
  };
  for (const [word, name] of Object.entries(meant)) assert.equal(suggest(word, names), name, word);
});

Deno.test("a name that stands twice in one object is found, however it is written", () => {
  const twice = [
    '{"a":1,"a":2}',
    '[{"b":{"a":{}, "\\u0061" : 1}}]',
    '{"x":"}","a":"{\\"","a":[]}',
    `{"${"x".repeat(1e7)}":1,"b":"${'\\"'.repeat(1e6)}","a":{"c":1},"a":0}`,
    `${"[".repeat(1e5)}{"a":1,"a":2}${"]".repeat(1e5)}`,
  ];
  for (const json of twice) assert.equal(findDuplicateKey(json), "a", json.slice(0, 80));
  const once = ['{"a":{"a":{"a":1}},"b":{"a":"a"}}', '["a","a"]', '{"a":"a\\":","b":"a\\":"}', '"a"', "1"];
  for (const json of once) assert.equal(findDuplicateKey(json), null, json);
  assert.throws(() => parseJson(RUN, '{"name": "x", "name": "y"}', "run.json"), {
    message: "Cannot read run.json: it has name twice.",
  });
});
