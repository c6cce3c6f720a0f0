import assert from "node:assert/strict";
import { alternate, type Contestant, runRounds } from "../../bench/rounds.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";

/** Notes who ran how often; each run takes `milliseconds`. */
function contestant(row: string, log: string[], milliseconds: number, count?: number): Contestant {
  return {
    row,
    count,
    run: (count) => {
      log.push(`${row}×${count}`);
      return Promise.resolve(milliseconds);
    },
  };
}

Deno.test("ours and peers take turns, and who is left comes last", () => {
  assert.deepEqual(alternate(["a", "b", "c"], ["1", "2"]), ["a", "1", "b", "2", "c"]);
  assert.deepEqual(alternate(["a"], ["1", "2", "3"]), ["a", "1", "2", "3"]);
});

Deno.test("every other round runs backwards, and the first are thrown away", async () => {
  const log: string[] = [];
  let value = 0;
  const counting = {
    row: "a",
    count: 1,
    run: () => {
      log.push("a×1");
      return Promise.resolve(++value);
    },
  };
  const { rounds, counts } = await runRounds([counting, contestant("b", log, 3, 1)], {
    ...{ rounds: 3, thrownAway: 1, turn: 100, rest: 0 },
  });
  assert.deepEqual(log, ["a×1", "b×1", "b×1", "a×1", "a×1", "b×1", "b×1", "a×1"]);
  assert.deepEqual([...rounds], [["a", [2, 3, 4]], ["b", [3, 3, 3]]]);
  assert.deepEqual([...counts], [["a", 1], ["b", 1]]);
});

Deno.test("work is repeated until it fills a turn, after it was built and tried", async () => {
  const log: string[] = [];
  const { counts } = await runRounds([contestant("fast", log, 2), contestant("slow", log, 700)], {
    ...{ rounds: 1, thrownAway: 0, turn: 300, rest: 0 },
  });
  assert.deepEqual([...counts], [["fast", 150], ["slow", 1]]);
  assert.deepEqual(log, ["fast×1", "fast×1", "fast×25", "slow×1", "slow×1", "fast×150", "slow×1"]);
});

Deno.test("rounds stop when they are told to", async () => {
  const controller = new AbortController();
  const log: string[] = [];
  const stopping = {
    row: "a",
    count: 1,
    run: () => {
      controller.abort();
      return Promise.resolve(1);
    },
  };
  await assert.rejects(
    runRounds([stopping, contestant("b", log, 1, 1)], {
      ...{ rounds: 5, thrownAway: 0, turn: 1, rest: 0, signal: controller.signal },
    }),
    Interrupted,
  );
  assert.deepEqual(log, []);
});
