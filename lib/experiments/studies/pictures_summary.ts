import { markdownTable } from "markdown-table";
import { z } from "zod";
import { VIEWS } from "../../prediction/prepare_picture.ts";
import { formatNumber } from "../../support/format.ts";
import { mean, type MeanInterval, meanInterval, wilsonInterval } from "../../support/statistics.ts";

const COUNT = z.int().min(0);
const NAME = z.string().regex(/^[a-z0-9-]{1,40}$/);
const SHARE = z.number().min(0).max(1).nullable();

/** Correct predictions for a group of pictures that were prepared in one way. */
const PREPARATION = z.strictObject({
  ...{ kind: z.literal("preparation"), seed: COUNT, group: NAME },
  ...{ fit: z.enum([...VIEWS, "average"]), background: z.enum(["white", "mean"]) },
  ...{ n: COUNT, right: COUNT },
  /** Pictures for which all views predict the same class, and the right ones among them. */
  ...{ agree: COUNT, rightAgree: COUNT },
  /** Right here and wrong by the former way, the middle cropped on white; and the reverse. */
  ...{ gained: COUNT, lost: COUNT },
});

/** Sure predictions for a group of images; `right` is null where they belong to no class. */
const SURENESS = z.strictObject({
  ...{ kind: z.literal("sureness"), seed: COUNT, group: NAME, n: COUNT, sure: COUNT },
  ...{ right: COUNT.nullable(), rightSure: COUNT.nullable() },
  /** AUROC of test images against these, by three scores; of right against wrong ones for the test images. */
  ...{ probability: SHARE, score: SHARE, energy: SHARE },
});

/** Schema of a row of the study `pictures`. */
export const PICTURES_ROW = z.discriminatedUnion("kind", [PREPARATION, SURENESS]);

/** Row of the study `pictures`. */
export type PicturesRow = z.infer<typeof PICTURES_ROW>;
type Preparation = z.infer<typeof PREPARATION>;
type Sureness = z.infer<typeof SURENESS>;

/** One way to prepare pictures: shares of right predictions, 0–1, over the networks. */
export interface WaySummary {
  /** Such as `crop on white`. */
  way: string;
  /** All pictures, and those of each group. */
  all: MeanInterval;
  groups: Record<string, MeanInterval>;
  /** Right predictions and pictures of the first seed alone. */
  first: readonly [right: number, n: number];
  /** Pictures that are right by this way and not by the former one, and the reverse; means over the networks. */
  gained: number;
  lost: number;
  /** Share of right predictions where all views agree, and where they do not. */
  agreeing: MeanInterval;
  disagreeing: MeanInterval;
}

/** Summarises the ways to prepare pictures. */
export function summariseWays(rows: readonly PicturesRow[]): WaySummary[] {
  const preparations = rows.filter((row) => row.kind === "preparation");
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  type Key = "n" | "right" | "agree" | "rightAgree" | "gained" | "lost";
  const sum = (of: readonly Preparation[], key: Key) => of.reduce((total, row) => total + row[key], 0);
  const perSeed = (of: readonly Preparation[], share: (sum: (key: Key) => number) => number) =>
    meanInterval(seeds.map((seed) => share((key) => sum(of.filter((row) => row.seed === seed), key))));
  const right = (of: readonly Preparation[]) => perSeed(of, (sum) => sum("right") / sum("n"));
  const ways = Map.groupBy(preparations, ({ fit, background }) => `${fit} on ${background}`);
  return [...ways].map(([way, of]) => {
    const first = of.filter(({ seed }) => seed === seeds[0]);
    return {
      way,
      all: right(of),
      groups: Object.fromEntries(
        [...Map.groupBy(of, ({ group }) => group)].map(([group, own]) => [group, right(own)]),
      ),
      first: [sum(first, "right"), sum(first, "n")],
      gained: sum(of, "gained") / seeds.length,
      lost: sum(of, "lost") / seeds.length,
      agreeing: perSeed(of, (sum) => sum("rightAgree") / sum("agree")),
      disagreeing: perSeed(of, (sum) => (sum("right") - sum("rightAgree")) / (sum("n") - sum("agree"))),
    };
  });
}

