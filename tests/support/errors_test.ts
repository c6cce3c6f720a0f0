import assert from "node:assert/strict";
import { InputError } from "../../lib/support/errors.ts";
import { parseJson } from "../../lib/support/schema.ts";
import { z } from "zod";

Deno.test("a sentence has a bounded length, whatever a file holds", () => {
  const name = "x".repeat(1e6), short = `${"x".repeat(100)}…${"x".repeat(100)}`;
  const error = new InputError({ what: `read ${name}`, why: "it is odd", setting: "data", next: [] });
  assert.equal(error.message, `Cannot read ${short}: it is odd.`);
  assert.equal(error.problem?.what, `read ${short}`);
  const words = "x ".repeat(1e6);
  assert.equal(new InputError(words).message, `${words.slice(0, 2000)}…`);
  const json = `{"${name}": 1, "${name}": 2}`;
  assert.throws(() => parseJson(z.object({}), json, "a.json"), (error) => `${error}`.length < 2100);
});
