import { coarsenFeatures, computeFeatures } from "../../lib/analysis/features.ts";
import { type Probe, probeFeatures } from "../../lib/analysis/linear_probe.ts";
import type { Datasets } from "../../lib/data/dataset.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import type { StateDict } from "../../lib/model/state_dict.ts";
import type { MeanInterval } from "../../lib/support/statistics.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { splitState } from "../../lib/training/start_training.ts";
import { computeGradients, type TensorBatch } from "../../lib/training/train_step.ts";

/** Computes the cross-entropy on a batch and the L2 norm of its gradient, as a training step does. */
export async function measureGradient(
  spec: NetworkSpec,
  network: StateDict,
  batch: TensorBatch,
): Promise<{ loss: number; norm: number }> {
  const settings = { ...spec, labelSmoothing: 0, clipNorm: null };
  const { gradients, loss, statistics, correct } = computeGradients(
    settings,
    splitState(network, spec),
    batch,
  );
  const all = Object.values(gradients);
  const norms = await Promise.all(all.map(async (gradient) => (await tf.norm(gradient).data())[0]));
  const [value] = await loss.data();
  tf.dispose([...all, ...Object.values(statistics), loss, correct]);
  return { loss: value, norm: Math.hypot(...norms) };
}

/**
 * Compares two checkpoints of one network bit by bit, the optimizer's tensors included.
 *
 * @returns Numbers of tensors, of values, of values whose bits differ, and the largest difference.
 * @throws {RangeError} If they do not have the same tensors.
 */
export async function compareCheckpoints(one: string, other: string) {
  const [a, b] = await Promise.all([one, other].map(readFloats));
  if ([...a.keys()].join() !== [...b.keys()].join()) {
    throw new RangeError(`${one} and ${other} do not hold the same tensors.`);
  }
  const result = { tensors: a.size, values: 0, different: 0, largest: 0 };
  for (const [name, values] of a) {
    const others = b.get(name)!;
    result.values += values.length;
    for (let at = 0; at < values.length; at++) {
      if (Object.is(values[at], others[at])) continue;
      result.different++;
      result.largest = Math.max(result.largest, Math.abs(values[at] - others[at]));
    }
  }
  return result;
}

async function readFloats(path: string): Promise<Map<string, Float32Array>> {
  const { network, slots } = (await openCheckpoint(path)).readTensors();
  const all = [
    ...network,
    ...[...slots ?? []].map(([name, tensor]) => [`optimizer.${name}`, tensor] as const),
  ];
  return new Map(all.map(([name, { data }]) => [name, data as Float32Array]));
}

/** Backbone for a linear probe. */
export interface ProbedBackbone {
  name: string;
  tensors: StateDict;
  /** Height and width that images are enlarged to first. @default 32 */
  size?: number;
}

/** Test accuracies of two linear probes of one backbone, with Wilson's 95 % intervals. */
export interface BackboneProbes {
  name: string;
  /** On the mean of the feature map: 64 numbers. */
  mean: MeanInterval;
  /** On its means over a grid of 4×4 fields, which keep positions: 1,024 numbers. */
  grid: MeanInterval;
}

/** Fits linear probes to the features of several backbones, all on the same images. */
export async function probeBackbones(
  backbones: readonly ProbedBackbone[],
  { train, test }: Datasets,
  grid = 4,
): Promise<BackboneProbes[]> {
  const probes: BackboneProbes[] = [];
  for (const { name, tensors, size } of backbones) {
    const fitted = await computeFeatures(tensors, train, { grid, size });
    const tested = await computeFeatures(tensors, test, { grid, size });
    const coarse = await probeFeatures(coarsenFeatures(fitted, 1), coarsenFeatures(tested, 1));
    probes.push({ name, mean: estimate(coarse), grid: estimate(await probeFeatures(fitted, tested)) });
  }
  return probes;
}

function estimate({ accuracy, interval, n }: Probe): MeanInterval {
  return { n, mean: accuracy, deviation: Math.sqrt(accuracy * (1 - accuracy)), interval };
}

/** Difference of two test accuracies, with a 95 % interval that is conservative: it adds up both margins. */
export function compareProbes(one: MeanInterval, other: MeanInterval): MeanInterval {
  const [[low, high], [otherLow, otherHigh]] = [one.interval!, other.interval!];
  return {
    n: one.n,
    mean: one.mean - other.mean,
    deviation: NaN,
    interval: [low - otherHigh, high - otherLow],
  };
}
