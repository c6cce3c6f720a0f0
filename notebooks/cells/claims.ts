import { formatNumber } from "../../lib/support/format.ts";
import type { Difference } from "../../lib/experiments/comparison.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";

/** Values that an interval has to lie in. */
export type Bound = { above: number } | { below: number };

/**
 * Guards a sentence that a person wrote: throws, and so fails the cell, when the data no longer support it.
 *
 * Where the numbers are no evidence (synthetic images, a stand-in for the published model, missing results),
 * nothing is tested and a line says so.
 *
 * @param statement The claim in short: `dynamic > frozen`.
 * @param evidence NaN stands for results that are missing.
 * @param bound Of the interval or the number. @default {{ above: 0 }}
 * @throws {ClaimError} If the claim does not hold.
 */
export type Claim = (
  statement: string,
  evidence: Evidence,
  bound?: Bound,
) => void;

/**
 * A 95 % interval, a number, or a condition that was checked. The difference of two experiments has to be
 * shown after Holm's correction too.
 */
export type Evidence =
  | Pick<MeanInterval, "mean" | "interval"> & Partial<Pick<Difference, "shown">>
  | number
  | boolean;

/** A conclusion in the text that the data contradict. */
export class ClaimError extends Error {
  override name = "ClaimError";
}

/**
 * Makes a {@linkcode Claim}.
 *
 * @param untestedBecause Reason: "synthetic images"; null to test it.
 * @param about Whose numbers contradict a sentence that was written about others: "run mine". Such a claim is
 * said not to hold, and does not fail the cell.
 */
export function createClaim(untestedBecause: string | null, about?: string): Claim {
  return (statement, evidence, bound = { above: 0 }) => {
    const reason = untestedBecause ?? (isMissing(evidence) ? "missing results" : null);
    if (reason !== null) {
      return console.log(`NOT TESTED (${reason}), no finding of this run: ${statement}`);
    }
    const problem = findProblem(evidence, bound);
    if (problem === null) return;
    if (about !== undefined) return console.log(`NOT SO for ${about}: ${statement} (${problem}).`);
    throw new ClaimError(
      `The data no longer support "${statement}": ${problem}. Rewrite the conclusion, or find out what changed.`,
    );
  };
}

function isMissing(evidence: Evidence): boolean {
  if (typeof evidence === "boolean") return false;
  return Number.isNaN(typeof evidence === "number" ? evidence : evidence.mean);
}

function findProblem(evidence: Evidence, bound: Bound): string | null {
  if (typeof evidence === "boolean") return evidence ? null : "the condition does not hold";
  const isNumber = typeof evidence === "number";
  if (!isNumber && (evidence.shown === "undecided" || evidence.shown === "equivalent")) {
    return "no difference is left after Holm's correction";
  }
  if (!isNumber && evidence.interval === undefined) return "there is no interval, as from one value";
  const [low, high] = isNumber ? [evidence, evidence] : evidence.interval!;
  const [[relation, limit]] = Object.entries(bound);
  const holds = { above: low > limit, below: high < limit };
  if (holds[relation as keyof typeof holds]) return null;
  const ends = [low, high].map((end) => formatNumber(end, 4));
  const found = isNumber ? ends[0] : `the 95 % interval [${ends.join(", ")}]`;
  return `${found} is not ${relation} ${limit}`;
}
