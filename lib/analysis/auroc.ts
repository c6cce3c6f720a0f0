import { rank } from "../support/statistics.ts";

/**
 * Computes the area under the ROC curve: the probability that a member of the first group scores higher than
 * one of the second, ties counting half (Mann & Whitney 1947). 0.5 is chance, 1 is perfect.
 *
 * @throws {RangeError} If a group is empty.
 */
export function auroc(inside: readonly number[], outside: readonly number[]): number {
  const [n, m] = [inside.length, outside.length];
  if (n === 0 || m === 0) throw new RangeError("An empty group has no ROC curve.");
  const sum = rank([...inside, ...outside]).slice(0, n).reduce((total, each) => total + each, 0);
  return (sum - n * (n - 1) / 2) / (n * m);
}
