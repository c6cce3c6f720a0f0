import { Interrupted } from "../lib/support/interrupt.ts";

/** Who takes part in a column: one form of one system. */
export interface Contestant {
  /** The row of the table. */
  row: string;
  /** Does the work `count` times; what one of them took, or needed. */
  run(count: number): Promise<number>;
  /** How often within a round; by default as often as fills the time of a turn. */
  count?: number;
}

/** Options of {@linkcode runRounds}. */
export interface RoundsOptions {
  /** Rounds that count. */
  rounds: number;
  /** Rounds before them that are thrown away. */
  thrownAway: number;
  /** Milliseconds that a turn lasts at least, where the contestant does not say how often. */
  turn: number;
  /** Milliseconds of rest before a turn: threads of the one before may still spin. */
  rest?: number;
  /** Aborted to stop. */
  signal?: AbortSignal;
  /** Told of each turn. */
  onTurn?(row: string, round: number): void;
}

/** What the rounds gave, by row. */
export interface RoundsResult {
  /** A value for each round that counts. */
  rounds: Map<string, number[]>;
  /** How often the work was done in each round. */
  counts: Map<string, number>;
}

/** Whom `ours` and `peers` meet: one of each in turn, and then who is left. */
export function alternate<T>(ours: readonly T[], peers: readonly T[]): T[] {
  const length = Math.max(ours.length, peers.length);
  return Array.from(
    { length },
    (_, index) => [...ours.slice(index, index + 1), ...peers.slice(index, index + 1)],
  )
    .flat();
}

/**
 * Lets all contestants run in turn, round after round, every other round backwards, so that a machine that gets slower or faster
 * treats them alike.
 *
 * Before the rounds each runs once to build what it needs, and again to find how often it fits into a turn.
 *
 * @throws {Interrupted} If `signal` was aborted.
 */
export async function runRounds(
  contestants: readonly Contestant[],
  options: RoundsOptions,
): Promise<RoundsResult> {
  const { rounds: wanted, thrownAway, turn, rest = 30, signal, onTurn } = options;
  const rounds = new Map(contestants.map(({ row }) => [row, [] as number[]]));
  const counts = new Map<string, number>();
  for (const contestant of contestants) {
    onTurn?.(contestant.row, 0);
    counts.set(contestant.row, contestant.count ?? await findCount(contestant, turn));
    if (signal?.aborted) throw new Interrupted("");
  }
  for (let round = 0; round < thrownAway + wanted; round++) {
    for (const { row, run } of round % 2 === 0 ? contestants : contestants.toReversed()) {
      onTurn?.(row, round + 1);
      await new Promise((resolve) => setTimeout(resolve, rest));
      const value = await run(counts.get(row)!);
      if (signal?.aborted) throw new Interrupted("");
      if (round >= thrownAway) rounds.get(row)!.push(value);
    }
  }
  return { rounds, counts };
}

const TRIAL = 50; // milliseconds that a first estimate needs to be worth something

/** How often the work fits into `turn` milliseconds. */
async function findCount({ run }: Contestant, turn: number): Promise<number> {
  await run(1);
  const first = await run(1);
  const count = Math.ceil(Math.min(TRIAL, turn) / first);
  const milliseconds = count > 1 ? await run(count) : first;
  return Math.max(1, Math.ceil(turn / milliseconds));
}