/** Sureness of predictions for a group of images: shares, 0–1, over the networks; null where undefined. */
export interface SurenessSummary {
  group: string;
  n: number;
  /** Sure among all, right among all, unsure among the right ones, sure among the wrong ones. */
  sure: MeanInterval;
  right: MeanInterval | null;
  rightUnsure: MeanInterval | null;
  wrongSure: MeanInterval | null;
  /** Sure predictions of the first seed alone. */
  first: number;
  /** Mean AUROC by the highest probability, the highest score and the energy. */
  auroc: (number | null)[];
}

/** Summarises what is called sure, images of no class last. */
export function summariseSureness(rows: readonly PicturesRow[]): SurenessSummary[] {
  const sureness = rows.filter((row) => row.kind === "sureness")
    .sort((one, other) => Number(one.right === null) - Number(other.right === null));
  return [...Map.groupBy(sureness, ({ group }) => group)].map(([group, of]) => {
    const [{ n, sure }] = of;
    const shares = (share: (row: Sureness, right: number, rightSure: number) => number) =>
      of.some(({ right }) => right === null)
        ? null
        : meanInterval(of.map((row) => share(row, row.right!, row.rightSure!)));
    return {
      ...{ group, n, first: sure, sure: meanInterval(of.map(({ sure }) => sure / n)) },
      right: shares((_, right) => right / n),
      rightUnsure: shares((_, right, rightSure) => (right - rightSure) / right),
      wrongSure: shares(({ sure }, right, rightSure) => (sure - rightSure) / (n - right)),
      auroc: (["probability", "score", "energy"] as const).map((key) =>
        of.some((row) => row[key] === null) ? null : mean(of.map((row) => row[key]!))
      ),
    };
  });
}

/** Formats tables of ways to prepare pictures, and of what is called sure. */
export function formatPictures(rows: readonly PicturesRow[]): string {
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  const ways = summariseWays(rows);
  const groups = Object.keys(ways[0].groups);
  const stretched = ways.find(({ way }) => way === "stretch on mean")!;
  return [
    "The networks are trained as the published one is, with 5,000 training images held out. " +
    "Right predictions (%) for pictures of the ten classes, by the way in which they are made square and the colour of transparent parts and bars. " +
    `± is the standard deviation over the networks (n = ${seeds.length}), brackets are the 95 % interval (Wilson) over the pictures for seed ${
      seeds[0]
    } alone. ` +
    "Gained and lost: pictures, the mean over the networks, against `crop on white`, the former way.",
    "",
    markdownTable([
      ["way", "all", `seed ${seeds[0]}`, "gained", "lost", ...groups],
      ...ways.map(({ way, all, first, gained, lost, groups: own }) => [
        ...[way, spread(all), withInterval(...first), formatNumber(gained, 1), formatNumber(lost, 1)],
        ...groups.map((group) => spread(own[group])),
      ]),
    ], { align: ["l", ...new Array(groups.length + 4).fill("r")] }),
    "",
    `Of the stretched pictures, ${spread(stretched.agreeing)} % are right where all three views agree, and ${
      spread(stretched.disagreeing)
    } % where they do not.`,
    "",
    "Sure predictions: the calibrated probability reaches the threshold that 95 % of the correct predictions on held-out training images reach. " +
    "The last columns tell how well three scores separate the test images from the group (area under the ROC curve, 0.5 is chance): " +
    "the highest probability, the highest score, and the energy, log Σ exp; for the test images, right predictions from wrong ones.",
    "",
    markdownTable([
      [
        ...["images", "n", "sure (%)", `seed ${seeds[0]}`, "right (%)", "unsure of the right (%)"],
        ...["sure of the wrong (%)", "probability", "score", "energy"],
      ],
      ...summariseSureness(rows).map(({ group, n, sure, first, right, rightUnsure, wrongSure, auroc }) => [
        ...[group, String(n), spread(sure), withInterval(first, n)],
        ...[right, rightUnsure, wrongSure].map(spread),
        ...auroc.map((value) => value === null ? "–" : formatNumber(value, 3)),
      ]),
    ], { align: ["l", ...new Array(9).fill("r")] }),
  ].join("\n");
}

function spread(shares: MeanInterval | null): string {
  if (shares === null) return "–";
  const { mean, deviation, n } = shares;
  return formatNumber(100 * mean, 1) + (n > 1 ? ` ± ${formatNumber(100 * deviation, 1)}` : "");
}

function withInterval(count: number, total: number): string {
  const ends = wilsonInterval(count, total).map((end) => formatNumber(100 * end, 1));
  return `${formatNumber(100 * count / total, 1)} [${ends.join(", ")}]`;
}
