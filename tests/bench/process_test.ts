import assert from "node:assert/strict";
import { openProcess, type ProcessOptions, readLines } from "../../bench/process.ts";

/** A process that runs this program, with the lines of its input in `lines`. */
function open(program: string, changes: Partial<ProcessOptions> = {}) {
  const code = `import { createInterface } from "node:readline";
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    ${program}`;
  return openProcess({ name: "it", command: Deno.execPath(), args: ["eval", code], ...changes });
}

Deno.test("each question gets its answer", async () => {
  const said: string[] = [];
  await using process = open(
    `for await (const line of lines) {
      console.error("asked");
      console.log(JSON.stringify({ asked: JSON.parse(line).command, threads: process.env.THREADS }));
    }`,
    { env: { THREADS: "3" }, onMessage: (line) => said.push(line) },
  );
  assert.deepEqual(await process.ask({ command: "describe" }), { asked: "describe", threads: "3" });
  assert.deepEqual(await process.ask({ command: "release" }), { asked: "release", threads: "3" });
  assert.ok(process.peakMemory() === null || process.peakMemory()! > 1e6);
  await process[Symbol.asyncDispose]();
  assert.deepEqual(said, ["asked", "asked"]);
});

Deno.test("a process that cannot, that ends, or that is none says so", async () => {
  await using unable = open(
    `await lines.next(); console.log('{"error": "no such form"}'); await lines.next();`,
  );
  await assert.rejects(
    unable.ask({ command: "describe" }),
    /^Error: it could not do .*describe.*: no such form$/,
  );
  await using misused = open(`await lines.next(); console.log('{"error": "No data.", "isInput": true}');`);
  await assert.rejects(misused.ask({ command: "describe" }), /^InputError: No data\.$/);
  await using ending = open(`console.error("no module named torch"); process.exit(1);`);
  await assert.rejects(
    ending.ask({ command: "describe" }),
    /^InputError: Cannot measure it: it ended at "describe"\. no module named torch$/,
  );
  assert.throws(
    () => open("", { command: "/no/such/python" }),
    /^InputError: Cannot start it: \/no\/such\/python /,
  );
});

Deno.test("lines are put together from whatever pieces they come in", async () => {
  const bytes = new TextEncoder().encode("eins\nzwölf\n\nrest");
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  assert.deepEqual(await Array.fromAsync(readLines(pieces)), ["eins", "zwölf", "", "rest"]);
});
