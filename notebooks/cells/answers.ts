/**
 * The lab's four questions, answered in sentences by rule: every number comes from what was measured, and where nothing was, the sentence
 * says so.
 *
 * @module
 */
import type { PairAgreement } from "../../lib/analysis/class_vectors.ts";
import type { AreaComparison } from "../../lib/analysis/deletion.ts";
import type { SlopeSummary } from "../../lib/analysis/evidence.ts";
import { type Pointing, POINTING_CHANCE } from "../../lib/analysis/pointing.ts";
import { compareResults, type ComparisonRow } from "../../lib/experiments/comparison.ts";
import { REFERENCE } from "../../lib/experiments/experiments.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatCount, formatNumber, formatPercent } from "../../lib/support/format.ts";
import { CHANNELS, CLASSES } from "../../lib/model/spec.ts";
import { summarise } from "../../lib/model/summary.ts";
import { describeBlend, type MeasuredBlend } from "./blends.ts";
import { formatPoints, formatShare, signOf } from "./intervals.ts";
import { describeFreezing, describePairs, describeRemedies } from "./remedies.ts";
import { judgeAreas } from "./response_evidence.ts";

/** What was measured. */
export interface Findings {
  results: readonly ExperimentResult[];
  /**
   * Areas under deletion and insertion curves: those of the winner's evidence first, and among the others `at random`, `from the centre` and
   * `runner-up's evidence`.
   */
  areas: readonly AreaComparison[];
  pointing: Pointing;
  /** How the predictor reads maps. */
  slopes: SlopeSummary;
  blend: MeasuredBlend;
  /** Whether classes that are confused have filters that are alike. */
  agreement: PairAgreement;
  /** Side of the square that holds 90 % of what moves a cell, in pixels. */
  window: number;
}

/** The answers, a list each. */
export interface LabAnswers {
  usage: string[];
  frozen: string[];
  advantages: string[];
  downsides: string[];
}

/** Answers the four questions. */
export function answerQuestions(findings: Findings): LabAnswers {
  return {
    usage: answerUsage(findings),
    frozen: [...describeFreezing(findings.results), ...describeRemedies(findings.results)]
      .map((sentence) => `${sentence} (notebook 4)`),
    advantages: answerAdvantages(findings),
    downsides: answerDownsides(findings),
  };
}

function answerUsage({ pointing, areas, agreement }: Findings): string[] {
  const random = areas.find(({ name }) => name === "at random")?.difference?.deletion;
  return [
    `**To see where a class is found.** Evidence points at its class's quarter of a mosaic in ${
      formatShare(pointing.peak)
    } of the cases; chance is ${formatPercent(POINTING_CHANCE, 0)}. (notebook 5)`,
    ...random === undefined ? [] : [
      "**To see what an answer rests on.** Removing pixels in the order of the winner's evidence " +
      `${
        signOf(random) === "above" ? "makes" : "does not make"
      } the answer fall faster than removing them at random: ` +
      `the area under the curve is ${formatNumber(Math.abs(random.mean), 3)} ${
        random.mean > 0 ? "smaller" : "larger"
      }. (notebook 5)`,
    ],
    "**To find out why it is wrong.** The wrong winner's evidence and the right class's lie side by side, each with its score. (the page " +
    "above)",
    `**To see which classes are alike to the network.** Similarity of filters and confusions agree over ${agreement.pairs} pairs of ` +
    `classes with a rank correlation of ${formatNumber(agreement.correlation, 2)} (${
      formatChance(agreement)
    }). (notebook 5)`,
  ];
}

function answerAdvantages({ results, pointing, blend }: Findings): string[] {
  const rows = compareResults(results);
  const [first] = describeBlend(blend);
  return [
    "**The class is an input, and the rest is shared.** One predictor serves all classes, told apart by the filter alone. " +
    `Without the condition nothing is left: ${tell(rows, "static-shared")} (notebook 3)`,
    "**A map for every class, for nothing.** An ordinary head with one filter has one map for all classes, and its accuracy is another: " +
    `${tell(rows, "static-ten-way")} The dynamic network's maps say where: ${
      formatShare(pointing.peak)
    } in the pointing test. ` +
    "(notebooks 3 and 5)",
    `**Filters for classes that were never trained.** An embedding between two classes has a filter too. ${first} (notebook 5)`,
  ];
}

