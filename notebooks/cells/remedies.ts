import { compareResults, finalAccuracy } from "../../lib/experiments/comparison.ts";
import { REFERENCE } from "../../lib/experiments/experiments.ts";
import { formatMean } from "../../lib/experiments/markdown.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatCount, formatNumber, formatPercent } from "../../lib/support/format.ts";
import { type MeanInterval, meanInterval } from "../../lib/support/statistics.ts";
import { formatPoints, signOf } from "./intervals.ts";
import { type Cell, displayTable } from "./text.ts";

/** The experiment whose backbone may not learn and that has no way out. */
export const FROZEN = "frozen";

/** A way out of a frozen backbone, what it costs and what it brings. */
export interface Remedy {
  experiment: string;
  change: string;
  trainableParameters: number;
  /** More than `frozen` has. */
  extraParameters: number;
  secondsPerEpoch: number;
  /** Test accuracy after the last epoch, 0–1. */
  final: MeanInterval;
  /** Final accuracy minus that of `frozen` with the same seed; null for `frozen` itself, or where no seed is common. */
  gain: MeanInterval | null;
  /** How much of the way from `frozen` to `dynamic` it goes, 0–1; null where that cannot be said. */
  closed: number | null;
}

/** Sets what a frozen backbone can be helped by beside it, in the order of the results. None where `frozen` itself is missing. */
export function compareRemedies(all: readonly ExperimentResult[]): Remedy[] {
  const results = all.filter(({ experiment, recipe }) =>
    experiment === REFERENCE || recipe.backbone !== "trainable"
  );
  const rows = compareResults(results);
  const base = rows.find(({ experiment }) => experiment === FROZEN);
  if (base === undefined) return [];
  const whole = rows.find(({ experiment }) => experiment === REFERENCE);
  const accuracies = (name: string) =>
    new Map(
      results.find(({ experiment }) => experiment === name)!.seeds.map((
        seed,
      ) => [seed.seed, finalAccuracy(seed)]),
    );
  const frozen = accuracies(FROZEN);
  return rows.map(({ experiment, change, trainableParameters, secondsPerEpoch, final }) => {
    const differences = [...accuracies(experiment)].flatMap(([seed, accuracy]) => {
      const without = frozen.get(seed);
      return without === undefined ? [] : [accuracy - without];
    });
    const isBase = experiment === FROZEN;
    const way = whole === undefined ? 0 : whole.final.mean - base.final.mean;
    return {
      experiment,
      change,
      trainableParameters,
      extraParameters: trainableParameters - base.trainableParameters,
      secondsPerEpoch,
      final,
      gain: isBase || differences.length === 0 ? null : meanInterval(differences),
      closed: isBase || !(way > 0) ? null : (final.mean - base.final.mean) / way,
    };
  });
}

/** Shows each way out with its price and its gain. Nothing where there are no results; {@linkcode openResults} has said so. */
export async function displayRemedies(results: readonly ExperimentResult[]): Promise<void> {
  const remedies = compareRemedies(results);
  if (remedies.length === 0) return;
  await displayTable({
    header: [
      "experiment",
      "what may learn",
      "trainable parameters",
      "more than frozen",
      "seconds an epoch",
      "test accuracy (%)",
      "gain over frozen",
      "of the way to dynamic",
    ],
    rows: remedies.map((remedy): Cell[] => [
      `\`${remedy.experiment}\``,
      remedy.experiment === REFERENCE ? "everything" : remedy.change,
      remedy.trainableParameters,
      remedy.extraParameters,
      remedy.secondsPerEpoch.toFixed(1),
      formatMean(remedy.final),
      remedy.gain === null ? "–" : formatPoints(remedy.gain),
      remedy.closed === null ? "–" : formatPercent(remedy.closed, 0),
    ]),
  });
}

/** What freezing does, in sentences whose numbers come from the results. */
export function describeFreezing(results: readonly ExperimentResult[]): string[] {
  const frozen = compareResults(results).find(({ experiment }) => experiment === FROZEN);
  const [fixed, free] = [FROZEN, REFERENCE].map((name) => lastEpoch(results, name));
  if (frozen?.difference == null || fixed === null || free === null) {
    return ["There are no results to say it with."];
  }
  const { difference } = frozen;
  const gap = fixed.train - fixed.test;
  return [
    `\`${FROZEN}\` ends at ${formatPercent(fixed.test)} where \`${REFERENCE}\` ends at ${
      formatPercent(free.test)
    }: ` +
    `${formatPoints(difference)} (${describePairs(difference)}).`,
    `Its accuracy on the training images is ${formatPercent(fixed.train)}, ${
      formatNumber(Math.abs(100 * gap), 1)
    } points ${gap < 0 ? "below" : "above"} the test accuracy; \`${REFERENCE}\` reaches ${
      formatPercent(free.train)
    }. ` +
    (fixed.train < free.train - 0.03 && gap < 0.05
      ? "So it does not remember too much, it **cannot fit**: even the images it is trained on are beyond it."
      : "So the training images are not beyond it."),
  ];
}

/** What the ways out bring and cost, a sentence each. */
export function describeRemedies(results: readonly ExperimentResult[]): string[] {
  const remedies = compareRemedies(results).filter(({ experiment }) =>
    ![FROZEN, REFERENCE].includes(experiment)
  );
  return remedies.map(({ experiment, change, gain, closed, extraParameters, secondsPerEpoch }) => {
    const price = `${formatCount(extraParameters)} more parameters to train, ${
      formatNumber(secondsPerEpoch, 1)
    } s an epoch`;
    if (gain === null) {
      return `\`${experiment}\` (${change}): ${price}; no seed of it can be paired with \`${FROZEN}\`.`;
    }
    const way = closed === null ? "" : `, ${formatPercent(closed, 0)} of the way back to \`${REFERENCE}\``;
    return `\`${experiment}\` (${change}): **${formatPoints(gain)}** (${
      describePairs(gain)
    })${way}, for ${price}.`;
  });
}

/** What a paired difference rests on. */
export function describePairs(difference: MeanInterval): string {
  const { n, interval } = difference;
  if (interval === undefined) return "one pair: no interval, so no claim";
  return `${n} pairs${signOf(difference) === null ? ", not shown to differ from zero" : ""}`;
}

/** Accuracies after the last epoch, means over seeds, 0–1. */
function lastEpoch(
  results: readonly ExperimentResult[],
  name: string,
): { train: number; test: number } | null {
  const result = results.find(({ experiment }) => experiment === name);
  if (result === undefined) return null;
  const mean = (key: "trainAccuracy" | "testAccuracy") =>
    meanInterval(result.seeds.map(({ history }) => history.at(-1)![key])).mean;
  return { train: mean("trainAccuracy"), test: mean("testAccuracy") };
}
