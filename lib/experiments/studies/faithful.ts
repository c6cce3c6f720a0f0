/**
 * Are the maps faithful? Deletion, insertion, pointing, ROAD, and randomised layers, each with its control.
 */
import { markdownTable } from "markdown-table";
import { z } from "zod";
import { METHODS } from "../../analysis/explain.ts";
import { disposeAll } from "../../model/state_dict.ts";
import { integer } from "../../support/schema.ts";
import {
  directionOf,
  formatInterval,
  formatSpread,
  mean,
  type MeanInterval,
  meanInterval,
  meanIntervalOrNone,
  NO_MEAN,
} from "../../support/statistics.ts";
import {
  CHANGES,
  LAYER_MEASUREMENT,
  measureLayers,
  measureOrders,
  ORDER_MEASUREMENT,
  type OrderMeasurement,
  ROAD_FRACTIONS,
} from "../faithfulness.ts";
import { loadExperiment, type Study, type StudyUnit } from "../study.ts";

const NETWORKS = ["dynamic", "static-per-class"] as const;

/** A network of the study, and its seed. */
interface Subject {
  network: typeof NETWORKS[number];
  seed: number;
}

const SUBJECT = { network: z.enum(NETWORKS), seed: integer({ from: 0 }) };
const ROW = z.union([ORDER_MEASUREMENT.extend(SUBJECT), LAYER_MEASUREMENT.extend(SUBJECT)]);

/** Row of the study `faithful`. */
export type FaithfulRow = z.infer<typeof ROW>;

/** The study `faithful`: needs no training beyond the comparison's. */
export const FAITHFUL: Study<StudyUnit & Subject, FaithfulRow> = {
  name: "faithful",
  about: "Do the response maps mark what a prediction rests on, and where its class is?",
  seeds: 5,
  units: (seeds) =>
    NETWORKS.flatMap((network) => seeds.map((seed) => ({ name: `${network}-seed${seed}`, network, seed }))),
  row: ROW,
  async measure({ network, seed }, context) {
    const { tensors, spec } = await loadExperiment(context, network, seed);
    const { datasets, signal } = context;
    try {
      const options = { tensors, spec, datasets, seed, signal };
      const rows = [...await measureOrders(options), ...await measureLayers(options)];
      return rows.map((row) => ({ network, seed, ...row }));
    } finally {
      disposeAll(tensors);
    }
  },
  format: (rows) => [...NETWORKS.flatMap((network) => formatNetwork(rows, network)), ...NOTES].join("\n"),
};

export interface CompareOrdersOptions {
  method: OrderMeasurement["method"];
  measure: "deletion" | "insertion" | "pointing" | "road";
  /** Another order, or a number. @default fixed order, chance, or blurred random map */
  control?: OrderMeasurement["method"] | number;
  /** @default "dynamic" */
  network?: Subject["network"];
}

const CONTROLS = {
  deletion: "fixed order",
  insertion: "fixed order",
  pointing: 0.25,
  road: "random, blurred",
} as const;

/** Compares an order with a control, paired by seed; n may be 0. The value of ROAD is the mean of the accuracies. */
export function compareOrders(
  rows: readonly FaithfulRow[],
  { method, measure, control = CONTROLS[measure], network = "dynamic" }: CompareOrdersOptions,
): { value: MeanInterval; difference: MeanInterval } {
  const valuesOf = (name: string) =>
    rows.flatMap((row) => {
      if (row.network !== network || !("method" in row) || row.method !== name) return [];
      const value = measure === "road" ? mean(row.road) : row[measure];
      return value === null ? [] : [value];
    });
  const own = valuesOf(method);
  const others = typeof control === "number" ? own.map(() => control) : valuesOf(control);
  if (own.length === 0 || others.length === 0) return { value: NO_MEAN, difference: NO_MEAN };
  return {
    value: meanInterval(own),
    difference: meanInterval(own.map((value, seed) => value - others[seed])),
  };
}

/** Averages the correlation of the maps before and after a change; `index` 1: of its absolute value. */
export function averageAgreement(
  rows: readonly FaithfulRow[],
  { change, kind, index = 0, network = "dynamic" }: {
    change: typeof CHANGES[number];
    kind: "map" | "evidence" | "gradCam";
    index?: 0 | 1;
    network?: Subject["network"];
  },
): MeanInterval {
  const values = rows.flatMap((row) =>
    row.network === network && "change" in row && row.change === change ? [row[kind][index]] : []
  );
  return meanIntervalOrNone(values);
}

