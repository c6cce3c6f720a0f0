import assert from "node:assert/strict";
import type { Case } from "../../bench/cases.ts";
import { pairRounds, quantile, runRounds, summariseRounds } from "../../bench/rounds.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";

/** Logs its runs; each takes `milliseconds`. */
function createCase(name: string, log: string[], milliseconds: number, count?: number): Case {
  return {
    name,
    count,
    run: (count) => {
      log.push(`${name}×${count}`);
      return Promise.resolve(milliseconds);
    },
  };
}

Deno.test("every other round runs in reverse, and warm-up rounds are discarded", async () => {
  const log: string[] = [];
  let value = 0;
  const counting = {
    name: "a",
    count: 1,
    run: () => {
      log.push("a×1");
      return Promise.resolve(++value);
    },
  };
  const { rounds, counts } = await runRounds([counting, createCase("b", log, 3, 1)], {
    ...{ rounds: 3, warmUp: 1, turn: 100, pause: 0 },
  });
  assert.deepEqual(log, ["a×1", "b×1", "b×1", "a×1", "a×1", "b×1", "b×1", "a×1"]);
  assert.deepEqual([...rounds], [["a", [2, 3, 4]], ["b", [3, 3, 3]]]);
  assert.deepEqual([...counts], [["a", 1], ["b", 1]]);
});

Deno.test("work is repeated until it fills a turn, after a build and an estimate", async () => {
  const log: string[] = [];
  const { counts } = await runRounds([createCase("fast", log, 2), createCase("slow", log, 700)], {
    ...{ rounds: 1, warmUp: 0, turn: 300, pause: 0 },
  });
  assert.deepEqual([...counts], [["fast", 150], ["slow", 1]]);
  assert.deepEqual(log, ["fast×1", "fast×1", "fast×25", "slow×1", "slow×1", "fast×150", "slow×1"]);
});

Deno.test("rounds stop when they are aborted", async () => {
  const controller = new AbortController();
  const log: string[] = [];
  const stopping = {
    name: "a",
    count: 1,
    run: () => {
      controller.abort();
      return Promise.resolve(1);
    },
  };
  await assert.rejects(
    runRounds([stopping, createCase("b", log, 1, 1)], {
      ...{ rounds: 5, warmUp: 0, turn: 1, pause: 0, signal: controller.signal },
    }),
    Interrupted,
  );
  assert.deepEqual(log, []);
});

Deno.test("quantiles are those of NumPy", () => {
  const values = [7, 1, 3, 10]; // numpy.quantile(values, …)
  assert.deepEqual([0, 0.25, 0.5, 0.75, 1].map((p) => quantile(values, p)), [1, 2.5, 5, 7.75, 10]);
  assert.deepEqual(values, [7, 1, 3, 10], "the rounds keep their order");
  assert.throws(() => quantile([], 0.5), RangeError);
  assert.deepEqual(summariseRounds([5, 4, 3, 2, 1]), { median: 3, minimum: 1, low: 2, high: 4 });
});

Deno.test("a machine that slows down midway does not change a paired ratio", () => {
  const ratios = pairRounds([10, 10, 30, 30], [15, 15, 45, 45]);
  assert.deepEqual(ratios, [1.5, 1.5, 1.5, 1.5]);
  assert.throws(() => pairRounds([1, 2], [1]), /Cannot pair 2 rounds with 1/);
});
