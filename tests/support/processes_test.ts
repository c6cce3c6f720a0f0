import assert from "node:assert/strict";
import { InputError } from "../../lib/support/errors.ts";
import { type ProcessOptions, startProcess } from "../../lib/support/processes.ts";

const run = async (script: string, options?: ProcessOptions) =>
  await (await startProcess("sh", ["-c", script], options)).ended;

Deno.test("output, exit code and signal are returned", async () => {
  const end = await run("echo out; echo err >&2; exit 3");
  assert.deepEqual(end, { code: 3, signal: null, stdout: "out\n", stderr: "err\n" });
  assert.equal((await run("kill -9 $$")).signal, "SIGKILL");
});

Deno.test("lines are passed on as they arrive, also a last one without a newline", async () => {
  const out: string[] = [], err: string[] = [];
  const end = await run("echo a; printf 'é\\nb'; echo c >&2", {
    onOutput: (line) => out.push(line),
    onError: (line) => err.push(line),
  });
  assert.deepEqual([out, err], [["a", "é", "b"], ["c"]]);
  assert.deepEqual(end, { code: 0, signal: null, stdout: "", stderr: "" });
});

Deno.test("an error of the line callback is thrown at the end", async () => {
  const fail = () => {
    throw new Error("bad line");
  };
  await assert.rejects(run("echo a", { onOutput: fail }), /bad line/);
});

Deno.test("standard input and output are connected by pipes", async () => {
  const lines: string[] = [];
  const child = await startProcess("cat", [], { input: true, onOutput: (line) => lines.push(line) });
  child.write("1\n");
  child.write("2\n");
  child.closeInput();
  assert.equal((await child.ended).code, 0);
  assert.deepEqual(lines, ["1", "2"]);
});

Deno.test("a process that has ended takes no input and no signal", async () => {
  const child = await startProcess("true", [], { input: true });
  await child.ended;
  child.write("late\n");
  child.closeInput();
  child.kill();
});

Deno.test("a process that ends before it has read its input reports its exit code", async () => {
  const child = await startProcess("sh", ["-c", "exec <&-; echo gone >&2; sleep 0.1; exit 4"], {
    input: true,
  });
  for (let count = 0; count < 20; count++) {
    child.write("x".repeat(100_000));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { code, stderr } = await child.ended;
  assert.deepEqual([code, stderr], [4, "gone\n"]);
});

Deno.test("an aborted signal ends the process by SIGTERM", async () => {
  const controller = new AbortController();
  const child = await startProcess("sh", [
    "-c",
    "trap 'echo saved; exit 5' TERM; echo ready; while :; do sleep 0.05; done",
  ], {
    signal: controller.signal,
    onOutput: (line) => line === "ready" && controller.abort(),
  });
  assert.equal((await child.ended).code, 5);
});

Deno.test("environment and working directory can be set", async () => {
  const { stdout } = await run("echo $A $HOME; pwd", { env: { A: "1" }, extendEnv: false, cwd: "/" });
  assert.equal(stdout, "1\n/\n");
});

Deno.test("a missing program is an input error", async () => {
  await assert.rejects(startProcess("no-such-program", []), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.equal(
      error.message,
      "Cannot run no-such-program: it is not installed or not executable.",
    );
    return true;
  });
});
