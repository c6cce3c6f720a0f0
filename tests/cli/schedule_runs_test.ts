import assert from "node:assert/strict";
import { scheduleRuns } from "../../cli/compare/train_runs.ts";

/** Runs that end on request, with a log of events. */
function createWorkshop() {
  const log: string[] = [];
  const ends = new Map<string, (result: boolean | Error) => void>();
  return {
    log,
    start(run: string): Promise<boolean> {
      log.push(run);
      return new Promise((resolve, reject) =>
        ends.set(run, (result) => result instanceof Error ? reject(result) : resolve(result))
      );
    },
    async end(run: string, result: boolean | Error = true): Promise<void> {
      ends.get(run)!(result);
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
  };
}

Deno.test("runs start in order, at most jobs at once", async () => {
  const { log, start, end } = createWorkshop();
  const all = scheduleRuns({
    runs: ["a", "b", "c", "d"],
    jobs: 2,
    start,
    signal: new AbortController().signal,
  });
  assert.deepEqual(log, ["a", "b"]);
  await end("b");
  assert.deepEqual(log, ["a", "b", "c"]);
  for (const run of ["a", "c", "d"]) await end(run);
  assert.deepEqual(await all, { failed: [], isInterrupted: false });
});

Deno.test("a run that fails does not stop the others", async () => {
  const { log, start, end } = createWorkshop();
  const told: string[] = [];
  const all = scheduleRuns({
    runs: ["a", "b"],
    jobs: 1,
    start,
    signal: new AbortController().signal,
    onFailure: (run) => told.push(run),
  });
  const error = new Error("diverged");
  await end("a", error);
  assert.deepEqual(told, ["a"]);
  await end("b");
  assert.deepEqual(log, ["a", "b"]);
  assert.deepEqual(await all, { failed: [{ run: "a", error }], isInterrupted: false });
});

Deno.test("after the signal no run starts, and running ones are awaited", async () => {
  const { log, start, end } = createWorkshop();
  const controller = new AbortController();
  let isOver = false;
  const all = scheduleRuns({ runs: ["a", "b", "c"], jobs: 2, start, signal: controller.signal });
  all.then(() => isOver = true);
  controller.abort();
  await end("a", false);
  assert.equal(isOver, false);
  await end("b", false);
  assert.deepEqual(await all, { failed: [], isInterrupted: true });
  assert.deepEqual(log, ["a", "b"]);
});
