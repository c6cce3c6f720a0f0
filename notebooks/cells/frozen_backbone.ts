import type { LayerDrift, MomentsDrift } from "../../lib/analysis/drift.ts";
import { compareResults } from "../../lib/experiments/comparison.ts";
import { REFERENCE } from "../../lib/experiments/experiments.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatCount, formatNumber, formatPercent } from "../../lib/support/format.ts";
import { formatPoints } from "./intervals.ts";
import { fitsStored } from "./moments.ts";
import { type BackboneProbes, findProbe } from "./probes.ts";
import { compareRemedies, describeFreezing, describePairs, FROZEN } from "./remedies.ts";

/** The loss by a frozen backbone in parts that add up to it, in accuracy 0–1. */
export interface Budget {
  /** What the dynamic network reaches beyond a probe of its own backbone: negative where the probe reads more. */
  beyond: number;
  /** What the probe reads less off the frozen features than off the trained ones. */
  features: number;
  /** What the frozen network falls short of the probe on the same features. */
  head: number;
  whole: number;
}

/** Takes the loss by a frozen backbone apart; null where results or probes are missing. */
export function makeBudget(
  results: readonly ExperimentResult[],
  probes: readonly BackboneProbes[],
): Budget | null {
  const rows = compareResults(results);
  const [free, fixed] = [REFERENCE, FROZEN].map((name) =>
    rows.find(({ experiment }) => experiment === name)?.final.mean
  );
  const [read, readFrozen] = ["trained", "frozen"].map((name) => findProbe(probes, name)?.accuracy);
  if (free === undefined || fixed === undefined || read === undefined || readFrozen === undefined) {
    return null;
  }
  return { beyond: free - read, features: read - readFrozen, head: readFrozen - fixed, whole: free - fixed };
}

/** The budget in words. */
export function describeBudget(
  results: readonly ExperimentResult[],
  probes: readonly BackboneProbes[],
): string {
  const budget = makeBudget(results, probes);
  if (budget === null) return "There are no results to take apart.";
  const points = (share: number) => `${formatNumber(100 * share, 1)} points`;
  return `Of the ${points(budget.whole)} between \`${REFERENCE}\` and \`${FROZEN}\`, **${
    points(budget.features)
  }** are the features' ` +
    `(one probe, two backbones), **${
      points(budget.head)
    }** are what the dynamic head does not get out of features that hold it, and ` +
    `${
      points(budget.beyond)
    } are what the trained network reaches beyond the probe of its own backbone. The probe was fitted to fewer ` +
    "images than the networks were trained on, so it says what is in the features at least: the head's part could be larger, the " +
    "features' part is a comparison of equals.";
}

/** What {@linkcode concludeFrozen} draws on. */
export interface FrozenFindings {
  results: readonly ExperimentResult[];
  probes: readonly BackboneProbes[];
  moments: ReadonlyMap<string, MomentsDrift>;
  drift: readonly LayerDrift[];
}

/** The findings on a frozen backbone, a sentence each: what, why, and the ways out. */
export function concludeFrozen({ results, probes, moments, drift }: FrozenFindings): string[] {
  const budget = makeBudget(results, probes);
  const sentences = [`**What happens.** ${describeFreezing(results).join(" ")}`];
  sentences.push(
    "**Why: not the statistics**" +
      (fitsStored(moments)
        ? ", as far as this weights file can tell: those it holds fit these images."
        : " alone: they do not fit these images, and the probe says what that costs."),
  );
  if (budget !== null) {
    sentences.push(
      `**Why: the features, and a head that cannot mend them.** \`layer1\` ends early: in ImageNet's network three more stages make ` +
        `classes of what it gives. Here it has to be the whole network. ${
          formatPercent(budget.features / budget.whole, 0)
        } of the loss ` +
        `are features that are not there, ${
          formatPercent(budget.head / budget.whole, 0)
        } are there, but not in the single direction ` +
        "that a 1×1 filter can take.",
    );
  }
  const [least, most] = [Math.min, Math.max].map((choose) => {
    const angle = choose(...drift.map(({ angle }) => angle));
    return drift.find((layer) => layer.angle === angle)!;
  });
  sentences.push(
    `**What learning does instead.** Kernels turn by ${
      formatNumber(least.angle, 0)
    }° (\`${least.layer}\`) to ` +
      `${formatNumber(most.angle, 0)}° (\`${most.layer}\`), those of the first layer by ${
        formatNumber(drift[0].angle, 0)
      }°.`,
  );
  return [...sentences, ...concludeRemedies(results)];
}

function concludeRemedies(results: readonly ExperimentResult[]): string[] {
  const remedies = compareRemedies(results).flatMap((remedy) =>
    remedy.gain === null || [REFERENCE, FROZEN].includes(remedy.experiment)
      ? []
      : [{ ...remedy, gain: remedy.gain }]
  );
  if (remedies.length === 0) return ["**Ways out.** There are no results of any yet."];
  const most = remedies.reduce((one, other) => other.gain.mean > one.gain.mean ? other : one);
  const perParameter = ({ gain, extraParameters }: typeof most) => gain.mean / extraParameters;
  const cheapest = remedies.reduce((one, other) => perParameter(other) > perParameter(one) ? other : one);
  const way = most.closed === null ? "" : `, ${formatPercent(most.closed, 0)} of the way back`;
  return [
    `**Ways out.** The best is \`${most.experiment}\`: ${formatPoints(most.gain)} (${
      describePairs(most.gain)
    })${way}, for ` +
    `${formatCount(most.extraParameters)} parameters more and ${
      formatNumber(most.secondsPerEpoch, 1)
    } s an epoch. ` +
    (cheapest === most ? "It is also the one" : `\`${cheapest.experiment}\` is the one`) +
    ` that brings most per parameter (${formatPoints(cheapest.gain)} for ${
      formatCount(cheapest.extraParameters)
    }), ` +
    `at ${formatNumber(cheapest.secondsPerEpoch, 1)} s an epoch.`,
  ];
}
