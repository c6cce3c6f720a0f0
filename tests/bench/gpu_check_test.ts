// deno task gpu-check, tried on the CPU build: where the device is the CPU, everything must be equal
import assert from "node:assert/strict";
import { judgeDistance } from "../../bench/gpu_check.ts";
import { runCommand } from "../testing/command.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("gpu-check finds the CPU equal to itself, and ends with 0", async () => {
  using folder = temporaryFolder();
  const flags = ["--device", "cpu", "--images", "1280", "--steps", "1"];
  const { code, stdout, stderr } = await runCommand("gpu-check", flags, folder.path);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.match(stdout, /^TensorFlow computes on the: CPU, ok$/m);
  assert.match(stdout, /^gradients beside the CPU's, float32, compiled: 0.0e\+0 of their length, ok$/m);
  assert.match(stdout, /^resumed beside uninterrupted: the same bits, ok$/m);
  assert.match(stdout, /^evaluate beside the CPU's: at most 0.0e\+0 apart, ok$/m);
  assert.match(stdout, /^predict beside the CPU's: at most 0.0e\+0 apart, ok$/m);
  assert.match(stdout, /^All checks passed\.$/m);
});

Deno.test("a distance is refused that rounding does not explain", () => {
  assert.equal(judgeDistance("float32", 1e-5), true);
  assert.equal(judgeDistance("float32", 1e-3), false);
  assert.equal(judgeDistance("TF32", 0.07), true);
  assert.equal(judgeDistance("TF32", 1), false);
  assert.equal(judgeDistance("TF32", NaN), false);
});
