import { compareResults, type ComparisonRow, type Difference } from "../../lib/experiments/comparison.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { formatNumber, formatPercent } from "../../lib/support/format.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";
import { block, escapeMarkdown, inline, toTypst } from "./markup.ts";

/** The abstract: what was built, and the comparison's three main numbers, all of them computed. */
export function writeAbstract(results: readonly ExperimentResult[]): string {
  const rows = new Map(compareResults(results).map((row) => [row.experiment, row]));
  const sentences = [
    "The network of this lab looks at an image through ten 1×1 filters, one for each class of CIFAR-10. The filters are not stored: a " +
    "small network generates them from learned vectors, one for each class, and they are laid over the feature map of a ResNet-18 that " +
    "ends after its first stage.",
    ...describeReference(rows, results),
    ...describeStored(rows),
    ...describeFrozen(rows),
    ...describeData(results),
  ];
  return [
    inline("#plain-heading[Abstract]"),
    sentences.map(escapeMarkdown).join(" "),
    highlightNumbers(rows),
  ].join("\n\n");
}

type Rows = ReadonlyMap<string, ComparisonRow>;

function describeReference(rows: Rows, results: readonly ExperimentResult[]): string[] {
  const dynamic = rows.get("dynamic");
  if (dynamic === undefined) return ["How well it does has not been measured yet."];
  const epochs = results.find(({ experiment }) => experiment === "dynamic")!.recipe.epochs;
  return [
    `After ${epochs} epochs it labels ${formatShare(dynamic.final)} of the test images correctly (${
      dynamic.final.n === 1 ? "one seed" : `mean ± standard deviation of ${dynamic.final.n} seeds`
    }, last epoch).`,
  ];
}

function describeStored(rows: Rows): string[] {
  const stored = rows.get("static-per-class");
  const shared = rows.get("static-shared");
  return [
    ...stored?.difference
      ? [
        `The same network with ten stored filters reaches ${formatShare(stored.final)}, ${
          formatDifference(stored.difference)
        }: ${
          judge(stored.difference, {
            higher: "storing the filters is better than generating them here",
            lower: "generating the filters is better than storing them here",
            none: "that generating filters is better or worse than storing them is not shown",
          })
        }.`,
      ]
      : [],
    ...shared
      ? [
        `With one filter for all classes, the literal way to leave the dynamic mechanism out, it reaches ${
          formatShare(shared.final)
        }, because all ten scores are one number.`,
      ]
      : [],
  ];
}

function describeFrozen(rows: Rows): string[] {
  const frozen = rows.get("frozen");
  if (!frozen?.difference) return [];
  const ways = [
    { row: rows.get("frozen-3x3"), words: "a trainable 3×3 convolution behind it" },
    { row: rows.get("bn-only"), words: "training nothing of it but its batch normalisation" },
  ].filter(({ row }) => row !== undefined);
  const remedies = ways.map(({ row, words }) => `${words} makes that ${formatShare(row!.final)}`);
  return [
    `A frozen backbone leaves ${formatShare(frozen.final)}, ${formatDifference(frozen.difference)}` +
    `${remedies.length === 0 ? "" : `; ${remedies.join(", ")}`}.`,
  ];
}

/** Which images: a name that every number depends on. */
function describeData(results: readonly ExperimentResult[]): string[] {
  const names = [...new Set(results.map(({ data }) => data.name))];
  return names.length === 0 ? [] : [`Images: ${names.join("; ")}.`];
}

function highlightNumbers(rows: Rows): string {
  const interval = (difference: Difference) =>
    difference.interval === undefined
      ? "one seed, so no interval"
      : `95 % interval ${difference.interval.map(formatPoints).join(" to ")}`;
  const [dynamic, stored, frozen] = ["dynamic", "static-per-class", "frozen"].map((name) => rows.get(name));
  const adapted = rows.get("frozen-3x3");
  const entries = [
    ...dynamic
      ? [[formatShare(dynamic.final), `test accuracy with dynamic filters, n = ${dynamic.final.n}`]]
      : [],
    ...stored?.difference
      ? [[
        `${formatPoints(stored.difference.mean)} points`,
        `with ten stored filters instead (${interval(stored.difference)})`,
      ]]
      : [],
    ...frozen?.difference
      ? [[
        `${formatPoints(frozen.difference.mean)} points`,
        `with a frozen backbone${
          adapted?.difference ? `; ${formatPoints(adapted.difference.mean)} with a 3×3 adapter behind it` : ""
        } (${interval(frozen.difference)})`,
      ]]
      : [],
  ];
  return entries.length === 0 ? "" : block(`#highlights(${entries.map(toTypst).join(", ")})`);
}

/** `80.31 ± 0.21 %`, or without a spread for one seed. */
function formatShare({ mean, deviation, n }: MeanInterval): string {
  return n === 1 ? formatPercent(mean, 2) : `${formatNumber(100 * mean, 2)} ± ${formatPercent(deviation, 2)}`;
}

/** `0.70 points more (95 % interval +0.20 to +1.20)` */
function formatDifference(difference: Difference): string {
  const { mean, interval } = difference;
  const range = interval === undefined
    ? "one seed"
    : `95 % interval ${interval.map(formatPoints).join(" to ")}`;
  return `${formatNumber(Math.abs(100 * mean), 2)} points ${mean < 0 ? "less" : "more"} (${range})`;
}

function formatPoints(share: number): string {
  const text = formatNumber(100 * share, 2);
  return /^[−0]/.test(text) && Number(text.replace("−", "-")) <= 0 ? text : `+${text}`;
}

function judge({ shown }: Difference, words: Record<"higher" | "lower" | "none", string>): string {
  return shown === null ? "one seed shows no difference" : words[shown];
}
