import assert from "node:assert/strict";
import { join } from "@std/path";
import { exists } from "../../lib/support/files.ts";
import { yieldToEventLoop } from "../../lib/support/interrupt.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { temporaryFolder } from "../testing/folder.ts";

/** Keeps the thread busy, as a training step does. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

Deno.test("a signal is handled between computations, before the event loop's 61st iteration", async () => {
  let heard = false;
  const listener = () => void (heard = true);
  Deno.addSignalListener("SIGUSR2", listener);
  try {
    const waits: number[] = [];
    for (let time = 0; time < 10; time++) {
      for (let turn = 0; turn < 7; turn++) await yieldToEventLoop(); // as in the middle of a training
      heard = false;
      const start = performance.now();
      Deno.kill(Deno.pid, "SIGUSR2");
      while (!heard && performance.now() - start < 5000) {
        compute(20);
        await yieldToEventLoop();
      }
      waits.push(performance.now() - start);
    }
    // 20 to 60 ms on an idle machine; 360 ms at least where the loop polls on every 61st turn, as with
    // setImmediate. The least of ten, since other programs may delay a signal as well
    const least = Math.min(...waits);
    assert.ok(least < 200, `the fastest of ten signals took ${Math.round(least)} ms`);
  } finally {
    Deno.removeSignalListener("SIGUSR2", listener);
  }
});

/** Prints whether it is to stop after SIGHUP, then after two SIGTERM at once; a later third ends it. */
const PROGRAM = `
import { outliveHangUp, watchInterrupts } from "${new URL(
  "../../lib/support/interrupt.ts",
  import.meta.url,
)}";
outliveHangUp();
const { signal } = watchInterrupts();
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
Deno.kill(Deno.pid, "SIGHUP");
await wait(100);
console.log("after SIGHUP:", signal.aborted);
Deno.kill(Deno.pid, "SIGTERM");
await wait(10);
Deno.kill(Deno.pid, "SIGTERM");
await wait(400);
console.log("after SIGTERM:", signal.aborted);
Deno.kill(Deno.pid, "SIGTERM");
await wait(10_000);
`;

async function runProgram(hasTerminal: boolean): Promise<{ code: number | null; lines: string[] }> {
  using folder = temporaryFolder();
  const path = join(folder.path, "program.ts");
  Deno.writeTextFileSync(path, PROGRAM);
  const command = [Deno.execPath(), "run", "-A", "--no-check", path];
  const [program, args] = hasTerminal
    ? ["script", ["-qec", command.map((word) => `'${word}'`).join(" "), "/dev/null"]]
    : [command[0], command.slice(1)];
  const { code, stdout } = await (await startProcess(program, args, { env: { NO_COLOR: "1" } })).ended;
  return { code, lines: stdout.trim().split(/\r?\n/) };
}

Deno.test("without a terminal, as under nohup, SIGHUP stops nothing; SIGTERM does, also when it comes twice", async () => {
  const lines = ["after SIGHUP: false", "after SIGTERM: true"];
  assert.deepEqual(await runProgram(false), { code: 130, lines });
});

Deno.test({
  name: "the closing of its terminal stops a program so that it can save",
  ignore: !["/bin/script", "/usr/bin/script"].some(exists),
  fn: async () => {
    const lines = ["after SIGHUP: true", "after SIGTERM: true"];
    assert.deepEqual(await runProgram(true), { code: 130, lines });
  },
});
