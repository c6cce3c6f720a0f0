import { markdownTable } from "markdown-table";
import { z } from "zod";
import { VIEWS } from "../../prediction/prepare_picture.ts";
import { formatNumber } from "../../support/format.ts";
import { formatSpread, type MeanInterval, meanInterval, wilsonInterval } from "../../support/statistics.ts";

const COUNT = z.int().min(0);
const GROUP = { seed: COUNT, group: z.string().regex(/^[a-z -]{1,40}$/) };

/** Right predictions for a group of pictures that were prepared in one way. */
const PREPARATION = z.strictObject({
  ...{ ...GROUP, kind: z.literal("preparation") },
  ...{ fit: z.enum([...VIEWS, "average"]), background: z.enum(["white", "mean"]) },
  ...{ n: COUNT, right: COUNT },
  /** Pictures for which all views predict the same class, and the right ones among them. */
  ...{ agree: COUNT, rightAgree: COUNT },
  /** Right here and wrong by the former way, the middle cropped on white; and the reverse. */
  ...{ gained: COUNT, lost: COUNT },
});

/** Sure predictions for a group of images; where they have no class (0), all are wrong. */
const SURENESS = z.strictObject({
  ...{ ...GROUP, kind: z.literal("sureness"), hasClass: z.int().min(0).max(1) },
  ...{ correct: COUNT, correctUnsure: COUNT, wrong: COUNT, wrongSure: COUNT },
});

/** Schema of a row of the study `pictures`. */
export const PICTURES_ROW = z.discriminatedUnion("kind", [PREPARATION, SURENESS]);

/** Row of the study `pictures`. */
export type PicturesRow = z.infer<typeof PICTURES_ROW>;

/** Summarises the ways to prepare pictures: shares of right predictions, 0–1, over the networks. */
export function summariseWays(rows: readonly PicturesRow[]) {
  const preparations = rows.filter((row) => row.kind === "preparation");
  const ways = Map.groupBy(preparations, ({ fit, background }) => `${fit} on ${background}`);
  return [...ways].map(([way, of]) => {
    const networks = [...Map.groupBy(of, ({ seed }) => seed).values()].map((own) => {
      const sum = (key: "n" | "right" | "agree" | "rightAgree" | "gained" | "lost") =>
        own.reduce((total, row) => total + row[key], 0);
      return {
        ...{ n: sum("n"), right: sum("right"), agree: sum("agree"), rightAgree: sum("rightAgree") },
        gain: sum("gained") - sum("lost"),
      };
    });
    const share = (value: (network: typeof networks[number]) => number) => meanInterval(networks.map(value));
    return {
      way,
      right: share(({ right, n }) => right / n),
      first: [networks[0].right, networks[0].n] as const, // of the first seed
      /** From the former way. */
      difference: share(({ gain, n }) => gain / n),
      /** Where all views agree, and where they do not. */
      agreeing: share(({ rightAgree, agree }) => rightAgree / agree),
      disagreeing: share(({ right, rightAgree, n, agree }) => (right - rightAgree) / (n - agree)),
    };
  });
}

/** Summarises what is called sure, images of no class last: shares, 0–1, over the networks. */
export function summariseSureness(rows: readonly PicturesRow[]) {
  const sureness = rows.filter((row) => row.kind === "sureness")
    .sort((one, other) => other.hasClass - one.hasClass);
  return [...Map.groupBy(sureness, ({ group }) => group)].map(([group, of]) => {
    const [{ correct, wrong, wrongSure, hasClass }] = of;
    const n = correct + wrong;
    return {
      ...{ group, n, hasClass: hasClass === 1, first: [wrongSure, wrong] as const },
      right: meanInterval(of.map(({ correct }) => correct / n)),
      rightUnsure: meanInterval(of.map(({ correct, correctUnsure }) => correctUnsure / correct)),
      wrongSure: meanInterval(of.map(({ wrong, wrongSure }) => wrongSure / wrong)),
    };
  });
}

/** Formats tables of ways to prepare pictures, and of what is called sure. */
export function formatPictures(rows: readonly PicturesRow[]): string {
  const ways = summariseWays(rows);
  const networks = ways[0].right.n;
  const stretched = ways.find(({ way }) => way === "stretch on mean")!;
  return [
    `${networks} networks, trained as the published one is: the best epoch chosen on 5,000 training images held out. ` +
    "± is the standard deviation over them; the columns of the first seed have Wilson's 95 % interval over the pictures.",
    "",
    "Right predictions (%) for pictures of the ten classes, by the way in which they are made square and the colour of transparent parts and bars. " +
    "The difference is to `crop on white`, the former way, in points with its 95 % interval over the networks.",
    "",
    markdownTable([
      ["way", "right (%)", "first seed", "difference"],
      ...ways.map(({ way, right, first, difference }) => [
        ...[way, formatShare(right), formatProportion(first), formatDifference(difference)],
      ]),
    ], { align: ["l", "r", "r", "r"] }),
    "",
    `Of the stretched pictures, ${
      formatShare(stretched.agreeing)
    } % are right where all three views agree, and ${
      formatShare(stretched.disagreeing)
    } % where they do not.`,
    "",
    "Sure is a prediction whose calibrated probability reaches the threshold that 95 % of the correct predictions on held-out training images reach. " +
    "Predictions for images of no class are all wrong.",
    "",
    markdownTable([
      ["images", "n", "right (%)", "unsure of the right (%)", "sure of the wrong (%)", "first seed"],
      ...summariseSureness(rows).map(({ group, n, hasClass, right, rightUnsure, wrongSure, first }) => [
        ...[group, String(n), ...[right, rightUnsure].map((share) => hasClass ? formatShare(share) : "–")],
        ...[formatShare(wrongSure), formatProportion(first)],
      ]),
    ], { align: ["l", ...new Array(5).fill("r")] }),
  ].join("\n");
}

function formatShare(share: MeanInterval): string {
  return formatSpread(share, 1, 100);
}

function formatDifference({ mean, interval }: MeanInterval): string {
  const points = [mean, ...interval ?? []].map((value) => formatNumber(100 * value, 1));
  return interval === undefined ? points[0] : `${points[0]} [${points[1]}, ${points[2]}]`;
}

function formatProportion([count, total]: readonly [number, number]): string {
  if (total === 0) return "–";
  const ends = wilsonInterval(count, total).map((end) => formatNumber(100 * end, 1));
  return `${formatNumber(100 * count / total, 1)} [${ends.join(", ")}]`;
}
