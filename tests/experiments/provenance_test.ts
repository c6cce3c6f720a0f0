import assert from "node:assert/strict";
import type { Datasets } from "../../lib/data/dataset.ts";
import { identifyData } from "../../lib/data/identify.ts";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { describeMachine, hashValue, readCommit } from "../../lib/experiments/provenance.ts";

Deno.test("the hash of a value is independent of the order of its keys only", async () => {
  assert.equal(await hashValue("abc"), "6cc43f858fbb7633"); // SHA-256 of "abc" in quotes
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

Deno.test("changing one pixel or label changes the fingerprint", async () => {
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

Deno.test("the machine is described without host name, user or paths", async () => {
  const machine = await describeMachine("cpu");
  assert.ok(machine.cores >= 1 && machine.memory >= 0 && machine.cpu !== "");
  const text = JSON.stringify(machine);
  for (const secret of [Deno.hostname(), Deno.cwd()]) assert.ok(!text.includes(secret), text);
});

Deno.test("the commit is git's, or null", async () => {
  assert.match(String(await readCommit()), /^([0-9a-f]{40}|null)$/);
});
