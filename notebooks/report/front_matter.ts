import { compareResults, type ComparisonRow, type Difference } from "../../lib/experiments/comparison.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatNumber, formatPercent, formatSigned } from "../../lib/support/format.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";
import { block, escapeParagraph, inline, toTypst } from "./typst.ts";

type Rows = ReadonlyMap<string, ComparisonRow>;

/** Writes the abstract: the network, the comparison's main numbers, all computed, and the data set. */
export function writeAbstract(results: readonly ExperimentResult[]): string {
  const rows: Rows = new Map(compareResults(results).map((row) => [row.experiment, row]));
  const epochs = results.find(({ experiment }) => experiment === "dynamic")?.recipe.epochs;
  const sentences = [
    "The network of this lab classifies CIFAR-10 with ten 1×1 filters, one per class. The filters are not stored: a small network " +
    "generates them from learned class embeddings, and they are convolved with the feature map of a ResNet-18 that ends after its " +
    "first stage.",
    ...describeReference(rows, epochs),
    ...describeStatic(rows),
    ...describeFrozen(rows),
    ...results.length === 0 ? [] : [`Data: ${dataNames(results)}.`],
  ];
  return [
    inline("#plain-heading[Abstract]"),
    sentences.map(escapeParagraph).join(" "),
    highlightNumbers(rows),
  ].join("\n\n");
}

function describeReference(rows: Rows, epochs?: number): string[] {
  const final = rows.get("dynamic")?.final;
  if (final === undefined) return ["Its accuracy has not been measured yet."];
  const over = final.n === 1 ? "one seed" : `mean ± standard deviation over ${final.n} seeds`;
  return [`After ${epochs} epochs its test accuracy is ${formatAccuracy(final)} (${over}, last epoch).`];
}

const CONCLUSIONS = {
  higher: "storing the filters is better than generating them here",
  lower: "generating the filters is better than storing them here",
  equivalent: "storing the filters is equivalent to generating them within 0.5 points",
  undecided: "whether generating the filters differs from storing them remains undecided",
  unknown: "one seed shows nothing",
};

function describeStatic(rows: Rows): string[] {
  const [stored, shared] = [rows.get("static-per-class"), rows.get("static-shared")];
  const sentences: string[] = [];
  if (stored?.difference) {
    const { difference, final } = stored;
    sentences.push(
      `With ten stored filters instead the same network reaches ${formatWithCount(final)}, ` +
        `${formatDifference(difference)}: ${CONCLUSIONS[difference.shown ?? "unknown"]}.`,
    );
  }
  if (shared) {
    sentences.push(
      "With one filter shared by all classes, the literal reading of “without the dynamic mechanism”, it reaches " +
        `${formatWithCount(shared.final)}, because all ten scores are equal.`,
    );
  }
  return sentences;
}

function describeFrozen(rows: Rows): string[] {
  const frozen = rows.get("frozen");
  if (!frozen?.difference) return [];
  const changes = {
    "frozen-3x3": "a trainable 3×3 adapter behind it",
    "bn-only": "training only its batch normalisation",
  };
  const remedies = Object.entries(changes).flatMap(([name, change]) => {
    const row = rows.get(name);
    return row ? [`${change} raises that to ${formatWithCount(row.final)}`] : [];
  });
  const loss = `${formatWithCount(frozen.final)}, ${formatDifference(frozen.difference)}`;
  return [
    `With a frozen backbone it reaches ${loss}${remedies.length > 0 ? "; " : ""}${remedies.join(", ")}.`,
  ];
}

function highlightNumbers(rows: Rows): string {
  const entries: string[][] = [];
  const add = (name: string, change: string) => {
    const difference = rows.get(name)?.difference;
    if (!difference) return;
    const interval = formatInterval(difference, "one seed, so no interval");
    entries.push([`${formatSigned(100 * difference.mean, 2)} points`, `with ${change} (${interval})`]);
  };
  const final = rows.get("dynamic")?.final;
  const adapted = rows.get("frozen-3x3")?.difference;
  if (final) entries.push([formatAccuracy(final), `test accuracy with dynamic filters, n = ${final.n}`]);
  add("static-per-class", "ten stored filters instead");
  add(
    "frozen",
    `a frozen backbone${adapted ? `; ${formatSigned(100 * adapted.mean, 2)} with a 3×3 adapter` : ""}`,
  );
  return entries.length === 0 ? "" : block(`#highlights(${entries.map(toTypst).join(", ")})`);
}

