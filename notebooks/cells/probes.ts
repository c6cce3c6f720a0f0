import { coarsenFeatures, computeFeatures } from "../../lib/analysis/features.ts";
import { type Probe, probeFeatures } from "../../lib/analysis/linear_probe.ts";
import type { Datasets } from "../../lib/data/dataset.ts";
import { formatCount, formatNumber, formatPercent } from "../../lib/support/format.ts";
import { CHANNELS } from "../../lib/model/spec.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import { formatShare } from "./intervals.ts";
import { displayTable } from "./text.ts";

/** Names of backbones that the sentences know, beside `untrained`, `frozen` and `trained`. */
export const ADAPTED = "frozen, statistics of these images";
export const ENLARGED = "frozen, images enlarged to 64×64";

/** A backbone whose features are to be read by a linear classifier. */
export interface ProbedBackbone {
  /** What it is: `untrained`, `frozen`, {@linkcode ADAPTED}, {@linkcode ENLARGED} or `trained`, if the sentences are to know it. */
  name: string;
  tensors: StateDict;
  /** Height and width that images are enlarged to first. @default 32 */
  size?: number;
}

/** What linear classifiers read off one backbone's features. */
export interface BackboneProbes {
  name: string;
  /** Off the feature map's mean: 64 numbers. */
  mean: Probe;
  /** Off its means over a grid, which keeps where things are. */
  grid: Probe;
}

/** Options of {@linkcode probeBackbones}. */
export interface ProbeOptions {
  /** Rows and columns of the grid. @default 4 */
  grid?: number;
}

/** Fits linear classifiers to the features of several backbones, all on the same images, and shows what they get right. */
export async function probeBackbones(
  backbones: readonly ProbedBackbone[],
  { train, test }: Datasets,
  { grid = 4 }: ProbeOptions = {},
): Promise<BackboneProbes[]> {
  const probes: BackboneProbes[] = [];
  for (const { name, tensors, size } of backbones) {
    const [fine, tested] = [
      await computeFeatures(tensors, train, { grid, size }),
      await computeFeatures(tensors, test, { grid, size }),
    ];
    probes.push({
      name,
      mean: await probeFeatures(coarsenFeatures(fine, 1), coarsenFeatures(tested, 1)),
      grid: await probeFeatures(fine, tested),
    });
  }
  const format = ({ accuracy, interval }: Probe) => formatShare({ mean: accuracy, interval });
  await displayTable({
    header: [
      "backbone",
      `right by ${CHANNELS} numbers (mean over the map)`,
      `right by ${formatCount(grid * grid * CHANNELS)} numbers (means over ${grid}×${grid} fields)`,
    ],
    rows: probes.map(({ name, mean, grid }) => [name, format(mean), format(grid)]),
  });
  return probes;
}

/** What the probes say, a sentence each; "more" and "less" are said only where the 95 % intervals do not meet. */
export function describeProbes(probes: readonly BackboneProbes[]): string[] {
  const frozen = findProbe(probes, "frozen");
  const tell = (name: string, say: (probe: Probe, frozen: Probe) => string): string[] => {
    const probe = findProbe(probes, name);
    return probe === null || frozen === null ? [] : [say(probe, frozen)];
  };
  return [
    ...tell(
      "untrained",
      (probe, frozen) =>
        `Frozen features give ${show(frozen)}, ${compare(frozen, probe, "untrained ones")} (${
          show(probe)
        }): ` +
        (relation(frozen, probe) === "more"
          ? "ImageNet's weights **are** worth something on these images."
          : "ImageNet's weights are not shown to be worth anything here."),
    ),
    ...tell(
      ADAPTED,
      (probe, frozen) =>
        `With statistics of these images they give ${show(probe)}, ${
          compare(probe, frozen, "those with the stored ones")
        }: ` +
        (relation(probe, frozen) === "more"
          ? "the statistics are part of the trouble."
          : "the statistics are not the trouble."),
    ),
    ...tell(
      ENLARGED,
      (probe, frozen) =>
        `On images enlarged to twice their size they give ${show(probe)}, ${
          compare(probe, frozen, "those of small ones")
        }: ` +
        (relation(probe, frozen) === "more"
          ? "the small size is part of the trouble."
          : "the small size is **not** what is missing; an enlarged picture shows no more than the small one."),
    ),
    ...tell(
      "trained",
      (probe, frozen) =>
        `The trained backbone's features give ${show(probe)}, ${compare(probe, frozen, "the frozen ones")}` +
        (relation(probe, frozen) === "more"
          ? ": the same layers can hold more, once they may learn what for."
          : "."),
    ),
  ];
}

/** The probe of a backbone over the grid; null where there is none of that name. */
export function findProbe(probes: readonly BackboneProbes[], name: string): Probe | null {
  return probes.find((probe) => probe.name === name)?.grid ?? null;
}

function show({ accuracy }: Probe): string {
  return formatPercent(accuracy);
}

function relation(
  { interval: [low, high] }: Probe,
  { interval: [otherLow, otherHigh] }: Probe,
): "more" | "less" | "same" {
  return low > otherHigh ? "more" : high < otherLow ? "less" : "same";
}

function compare(one: Probe, other: Probe, noun: string): string {
  const points = `${formatNumber(Math.abs(100 * (one.accuracy - other.accuracy)), 1)} points`;
  const side = relation(one, other);
  return side === "same"
    ? `not shown to differ from ${noun} (by ${points})`
    : `${points} ${side} than ${noun}`;
}
