import assert from "node:assert/strict";
import { join } from "@std/path";
import {
  type Claim,
  ClaimLostError,
  type ClaimOptions,
  claimsOf,
  readClaim,
  readLastClaim,
  tryClaim,
} from "../../lib/experiments/claim.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { temporaryFolder } from "../testing/folder.ts";

const OPTIONS: ClaimOptions = { staleAfter: 60, log: () => {} };

function claim(path: string, options = OPTIONS): Claim {
  const found = tryClaim(path, options);
  assert.ok("claim" in found, "a live process holds it");
  return found.claim;
}

/** Makes a claim's file look as if a process of another host had written it. */
function moveToAnotherHost(path: string): void {
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(/"host":"[^"]*"/, '"host":"elsewhere"'));
}

function makeOld(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  Deno.utimeSync(path, then, then);
}

Deno.test("a claim is held until it is released, and then has its end", () => {
  using temporary = temporaryFolder();
  const path = claimsOf(temporary.path, "run");
  using first = claim(path);
  const second = tryClaim(path, OPTIONS);
  assert.ok("holder" in second);
  assert.equal(second.holder.record.process, Deno.pid);
  first.requireOwn();
  first.release("stopped", 7);
  const { record } = readLastClaim(path)!;
  assert.deepEqual([record.end, record.steps], ["stopped", 7]);
  using third = claim(path);
  third.requireOwn();
  assert.equal(readLastClaim(path)!.number, 2);
  assert.throws(() => first.requireOwn(), ClaimLostError);
  assert.deepEqual([...Deno.readDirSync(join(temporary.path, "claims"))].map(({ name }) => name).sort(), [
    "run.1",
    "run.2",
  ]);
});

Deno.test("of processes that claim one run at once, one gets it", async () => {
  using temporary = temporaryFolder();
  const path = claimsOf(temporary.path, "run");
  const module = new URL("../../lib/experiments/claim.ts", import.meta.url);
  const code = `import { tryClaim } from ${JSON.stringify(module.href)};
    Deno.stdin.readSync(new Uint8Array(1));
    const found = tryClaim(${JSON.stringify(path)}, { staleAfter: 60, log() {} });
    console.log("claim" in found ? "got" : "left");
    Deno.stdin.readSync(new Uint8Array(2));`;
  const said: string[] = [];
  let tell: () => void;
  const all = new Promise<void>((resolve) => tell = resolve);
  const children = await Promise.all(
    Array.from({ length: 4 }, () =>
      startProcess(Deno.execPath(), ["eval", "-q", code], {
        input: true,
        onOutput: (line) => said.push(line) === 4 && tell(),
      })),
  );
  for (const child of children) child.write("\n");
  await all;
  for (const child of children) child.closeInput();
  await Promise.all(children.map(({ ended }) => ended));
  assert.deepEqual(said.sort(), ["got", "left", "left", "left"]);
  // its process has ended without a word, on this host
  const told: string[] = [];
  using _next = claim(path, { ...OPTIONS, log: (text) => void told.push(text) });
  assert.match(told.join(), /^Taking the run over: process \d+ on .* gives no sign of life\.$/);
});

Deno.test("a claim of another host is taken over when its heartbeats end, and its holder then cannot save", () => {
  using temporary = temporaryFolder();
  const path = claimsOf(temporary.path, "run");
  using first = claim(path);
  moveToAnotherHost(`${path}.1`);
  makeOld(`${path}.1`, 50);
  assert.ok("holder" in tryClaim(path, OPTIONS));
  makeOld(`${path}.1`, 70);
  using second = claim(path);
  assert.throws(() => first.requireOwn(), /gave no sign of life for 60 s, and another has taken/);
  second.requireOwn();
});

Deno.test("a holder writes heartbeats, and saves only after a fresh one", async () => {
  using temporary = temporaryFolder();
  const path = claimsOf(temporary.path, "run");
  using held = claim(path, { ...OPTIONS, staleAfter: 0.3 });
  const beat = () => readLastClaim(path)!.beat.getTime();
  const before = beat();
  while (beat() === before) await new Promise((resolve) => setTimeout(resolve, 5));
  const last = beat();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400); // no timer runs meanwhile
  held.requireOwn();
  assert.ok(beat() > last);
});

Deno.test("a damaged claim counts as held until it is old", () => {
  using temporary = temporaryFolder();
  const path = claimsOf(temporary.path, "run");
  claim(path)[Symbol.dispose]();
  Deno.writeTextFileSync(`${path}.1`, "\0\0");
  assert.ok("holder" in tryClaim(path, OPTIONS));
  makeOld(`${path}.1`, 601);
  claim(path)[Symbol.dispose]();
  assert.equal(readClaim(path, 2)!.record.end, null);
});
