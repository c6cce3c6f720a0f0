import { Buffer } from "node:buffer";
import type { Random } from "../../lib/support/random.ts";

/** Damages a file in one of the ways in which disks, networks, editors and programs do. Never the same bytes. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  for (;;) {
    const mutated = MUTATIONS[random.integer(MUTATIONS.length)](bytes, random);
    if (Buffer.compare(mutated, bytes) !== 0) return mutated;
  }
}

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

/** A range of up to `longest` bytes. */
function range({ length }: Uint8Array, random: Random, longest: number): [start: number, end: number] {
  const start = random.integer(length + 1);
  return [start, Math.min(length, start + 1 + random.integer(longest))];
}

/** A place, as often in the first kilobyte, where headers are, as in the rest. */
function place({ length }: Uint8Array, random: Random): number {
  return random.integer(random.integer(2) === 0 ? Math.min(length, 1024) : length);
}

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const ODD_BYTES = [0x00, 0x01, 0x20, 0x22, 0x2d, 0x30, 0x39, 0x5c, 0x7f, 0x80, 0xfe, 0xff];

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    const flipped = bytes.slice();
    for (let count = 1 + random.integer(3); count > 0; count--) {
      flipped[place(bytes, random)] ^= 1 << random.integer(8);
    }
    return flipped;
  },
  (bytes, random) => {
    const changed = bytes.slice();
    changed[place(bytes, random)] = ODD_BYTES[random.integer(ODD_BYTES.length)];
    return changed;
  },
  (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  (bytes, random) => {
    const [start, end] = range(bytes, random, 4096);
    return bytes.slice().fill(random.integer(2) * 255, start, end);
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random, 512);
    return join(bytes.subarray(0, start), bytes.subarray(end));
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random, 512);
    return join(bytes.subarray(0, end), bytes.subarray(start));
  },
  (bytes, random) => {
    return join(bytes, Uint8Array.from({ length: 1 + random.integer(64) }, () => random.integer(256)));
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random, 64);
    return bytes.slice().copyWithin(place(bytes, random), start, end);
  },
];
