/**
 * Computes the area under the ROC curve: the probability that a member of the first group scores higher than
 * one of the second, ties counting half (Mann & Whitney 1947). 0.5 is chance, 1 is perfect.
 *
 * @throws {RangeError} If a group is empty.
 */
export function auroc(inside: readonly number[], outside: readonly number[]): number {
  if (inside.length === 0 || outside.length === 0) {
    throw new RangeError("An empty group has no ROC curve.");
  }
  const sorted = outside.toSorted((one, other) => one - other);
  const countBelow = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = inside.reduce(
    (sum, value) => sum + (countBelow(value, false) + countBelow(value, true)) / 2,
    0,
  );
  return wins / (inside.length * outside.length);
}
