import assert from "node:assert/strict";
import { join } from "@std/path";
import type { Datasets } from "../../lib/data/dataset.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { hashText, hashValue } from "../../lib/experiments/hash.ts";
import {
  CODE_PARTS,
  describeMachine,
  identifyData,
  readCodeVersion,
  stripLayout,
} from "../../lib/experiments/provenance.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("a hash is the beginning of SHA-256", async () => {
  assert.equal(await hashText("abc"), "ba7816bf8f01cfea");
});

Deno.test("the hash of a value does not depend on the order of its keys, but on everything else", async () => {
  const hash = await hashValue({ a: 1, b: { c: [1, 2], d: null } });
  assert.equal(await hashValue({ b: { d: null, c: [1, 2] }, a: 1 }), hash);
  for (
    const other of [{ a: 1, b: { c: [2, 1], d: null } }, { a: 1, b: { c: [1, 2] } }, {
      a: "1",
      b: { c: [1, 2], d: null },
    }]
  ) {
    assert.notEqual(await hashValue(other), hash);
  }
});

Deno.test("comments and layout do not make another version of the code", () => {
  const one = `/** Adds. */
export function add(one: number, other: number): number {
  // why
  return one + other; // [B,8]
}`;
  const same = `/* Sums
 * up. */
export function add(
  one: number,
  other: number,
): number {
  return one +
    other;
}`;
  assert.equal(stripLayout(one), stripLayout(same));
});

Deno.test("code does make another version, also beside what looks like a comment", () => {
  const different = [
    ['fetch("https://a.org/x")', 'fetch("https://a.org/y")'],
    ["return one * other;", "return one / other;"],
    ["a = 1; // one\nb = 2;", "a = 1; // one\nb = 3;"],
    ["/** one */\na = 1;\n/** two */\nb = 2;", "/** one */\na = 2;\n/** two */\nb = 2;"],
  ];
  for (const [one, other] of different) assert.notEqual(stripLayout(one), stripLayout(other), one);
});

Deno.test("the code's version names the part that changed, new files and nested ones included", async () => {
  using temporary = temporaryFolder();
  for (const part of CODE_PARTS) {
    Deno.mkdirSync(join(temporary.path, "support"), { recursive: true });
    if (part === "random") Deno.writeTextFileSync(join(temporary.path, "support/random.ts"), "1;");
    else Deno.mkdirSync(join(temporary.path, part, "deep"), { recursive: true });
  }
  const version = () => readCodeVersion(temporary.path);
  const changed = async (path: string, text: string) => {
    const before = await version();
    Deno.writeTextFileSync(join(temporary.path, path), text);
    const after = await version();
    return CODE_PARTS.filter((part) => before[part] !== after[part]);
  };
  assert.deepEqual(await changed("model/deep/layer.ts", "1;"), ["model"]);
  assert.deepEqual(await changed("model/deep/layer.ts", "2;"), ["model"]);
  assert.deepEqual(await changed("support/random.ts", "2;"), ["random"]);
  assert.deepEqual(await changed("training/README.md", "words"), []);
  assert.deepEqual(await changed("training/train.ts", "// words\n"), ["training"]); // a new file
  assert.deepEqual(await changed("training/train.ts", "// other words\n"), []);
});

Deno.test("one pixel or one label more or less makes other data", async () => {
  const make = () => createSynthetic({ trainSize: 20, testSize: 10 });
  const { name, fingerprint } = await identifyData(make());
  assert.equal(name, "synthetic");
  assert.match(fingerprint, /^[0-9a-f]{16}$/);
  assert.equal((await identifyData(make())).fingerprint, fingerprint);
  const change = async (by: (datasets: Datasets) => void) => {
    const datasets = make();
    by(datasets);
    assert.notEqual((await identifyData(datasets)).fingerprint, fingerprint);
  };
  await change(({ train }) => train.images[5]++);
  await change(({ train }) => train.labels[5]++);
  await change(({ test }) => test.images[5]++);
  await change(({ test }) => test.labels[5]++);
});

Deno.test("the machine is described without its name, its user or a path", async () => {
  const machine = await describeMachine("cpu");
  assert.ok(machine.cores >= 1 && machine.memory >= 0 && machine.cpu !== "");
  const text = JSON.stringify(machine);
  for (const secret of [Deno.hostname(), Deno.cwd()]) assert.ok(!text.includes(secret), text);
});