function formatNetwork(rows: readonly FaithfulRow[], network: Subject["network"]): string[] {
  const { n } = compareOrders(rows, { method: "evidence", measure: "road", network }).value;
  if (n === 0) return [];
  const cells = (method: OrderMeasurement["method"], measure: CompareOrdersOptions["measure"]) => {
    const { value, difference } = compareOrders(rows, { method, measure, network });
    const [decimals, scale] = measure === "deletion" || measure === "insertion" ? [3, 1] : [1, 100];
    return [
      formatSpread(value, decimals, scale),
      method === CONTROLS[measure] ? "control" : formatInterval(difference, decimals, scale),
    ];
  };
  const orders = [
    [
      "order",
      "deletion",
      "difference from fixed",
      "insertion",
      "difference from fixed",
      "pointing (%)",
      "… from 25 %",
    ],
    ...METHODS.map((method) => [
      method,
      ...cells(method, "deletion"),
      ...cells(method, "insertion"),
      ...cells(method, "pointing"),
    ]),
  ];
  const roadOf = (method: string, index: number) =>
    rows.flatMap((row) =>
      row.network === network && "method" in row && row.method === method ? [row.road[index]] : []
    );
  const road = [
    ["order", ...ROAD_FRACTIONS.map((fraction) => `${100 * fraction} % removed`), "mean", "difference"],
    ...[...METHODS, "random pixels" as const].map((method) => [
      method,
      ...ROAD_FRACTIONS.map((_, index) => formatSpread(meanInterval(roadOf(method, index)), 1, 100)),
      ...cells(method, "road"),
    ]),
  ];
  const sanity = [
    ["change", ...["map", "evidence", "Grad-CAM"].flatMap((name) => [name, "absolute"])],
    ...CHANGES.map((change) => [
      change === "another image" || change === "predictor" ? change : `… and ${change}`,
      ...(["map", "evidence", "gradCam"] as const).flatMap((kind) =>
        ([0, 1] as const).map((index) =>
          formatSpread(averageAgreement(rows, { change, kind, index, network }), 2)
        )
      ),
    ]),
  ];
  return [
    `**\`${network}\`, n = ${n}: areas under the deletion curve (low is good) and the insertion curve (high is ` +
    "good), and pointing on mosaics.**",
    "",
    markdownTable(orders),
    "",
    ...concludeOrders(rows, network).map((line) => `- ${line}`),
    "",
    `**\`${network}\`: accuracy (%) after ROAD has removed what comes first (low is good).** The difference is from ` +
    "the blurred random map.",
    "",
    markdownTable(road),
    "",
    `**\`${network}\`: Spearman's correlation of the predicted classes' maps before and after randomising the layers ` +
    "from the top**, and the mean of its absolute value; last, with another image's map.",
    "",
    markdownTable(sanity),
    "",
  ];
}

const NOTES = [
  "- Per seed 500 test images (50 per class, none in common) and 500 mosaics; the class is the predicted one, on mosaics " +
  "each of the four. ± is the standard deviation over seeds; in brackets 95 % intervals (Student's t) of " +
  "differences paired by seed, not corrected for the number of comparisons.",
  "- Fixed order: the mean evidence of 1,000 training images, the same for every image. Whatever is the same for all " +
  "classes of a mosaic points at 25 % by construction. Blurred maps are means over 3×3 cells: that adds no " +
  "knowledge of the network, and deletion and ROAD may reward it all the same (arXiv:2304.13836).",
  "- A map cannot change with the predictor, which reads it: hence the 1 in the first row. The last row is what the maps " +
  "of two images have in common anyway.",
  "- Grad-CAM at layer1 is max(0, map × mean slope of the score): the map itself, but for its sign. Evidence, occlusion " +
  "and integrated gradients explain the class's score minus the mean of the others.",
];

/** Words what the table of deletion, insertion and pointing shows, one sentence per element. */
export function concludeOrders(
  rows: readonly FaithfulRow[],
  network: Subject["network"] = "dynamic",
): string[] {
  const found = (measure: "deletion" | "insertion" | "pointing", direction: -1 | 1) =>
    METHODS.map((method) => ({ method, ...compareOrders(rows, { method, measure, network }) }))
      .filter(({ difference }) => directionOf(difference) === direction)
      .sort((one, other) => direction * (other.difference.mean - one.difference.mean))
      .map(({ method }) => method).join("; ") || "none";
  const verdicts = { [-1]: "loses to", 0: "is not shown to differ from", 1: "beats" };
  const judge = (measure: "deletion" | "insertion") =>
    (["evidence", "map, bright first"] as const).map((method) => {
      const { difference } = compareOrders(rows, { method, measure, network });
      const direction = directionOf(difference) * (measure === "deletion" ? -1 : 1) as -1 | 0 | 1;
      return `the ${method.split(",")[0]} ${verdicts[direction]} it (${formatInterval(difference, 3)})`;
    }).join(", and ");
  return [
    `The fixed order never saw the image. In deletion ${judge("deletion")}; in insertion ${
      judge("insertion")
    }.`,
    `Better than this fixed order: in deletion ${found("deletion", -1)}; in insertion ${
      found("insertion", 1)
    }.`,
    `Worse: in deletion ${found("deletion", 1)}; in insertion ${found("insertion", -1)}. For the others no ` +
    "difference is shown.",
    `Pointing more often than chance, best first: ${found("pointing", 1)}.`,
  ];
}
