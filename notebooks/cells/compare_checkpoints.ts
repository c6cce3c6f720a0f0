import { openCheckpoint } from "../../lib/training/checkpoint.ts";

/** How far two checkpoints agree. */
export interface CheckpointComparison {
  /** Tensors compared: the network's and the optimizer's. */
  tensors: number;
  /** Numbers in them. */
  values: number;
  /** Numbers whose bits differ. */
  different: number;
  /** The largest difference. */
  largest: number;
}

/**
 * Compares two checkpoints of one network bit by bit.
 *
 * @throws {RangeError} If they do not have the same tensors.
 */
export async function compareCheckpoints(one: string, other: string): Promise<CheckpointComparison> {
  const [a, b] = await Promise.all([readAll(one), readAll(other)]);
  if ([...a.keys()].join() !== [...b.keys()].join()) {
    throw new RangeError(`${one} and ${other} do not hold the same tensors.`);
  }
  const result: CheckpointComparison = { tensors: a.size, values: 0, different: 0, largest: 0 };
  for (const [name, values] of a) {
    const others = b.get(name)!;
    const [bits, otherBits] = [bitsOf(values), bitsOf(others)];
    result.values += values.length;
    for (let at = 0; at < values.length; at++) {
      if (bits[at] === otherBits[at]) continue;
      result.different++;
      result.largest = Math.max(result.largest, Math.abs(values[at] - others[at]));
    }
  }
  return result;
}

async function readAll(path: string): Promise<Map<string, Float32Array>> {
  const { network, slots } = await (await openCheckpoint(path)).readTensors();
  const stored = [
    ...network,
    ...[...slots ?? []].map(([name, tensor]) => [`optimizer.${name}`, tensor] as const),
  ];
  return new Map(stored.map(([name, { data }]) => [name, data as Float32Array]));
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}
