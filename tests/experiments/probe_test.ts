import assert from "node:assert/strict";
import { type Probe, readProbes, trainAlike, writeProbe } from "../../lib/experiments/probe.ts";
import type { CodeVersion } from "../../lib/experiments/provenance.ts";

const code = (training: string): CodeVersion => ({
  data: "a",
  model: "a",
  random: "a",
  tensorflow: "a",
  training,
});
const probe = (version: string, loss: number): Probe => ({
  code: code(version),
  losses: { dynamic: [2.3, loss] },
});

Deno.test("versions of the code train alike when their losses agree to rounding", () => {
  assert(trainAlike(probe("a", 1.5), probe("b", 1.500001)));
  assert(!trainAlike(probe("a", 1.5), probe("b", 1.5001)));
  assert(!trainAlike(probe("a", 1.5), { code: code("b"), losses: {} }));
});

Deno.test("a probe takes the place of an older one of the same sources", () => {
  const folder = Deno.makeTempDirSync();
  try {
    assert.deepEqual(readProbes(folder), []);
    for (const one of [probe("a", 1), probe("b", 2), probe("a", 3)]) writeProbe(one, folder);
    assert.deepEqual(readProbes(folder), [probe("b", 2), probe("a", 3)]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
