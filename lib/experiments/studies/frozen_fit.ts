/**
 * Study `frozen-fit`: is a network with a frozen backbone unable to fit its training images, and what of the
 * loss lies in the features, what in the head?
 */
import { markdownTable } from "markdown-table";
import { z } from "zod";
import { computeFeatures } from "../../analysis/features.ts";
import { type Probe, probeFeatures } from "../../analysis/linear_probe.ts";
import { createNetwork } from "../../model/create_network.ts";
import { MAP_SIZE } from "../../model/spec.ts";
import { disposeAll, type StateDict } from "../../model/state_dict.ts";
import { choice, integer, number, share } from "../../support/schema.ts";
import {
  formatInterval,
  formatSpread,
  type MeanInterval,
  meanInterval,
  meanIntervalOrNone,
  NO_MEAN,
} from "../../support/statistics.ts";
import type { Checkpoint } from "../../training/checkpoint.ts";
import { resolveConfig } from "../../training/config.ts";
import { evaluate } from "../../training/evaluate.ts";
import { type RunData, selectRunData } from "../../training/run_data.ts";
import { type Study, type StudyContext, type StudyUnit, trainExperiment, trainRun } from "../study.ts";

/** Heads on a frozen backbone whose learning rate is swept: experiments of the comparison. */
const HEADS = ["frozen", "frozen-static-per-class", "frozen-static-ten-way"] as const;
/** Experiments that are measured by the lab's recipe alone, for comparison. */
const OTHERS = ["frozen-1x1", "frozen-3x3", "dynamic"] as const;
/** Linear classifiers of all 4,096 numbers of a feature map, and of its 1,024 means over 4×4 fields. */
const PROBES = ["probe-whole", "probe-frozen", "probe-dynamic"] as const;

/** A row's network. */
export type FitNetwork = typeof HEADS[number] | typeof OTHERS[number] | typeof PROBES[number];

/** Peak learning rates of the sweep, the recipe's among them. */
export const RATES = [0.005, 0.02, 0.05, 0.1, 0.2];
/** Long trainings have 50 epochs for the recipe's 12. */
const LONGER = 50 / 12;
/** Seeds of the long trainings of `frozen`; the other heads have one. */
const LONG_SEEDS = 3;

/** A probe is solved in closed form. */
const PROBED = { learningRate: 0, epochs: 0 };

const ROW = z.strictObject({
  network: choice([...HEADS, ...OTHERS, ...PROBES]),
  seed: integer({ from: 0 }),
  learningRate: number({ from: 0 }),
  epochs: integer({ from: 0 }),
  trainAccuracy: share(),
  testAccuracy: share(),
});

/**
 * Accuracies of a trained network, on its training images without augmentation and on the test images. A
 * probe is solved in closed form: rate and epochs are 0.
 */
export type FitRow = z.infer<typeof ROW>;

interface Unit extends StudyUnit {
  work: { head: typeof HEADS[number]; seeds: readonly number[] } | { seed: number } | "whole map";
}

/** Measures how well frozen features can be fitted, by which head and at which learning rate. */
export const FROZEN_FIT: Study<Unit, FitRow> = {
  name: "frozen-fit",
  about:
    "Can a frozen backbone's features be fitted: by a dynamic head, by any head of 1×1 filters, by others?",
  seeds: 5,
  units: (seeds) => [
    ...seeds.map((seed) => ({ name: `seed${seed}`, work: { seed } })),
    ...HEADS.map((head) => ({ name: `${head}-rates-${seeds.join("-")}`, work: { head, seeds } })),
    { name: "whole-map", work: "whole map" },
  ],
  row: ROW,
  async measure({ work }, context) {
    if (work === "whole map") return await probeFrozen(context);
    return "seed" in work ? await measureSeed(work.seed, context) : await sweepRates(work, context);
  },
  format: formatFit,
};

/** Measures every experiment by the recipe, and probes the backbone that `dynamic` trained. */
async function measureSeed(seed: number, context: StudyContext): Promise<FitRow[]> {
  const rows: FitRow[] = [];
  for (const network of [...HEADS, ...OTHERS]) {
    rows.push(await fit(network, seed, await trainExperiment(context, network, seed), context));
  }
  const tensors = (await trainExperiment(context, "dynamic", seed)).loadNetwork();
  rows.push(probeRow("probe-dynamic", seed, await probe(tensors, context, 4)));
  disposeAll(tensors);
  return rows;
}

