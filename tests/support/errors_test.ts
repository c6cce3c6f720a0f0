import assert from "node:assert/strict";
import { InputError } from "../../lib/support/errors.ts";
import { parseJson } from "../../lib/support/schema.ts";
import { z } from "zod";

Deno.test("a sentence has a bounded length, whatever a file holds", () => {
  const name = "x".repeat(1e6);
  const long = `${"x".repeat(2000)}…`;
  const error = new InputError({ what: `read ${name}`, why: "it is odd", setting: "data", next: [] });
  assert.equal(error.message, `Cannot read ${long.slice(5)}: it is odd.`);
  assert.deepEqual(error.problem, {
    what: `read ${long.slice(5)}`,
    why: "it is odd",
    setting: "data",
    next: [],
  });
  assert.equal(new InputError(name).message, long);
  const json = `{"${name}": 1, "${name}": 2}`;
  assert.throws(() => parseJson(z.object({}), json, "a.json"), (error) => `${error}`.length < 2100);
});
