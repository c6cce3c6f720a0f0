import { formatNumber } from "../../lib/support/format.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";

/** The values that an interval has to lie in, or to include: `{ includes: 0 }` is "no difference is shown". */
export type Bound = { above: number } | { below: number } | { includes: number };

/**
 * Guards a sentence that a person wrote: throws, and so fails the cell, when the data no longer support it.
 *
 * Where the numbers are no evidence (synthetic images, a stand-in for the published model, missing results), nothing is tested and
 * a line says so.
 *
 * @param statement The claim in short: `dynamic > frozen`.
 * @param evidence A 95 % interval, or a condition that was checked.
 * @param bound Of the interval. @default {{ above: 0 }}
 * @throws {ClaimError} If the claim does not hold.
 *
 * @example
 * ```ts
 * import { meanInterval } from "../../lib/support/statistics.ts";
 * import { createClaim } from "./claims.ts";
 * const claim = createClaim(null);
 * claim("dynamic > frozen", meanInterval([0.22, 0.23, 0.24]));
 * claim("no difference between the initialisations is shown", meanInterval([-0.01, 0.01, 0]), { includes: 0 });
 * ```
 */
export type Claim = (
  statement: string,
  evidence: Pick<MeanInterval, "interval"> | boolean,
  bound?: Bound,
) => void;

/** A conclusion in the text that the data contradict. */
export class ClaimError extends Error {
  override name = "ClaimError";
}

/** Makes a {@linkcode Claim}. @param untestedBecause Why the numbers are no evidence: "synthetic images"; null where they are. */
export function createClaim(untestedBecause: string | null): Claim {
  return (statement, evidence, bound = { above: 0 }) => {
    if (untestedBecause !== null) {
      return console.log(`NOT TESTED (${untestedBecause}), no finding of this run: ${statement}`);
    }
    const problem = findProblem(evidence, bound);
    if (problem === null) return;
    throw new ClaimError(
      `The data no longer support "${statement}": ${problem}. Rewrite the conclusion, or find out what changed.`,
    );
  };
}

function findProblem(evidence: Pick<MeanInterval, "interval"> | boolean, bound: Bound): string | null {
  if (typeof evidence === "boolean") return evidence ? null : "the condition does not hold";
  if (evidence.interval === undefined) return "there is no interval, as from one value";
  const [low, high] = evidence.interval;
  const [[relation, limit]] = Object.entries(bound);
  const holds = relation === "above"
    ? low > limit
    : relation === "below"
    ? high < limit
    : low <= limit && high >= limit;
  if (holds) return null;
  const ends = [low, high].map((end) => formatNumber(end, 4)).join(", ");
  return `the 95 % interval [${ends}] ${
    relation === "includes" ? "does not include" : `is not ${relation}`
  } ${limit}`;
}