/** Probes the frozen backbone, which is the same for every seed. */
async function probeFrozen(context: StudyContext): Promise<FitRow[]> {
  const spec = { variant: "dynamic", backbone: "frozen", adapter: "none" } as const;
  const tensors = createNetwork(spec, { seed: 0, pretrained: context.pretrained.tensors });
  const coarse = await probe(tensors, context, 4);
  const whole = await probe(tensors, context, MAP_SIZE, [1e-2, 1e-1]); // each takes most of a minute
  disposeAll(tensors);
  return [probeRow("probe-frozen", 0, coarse), probeRow("probe-whole", 0, whole)];
}

async function probe(
  tensors: StateDict,
  context: StudyContext,
  grid: number,
  penalties?: readonly number[],
): Promise<Probe> {
  const { train, test } = trainedOn(context);
  const fitted = await computeFeatures(tensors, train, { grid });
  return await probeFeatures(fitted, await computeFeatures(tensors, test, { grid }), penalties);
}

function probeRow(network: FitNetwork, seed: number, { trainAccuracy, accuracy }: Probe): FitRow {
  return { network, seed, ...PROBED, trainAccuracy, testAccuracy: accuracy };
}

/** Trains a head at every rate with the first seed, then long at the best rate and at one beside it. */
async function sweepRates(
  { head, seeds }: { head: typeof HEADS[number]; seeds: readonly number[] },
  context: StudyContext,
): Promise<FitRow[]> {
  const [first] = seeds;
  const byRecipe = await trainExperiment(context, head, first);
  const { variant, backbone, epochs, learningRate: own } = byRecipe.config;
  const measure = async (learningRate: number, epochs: number, seed: number) => {
    const run = `${head}-rate${learningRate}-epochs${epochs}-seed${seed}`;
    return await fit(
      head,
      seed,
      await trainRun(context, { run, variant, backbone, learningRate, epochs, seed }),
      context,
    );
  };
  const sweep: FitRow[] = [];
  for (const rate of RATES.filter((rate) => rate !== own)) {
    sweep.push(await measure(rate, epochs, first));
  }
  const recipe = await fit(head, first, byRecipe, context);
  const best = bestFit([...sweep, recipe], head).learningRate;
  const beside = RATES[RATES.indexOf(best) + 1] ?? RATES.at(-2);
  const long = head === "frozen"
    ? [...seeds.slice(0, LONG_SEEDS).map((seed) => [best, seed]), [beside, first]]
    : [[best, first]];
  for (const [rate, seed] of long) sweep.push(await measure(rate, Math.round(LONGER * epochs), seed));
  return sweep;
}

async function fit(
  network: FitNetwork,
  seed: number,
  { config, loadNetwork }: Checkpoint,
  context: StudyContext,
): Promise<FitRow> {
  const tensors = loadNetwork();
  const { train, test } = trainedOn(context);
  const { accuracy: trainAccuracy } = await evaluate(tensors, train, config);
  const { accuracy: testAccuracy } = await evaluate(tensors, test, config);
  disposeAll(tensors);
  const { learningRate, epochs } = config;
  return { network, seed, learningRate, epochs, trainAccuracy, testAccuracy };
}

/** Images that the recipe trains on and tests with. */
function trainedOn({ datasets, recipe }: StudyContext): RunData {
  return selectRunData(datasets, resolveConfig({ flags: recipe }));
}

/** Accuracies over seeds. */
export interface FitSummary {
  learningRate: number;
  epochs: number;
  train: MeanInterval;
  test: MeanInterval;
}

/** Collects a network's rows by learning rate and number of epochs, each over its seeds. */
export function summariseFit(rows: readonly FitRow[], network: FitNetwork): FitSummary[] {
  const own = rows.filter((row) => row.network === network);
  const groups = Map.groupBy(own, ({ learningRate, epochs }) => `${learningRate} ${epochs}`);
  return [...groups.values()].map((group) => ({
    learningRate: group[0].learningRate,
    epochs: group[0].epochs,
    train: meanInterval(group.map(({ trainAccuracy }) => trainAccuracy)),
    test: meanInterval(group.map(({ testAccuracy }) => testAccuracy)),
  })).sort((one, other) => one.epochs - other.epochs || one.learningRate - other.learningRate);
}