function answerDownsides({ results, areas, slopes, blend, window }: Findings): string[] {
  const rows = compareResults(results);
  const { layers, parameters } = summarise({ variant: "dynamic", backbone: "trainable", adapter: "none" });
  const written = layers.filter(({ layer }) => /^(class_embeddings|weights_generator)/.test(layer))
    .reduce((sum, layer) => sum + layer.parameters, 0);
  return [
    `**${judgeStoring(rows)}.** ${tell(rows, "static-per-class")} (notebook 3)`,
    `**A price in parameters.** Embeddings and generator are ${formatCount(written)} numbers, ${
      formatPercent(written / parameters, 0)
    } of the network, and write ${formatCount(CLASSES * CHANNELS)}. (notebook 1)`,
    "**All hangs on the features.** A 1×1 filter is one weighted sum of channels; with a frozen backbone: " +
    `${tell(rows, "frozen")} (notebook 4)`,
    "**The maps cannot be read as they are.** Whether a high or a low response speaks for a class is chance, and may change from place " +
    `to place (here the score rises with the response in ${formatPercent(slopes.rising, 0)} of the cells): ` +
    "the predictor must be asked. (notebook 5)",
    `**The maps are coarse.** 8×8 cells, each moved by a square of some ${window} pixels (90 % of its influence) of the image's 32; and ` +
    `the order from the centre, which knows nothing of the image, is ${
      beats(areas, "from the centre") ? "beaten" : "not beaten"
    } by both tests. (notebook 5)`,
    "**Dynamic by class, not by image.** Once trained, the ten filters are constants, and between classes the generator " +
    `${blend.straight > 0.95 ? "hardly differs" : "differs"} from plain mixing of them (cosine ${
      formatNumber(blend.straight, 2)
    }). ` +
    "(notebook 5)",
  ];
}

/** What the maps, filters and blends turned out to be, a sentence each. */
export function concludeMaps({ areas, pointing, slopes, agreement, blend }: Findings): string[] {
  const says = (name: string) => beats(areas, name) ? "**beats**" : "does not beat";
  const [low, high] = pointing.peak.interval ?? [0, 1];
  return [
    "A response map is not a picture of the object: bright is not *here it is*. What a response is worth, the predictor knows " +
    `(the score rises with it in ${
      formatPercent(slopes.rising, 0)
    } of the cells); with the slope, and against the other classes, it can be read.`,
    `In the deletion test the winner's evidence ${says("at random")} a random order by both tests, ${
      says("runner-up's evidence")
    } the runner-up's, and ${says("from the centre")} the order from the centre` +
    (beats(areas, "from the centre")
      ? ": it knows more than that objects are in the middle."
      : ", which knows nothing but that objects are in the middle."),
    `Where the middle is no help, in mosaics, evidence points at its class in ${
      formatShare(pointing.peak)
    } of the cases (chance ${formatPercent(POINTING_CHANCE, 0)}): ` +
    (low > POINTING_CHANCE
      ? "it is **specific**."
      : high < POINTING_CHANCE
      ? "it misleads."
      : "that is not shown to differ from chance."),
    `Filters of classes that are confused ${
      agreement.correlation > 0 && agreement.chance < 0.05 ? "**are** alike" : "are not shown to be alike"
    } (rank correlation ${formatNumber(agreement.correlation, 2)}).`,
    `An embedding between two classes has a filter that ${
      signOf(blend.gain.better) === "above"
        ? "**works** for either of them"
        : "is not shown to work better than one of theirs"
    }${
      blend.straight > 0.95
        ? "; mixing the two filters themselves would do nearly the same."
        : ", and is not their plain mixture."
    }`,
  ];
}

/** Whether the winner's evidence is shown to be better than another order, by deletion and by insertion. */
function beats(areas: readonly AreaComparison[], name: string): boolean {
  const verdict = judgeAreas(areas).find((verdict) => verdict.name === name);
  return verdict?.deletion === "better" && verdict.insertion === "better";
}

function judgeStoring(rows: readonly ComparisonRow[]): string {
  const difference = rows.find(({ experiment }) => experiment === "static-per-class")?.difference;
  const side = difference == null ? null : signOf(difference);
  if (side === "below") return "A small gain over storing the filters";
  return side === "above" ? "Storing the filters is better" : "No gain over storing the filters is shown";
}

/** An experiment beside the reference, in a sentence. */
function tell(rows: readonly ComparisonRow[], name: string): string {
  const row = rows.find(({ experiment }) => experiment === name);
  const reference = rows.find(({ experiment }) => experiment === REFERENCE);
  if (row === undefined || reference === undefined) {
    return `there are no results of \`${name}\` to say it with.`;
  }
  const both = `\`${name}\` has ${formatPercent(row.final.mean)}, \`${REFERENCE}\` ${
    formatPercent(reference.final.mean)
  }`;
  return row.difference === null
    ? `${both}.`
    : `${both}: ${formatPoints(row.difference)} (${describePairs(row.difference)}).`;
}

/** The result of the permutation test in words. */
export function formatChance({ chance }: PairAgreement): string {
  return chance < 0.001
    ? "fewer than 1 in 1,000 random namings of the classes agree as well"
    : `${formatPercent(chance, chance < 0.1 ? 1 : 0)} of random namings of the classes agree as well`;
}
