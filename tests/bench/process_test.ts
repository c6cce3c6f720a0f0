import assert from "node:assert/strict";
import { openProcess, type OpenProcessOptions } from "../../bench/process.ts";

/** Starts a process that runs this program, with its input's lines in `lines`. */
function open(program: string, changes: Partial<OpenProcessOptions> = {}) {
  const code = `import { createInterface } from "node:readline";
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    ${program}`;
  return openProcess({ name: "it", command: Deno.execPath(), args: ["eval", code], ...changes });
}

Deno.test("each command gets an answer", async () => {
  const said: string[] = [];
  await using process = await open(
    `for await (const line of lines) {
      console.error("asked");
      console.log(JSON.stringify({ asked: JSON.parse(line).command, threads: process.env.THREADS }));
    }`,
    { env: { THREADS: "3" }, onMessage: (line) => said.push(line) },
  );
  assert.deepEqual(await process.ask({ command: "describe" }), { asked: "describe", threads: "3" });
  assert.deepEqual(await process.ask({ command: "describe" }), { asked: "describe", threads: "3" });
  assert.ok(process.peakMemory() === null || process.peakMemory()! > 1e6);
  await process[Symbol.asyncDispose]();
  assert.deepEqual(said, ["asked", "asked"]);
});

Deno.test("an aborted process ends together with those that it started", async () => {
  const stop = new AbortController();
  const program = `import { spawn } from "node:child_process";
    const worker = spawn("sleep", ["60"], { stdio: "inherit" });
    await lines.next(); console.log(JSON.stringify({ pid: worker.pid })); await lines.next();`;
  await using process = await open(program, { signal: stop.signal });
  const { pid } = await process.ask<{ pid: number }>({ command: "describe" });
  const question = process.ask({ command: "describe" });
  const start = performance.now();
  stop.abort();
  await assert.rejects(question, /^InputError: Cannot measure it: it ended at "describe"\.$/);
  await process[Symbol.asyncDispose](); // waits for all that hold its output
  assert.ok(performance.now() - start < 30_000, "it waited for the worker's own end");
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] }).output();
  assert.match(new TextDecoder().decode(stdout), /^(Z.*\s*)?$/); // gone, or not yet collected by its new parent
});

Deno.test("a process that fails, ends or does not start is reported", async () => {
  await using unable = await open(
    `await lines.next(); console.log('{"error": "no such form"}'); await lines.next();`,
  );
  await assert.rejects(
    unable.ask({ command: "describe" }),
    /^Error: it failed at .*describe.*: no such form$/,
  );
  await using misused = await open(
    `await lines.next(); console.log('{"error": "No data.", "isInput": true}');`,
  );
  await assert.rejects(misused.ask({ command: "describe" }), /^InputError: No data\.$/);
  await using ending = await open(`console.error("no module named torch"); process.exit(1);`);
  await assert.rejects(
    ending.ask({ command: "describe" }),
    /^InputError: Cannot measure it: it ended at "describe": no module named torch\.$/,
  );
  await assert.rejects(
    open("", { command: "/no/such/python" }),
    /^InputError: Cannot run \/no\/such\/python: /,
  );
});