/** Finds the learning rate and epochs that fit a network's training images best; NaN without rows. */
export function bestFit(rows: readonly FitRow[], network: FitNetwork): FitSummary {
  return summariseFit(rows, network).reduce(
    (best, each) => best.train.mean >= each.train.mean ? best : each,
    { learningRate: NaN, epochs: NaN, train: NO_MEAN, test: NO_MEAN },
  );
}

/** Test accuracy that is lost by freezing, and its causes: points as shares, over the seeds. */
export interface LossBudget {
  whole: MeanInterval;
  /** Accuracy of the trained network beyond a probe of its own backbone. */
  beyond: MeanInterval;
  /** One probe, two backbones. */
  features: MeanInterval;
  /** Accuracy that a probe gets out of frozen features and the dynamic head does not. */
  head: MeanInterval;
}

/** Splits what freezing costs into three parts that add up to it, seed by seed; NaN without rows. */
export function splitLoss(rows: readonly FitRow[]): LossBudget {
  const find = (network: FitNetwork, seed: number, like: { epochs: number; learningRate: number } = PROBED) =>
    rows.find((row) =>
      row.network === network && row.seed === seed && row.epochs === like.epochs &&
      row.learningRate === like.learningRate
    )?.testAccuracy ?? NaN;
  const parts = rows.filter(({ network }) => network === "dynamic").map((row) => {
    const [all, fixed] = [row.testAccuracy, find("frozen", row.seed, row)];
    const [trained, probe] = [find("probe-dynamic", row.seed), find("probe-frozen", 0)];
    return { whole: all - fixed, beyond: all - trained, features: trained - probe, head: probe - fixed };
  }).filter((part) => !Object.values(part).some(Number.isNaN));
  const over = (key: keyof LossBudget) => meanIntervalOrNone(parts.map((part) => part[key]));
  return { whole: over("whole"), beyond: over("beyond"), features: over("features"), head: over("head") };
}

function formatFit(rows: readonly FitRow[]): string {
  const share = (mean: MeanInterval) => `${formatSpread(mean, 1, 100)} (n = ${mean.n})`;
  const table = [
    ["network", "learning rate", "epochs", "training images (%)", "test images (%)"],
    ...[...HEADS, ...OTHERS, ...PROBES].flatMap((network) =>
      summariseFit(rows, network).map(({ learningRate, epochs, train, test }) => [
        `\`${network}\``,
        ...[learningRate, epochs].map((value) => epochs === 0 ? "–" : String(value)),
        ...[train, test].map(share),
      ])
    ),
  ];
  const budget = splitLoss(rows);
  return [
    markdownTable(table, { align: ["l", "r", "r", "r", "r"] }),
    "",
    ...budget.whole.n === 0 ? [] : [
      markdownTable([
        ["part of what freezing costs", "points"],
        ["`dynamic` − `frozen`", formatInterval(budget.whole, 2, 100)],
        ["`dynamic` − `probe-dynamic`: head beyond the probe", formatInterval(budget.beyond, 2, 100)],
        ["`probe-dynamic` − `probe-frozen`: features", formatInterval(budget.features, 2, 100)],
        ["`probe-frozen` − `frozen`: head short of the probe", formatInterval(budget.head, 2, 100)],
      ]),
      "",
    ],
    "- Training images without augmentation, in evaluation mode. ± is the standard deviation over the n seeds; " +
    `brackets are 95 % intervals by Student's t over ${budget.whole.n} seeds, the same for every part.`,
    "- The best learning rate is chosen by the accuracy on the training images. Probes are linear classifiers in closed form (ridge " +
    "regression): `probe-whole` of all 8×8×64 numbers of the frozen feature map, the others of its means over 4×4 " +
    "fields, of the frozen backbone and of those that `dynamic` trained.",
  ].join("\n");
}