/** `80.31 ± 0.21 %`, or without a deviation for one seed. */
function formatAccuracy({ mean, deviation, n }: MeanInterval): string {
  return n === 1 ? formatPercent(mean, 2) : `${formatNumber(100 * mean, 2)} ± ${formatPercent(deviation, 2)}`;
}

/** `80.31 ± 0.21 % (n = 3)` */
function formatWithCount(final: MeanInterval): string {
  return `${formatAccuracy(final)} (n = ${final.n})`;
}

/** `0.70 points more (95 % interval +0.20 to +1.20)` */
function formatDifference(difference: Difference): string {
  const { mean } = difference;
  return `${formatNumber(Math.abs(100 * mean), 2)} points ${mean < 0 ? "less" : "more"} (${
    formatInterval(difference, "one seed")
  })`;
}

function formatInterval({ interval }: Difference, without: string): string {
  return interval === undefined
    ? without
    : `95 % interval ${interval.map((end) => formatSigned(100 * end, 2)).join(" to ")}`;
}

function dataNames(results: readonly ExperimentResult[]): string {
  return [...new Set(results.map(({ data }) => data.name))].join("; ");
}

/** Writes network, data, recipe and software in a few lines, with the papers they come from. */
export function writeBackground(results: readonly ExperimentResult[]): string {
  const recipe = results.find(({ experiment }) => experiment === "dynamic")?.recipe;
  const seeds = Math.max(0, ...results.map((result) => result.seeds.length));
  const names = dataNames(results);
  const paragraphs = [
    "**Network.** [Dynamic filter networks](https://arxiv.org/abs/1605.09673) let one network generate the weights of another, " +
    "conditioned on an input: on words, to find an actor in a [video](https://arxiv.org/abs/1803.07485) or a " +
    "[way](https://arxiv.org/abs/1907.02985). Here the condition is the class, not the image: a generator maps each class embedding " +
    "to a 1×1 filter, whose dot products are scaled as in [attention](https://arxiv.org/abs/1706.03762). " +
    "The image goes through [ResNet-18](https://arxiv.org/abs/1512.03385) up to its first stage, pretrained on " +
    "[ImageNet](https://doi.org/10.1109/CVPR.2009.5206848). Its " +
    "[batch normalisation](https://arxiv.org/abs/1502.03167) matters where it is frozen ([notebook 4](04_frozen_backbone.ipynb)).",
    "**Data.** [CIFAR-10](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf): 50,000 training and 10,000 test images " +
    `of 32×32 pixels in ten classes${
      names === "" || names === "CIFAR-10" ? "" : `; the numbers here were measured on: ${names}`
    }.`,
    ...recipe === undefined ? [] : [
      `**Recipe.** ${recipe.epochs} epochs, batch size ${recipe.batchSize}, ${
        recipe.optimizer === "sgd" ? `SGD with Nesterov momentum ${recipe.momentum}` : "Adam"
      }, weight decay ${recipe.weightDecay}, ${
        recipe.schedule === "one-cycle"
          ? "a [one-cycle](https://arxiv.org/abs/1708.07120)"
          : `a ${recipe.schedule}`
      } learning rate with peak ${recipe.learningRate}${
        recipe.augment ? ", random crops and horizontal flips" : ""
      }. Every experiment uses this recipe and ${
        seeds === 1 ? "one seed" : `up to ${seeds} seeds`
      }; runs of one seed see the same images in the same order.`,
    ],
    "**Software.** TypeScript on Deno, with TensorFlow's C library through [TensorFlow.js](https://arxiv.org/abs/1901.05350)" +
    `${
      recipe?.winograd === false
        ? ""
        : "; 3×3 convolutions by [Winograd's minimal filtering](https://arxiv.org/abs/1509.09308)"
    }.`,
  ];
  return `${inline("#plain-heading[Network, data, recipe]")}\n\n${paragraphs.join(" ")}`;
}
