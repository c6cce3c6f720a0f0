import assert from "node:assert/strict";
import { yieldToEventLoop } from "../../lib/support/interrupt.ts";

/** Keeps the thread busy, as a training step does. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

Deno.test("a signal is heard between computations, long before the event loop's 61st turn", async () => {
  let heard = false;
  const listener = () => void (heard = true);
  Deno.addSignalListener("SIGUSR2", listener);
  try {
    let waited = 0;
    for (let time = 0; time < 10; time++) {
      for (let turn = 0; turn < 7; turn++) await yieldToEventLoop(); // as in the middle of a training
      heard = false;
      const start = performance.now();
      Deno.kill(Deno.pid, "SIGUSR2");
      while (!heard && performance.now() - start < 5000) {
        compute(10);
        await yieldToEventLoop();
      }
      waited += performance.now() - start;
    }
    // 0.1 to 0.4 s in all; 2.5 s and more where the loop polls every 61st turn only, as with setImmediate
    assert.ok(waited < 1500, `ten signals took ${Math.round(waited)} ms`);
  } finally {
    Deno.removeSignalListener("SIGUSR2", listener);
  }
});
