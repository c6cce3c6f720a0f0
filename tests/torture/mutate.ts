/**
 * Seeded damage to bytes, to JSON, and to the header of a safetensors file.
 *
 * @module
 */
import type { Random } from "../../lib/support/random.ts";

/** A damaged copy. */
export interface Mutation {
  how: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Damages bytes: flipped bits, cuts, insertions, doubled, swapped, lost and overwritten blocks. */
export function mutateBytes(bytes: Uint8Array, random: Random): Mutation {
  const at = random.integer(bytes.length);
  const size = 1 + random.integer(Math.min(random.next() < 0.5 ? 16 : 4096, bytes.length));
  const other = random.integer(bytes.length);
  const block = bytes.slice(at, at + size);
  const noise = Uint8Array.from({ length: size }, () => random.integer(256));
  const join = (...pieces: Uint8Array[]) => {
    const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let to = 0;
    for (const piece of pieces) {
      joined.set(piece, to);
      to += piece.length;
    }
    return joined;
  };
  const over = (place: number, piece: Uint8Array) => {
    const copy = bytes.slice();
    copy.set(piece.subarray(0, Math.max(0, copy.length - place)), place);
    return copy as Uint8Array<ArrayBuffer>;
  };
  const flip = (count: number) => {
    const copy = bytes.slice();
    for (let one = 0; one < count; one++) copy[random.integer(copy.length)] ^= 1 << random.integer(8);
    return copy as Uint8Array<ArrayBuffer>;
  };
  const kinds: [string, () => Uint8Array<ArrayBuffer>][] = [
    ["one bit flipped", () => flip(1)],
    ["bits flipped", () => flip(1 + random.integer(40))],
    [`cut to ${at}`, () => bytes.slice(0, at) as Uint8Array<ArrayBuffer>],
    [`${size} bytes inserted at ${at}`, () => join(bytes.subarray(0, at), noise, bytes.subarray(at))],
    [`${size} bytes appended`, () => join(bytes, noise)],
    [`${size} bytes doubled at ${at}`, () => join(bytes.subarray(0, at), block, bytes.subarray(at))],
    [`${size} bytes lost at ${at}`, () => join(bytes.subarray(0, at), bytes.subarray(at + size))],
    [`${size} bytes of noise at ${at}`, () => over(at, noise)],
    [`${size} zeros at ${at}`, () => over(at, noise.fill(0))],
    [`${size} bytes of ${at} copied to ${other}`, () => over(other, block)],
  ];
  const [how, damage] = kinds[random.integer(kinds.length)];
  return { how, bytes: damage() };
}

const VALUES = [
  ...["1e999", "-1e999", "9007199254740993", "-1", "0", "1e308", "5e-324", "0.1", "null", "true", "[]", "{}"],
  ...['""', '"\\u0000\\u001b[2J"', '"__proto__"', '"../../x"', '"<script>"', "NaN", "99999999999999999999"],
];

/** Damages JSON: a value replaced, a field renamed, doubled or dropped, two swapped, depth, a byte order mark. */
export function mutateJson(text: string, random: Random): Mutation {
  const tokens = [
    ...text.matchAll(/"(?:[^"\\]|\\.)*"\s*:\s*|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g),
  ];
  const pick = (isKey: boolean) => {
    const some = tokens.filter(([token]) => /:\s*$/.test(token) === isKey);
    return some[random.integer(some.length)];
  };
  const put = (token: RegExpExecArray, by: string) =>
    text.slice(0, token.index) + by + text.slice(token.index + token[0].length);
  const [value, key, other] = [pick(false), pick(true), pick(false)];
  const name = (token: RegExpExecArray) => token[0].replace(/:\s*$/, "");
  const kinds: [string, () => string][] = [
    ["value replaced", () => put(value, VALUES[random.integer(VALUES.length)])],
    ["value replaced", () => put(value, VALUES[random.integer(VALUES.length)])],
    ["value replaced by another's", () => put(value, other[0])],
    ["number changed", () => put(value, value[0].replace(/\d/, `${random.integer(10)}`))],
    ["field renamed", () => put(key, `"x${name(key).slice(1)}: `)],
    ["field doubled", () => put(key, `${name(key)}: 1, ${key[0]}`)],
    ["field of the prototype", () => put(key, `"__proto__": {"x": 1}, ${key[0]}`)],
    ["deep", () => put(value, "[".repeat(50_000) + "]".repeat(50_000))],
    ["long", () => put(value, `"${"x".repeat(100_000)}"`)],
    ["byte order mark", () => `\ufeff${text}`],
  ];
  const [how, damage] = kinds[random.integer(kinds.length)];
  return { how: `JSON: ${how} at ${value.index} or ${key.index}`, bytes: new TextEncoder().encode(damage()) };
}

/** Damages the JSON header of a safetensors file; its length is written anew, so the rest is sound. */
export function mutateHeader(bytes: Uint8Array, random: Random): Mutation {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const { how, bytes: damaged } = mutateJson(header, random);
  const file = new Uint8Array(8 + damaged.length + bytes.length - 8 - length);
  new DataView(file.buffer).setBigUint64(0, BigInt(damaged.length), true);
  file.set(damaged, 8);
  file.set(bytes.subarray(8 + length), 8 + damaged.length);
  return { how: `header: ${how}`, bytes: file };
}
