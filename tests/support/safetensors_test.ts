import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import {
  formatSafetensors,
  openSafetensors,
  parseHeader,
  parseSafetensors,
  readSafetensors,
  type StoredTensor,
  stripWrapper,
  typeOf,
  writeSafetensors,
} from "../../lib/support/safetensors.ts";
import { temporaryFolder } from "../testing/folder.ts";

const TENSORS: [string, StoredTensor][] = [
  ["b", { shape: [1, 3], data: Float32Array.of(1.5, -2, 3.25) }],
  ["a.labels", { shape: [2], data: Int32Array.of(1, -2) }],
  ["big", { shape: [1], data: BigInt64Array.of(2n ** 40n) }],
  ["bytes", { shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ["none", { shape: [0, 3], data: new Float32Array() }],
  ["scalar", { shape: [], data: Float32Array.of(7.5) }],
];
const METADATA = { oracle: "ü" };

/** These tensors as the format's own package (Python's safetensors 0.8.0) writes them. */
const FROM_PYTHON =
  "gAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJvcmFjbGUiOiLDvCJ9LCJiaWciOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlswLDhd" +
  "fSwiYiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMSwzXSwiZGF0YV9vZmZzZXRzIjpbOCwyMF19LCJub25lIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlswLDNd" +
  "LCJkYXRhX29mZnNldHMiOlsyMCwyMF19LCJzY2FsYXIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzIwLDI0XX0sImEubGFiZWxz" +
  "Ijp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMjQsMzJdfSwiYnl0ZXMiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbM10sImRhdGFf" +
  "b2Zmc2V0cyI6WzMyLDM1XX19ICAAAAAAAAEAAAAAwD8AAADAAABQQAAA8EABAAAA/v///wEC/w==";

Deno.test("a file written by the Python package is read", () => {
  const { tensors, metadata } = parseSafetensors(Uint8Array.fromBase64(FROM_PYTHON), "python.safetensors");
  assert.deepEqual(new Map([...tensors].sort()), new Map([...TENSORS].sort()));
  assert.deepEqual(metadata, METADATA);
});

Deno.test("tensors of every type, shape and memory layout are read back", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.safetensors");
  const view = Float32Array.of(0, 1, 2, 3).subarray(1, 3);
  writeSafetensors(path, [...TENSORS, ["view", { shape: [2, 1], data: view }]], METADATA);
  const { tensors, metadata } = parseSafetensors(Deno.readFileSync(path), path);
  assert.deepEqual([...tensors.keys()], ["a.labels", "b", "big", "bytes", "none", "scalar", "view"]);
  for (const [name, tensor] of TENSORS) assert.deepEqual(tensors.get(name), tensor);
  assert.deepEqual(tensors.get("view"), { shape: [2, 1], data: Float32Array.of(1, 2) });
  assert.deepEqual(metadata, METADATA);
});

Deno.test("tensors are contiguous from a multiple of eight bytes on", () => {
  for (const name of ["a", "ab", "abc", "abcd", "abcdé", "abcdéf", "abcdefgh", "abcdefghi"]) {
    const bytes = formatSafetensors([[name, { shape: [1], data: Float32Array.of(5) }]]);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    assert.equal((8 + length) % 8, 0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    assert.deepEqual(header, {
      __metadata__: { sha256_of_rest: header.__metadata__.sha256_of_rest },
      [name]: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    });
    assert.equal(bytes.length, 8 + length + 4);
  }
});

Deno.test("the bytes do not depend on the order of the tensors", () => {
  assert.deepEqual(formatSafetensors([...TENSORS].reverse(), METADATA), formatSafetensors(TENSORS, METADATA));
});

/** A file with this header and number of data bytes. */
function withHeader(header: string | object, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const F32 = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
const entry = (changes: object) => ({ x: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...changes } });
const length = (value: bigint) => {
  const bytes = new Uint8Array(100);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
};

const DAMAGED: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ["an empty file", new Uint8Array(), /0 bytes are too few/],
  ["seven bytes", new Uint8Array(7), /7 bytes are too few/],
  ["zeros", new Uint8Array(100), /its header is not JSON/],
  ["a header of 90 MB", length(90_000_000n), /it is not a safetensors file/],
  ["text", new TextEncoder().encode("not a checkpoint at all"), /it is not a safetensors file/],
  [
    "a zip file",
    new TextEncoder().encode("PK\x03\x04\x14\0\0\0\b\0Hello"),
    /it is a file of torch\.save and not a safetensors file/,
  ],
  [
    "a pointer of Git LFS",
    new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
    /it is a pointer of Git LFS and not a safetensors file/,
  ],
  ["a header longer than any", length(2n ** 63n), /it is not a safetensors file/],
  [
    "a header that ends before its end",
    length(1000n),
    /it is cut short or not a safetensors file \(header of 1000 bytes\)/,
  ],
  ["a header that is no JSON", withHeader("{a: 1}"), /its header is not JSON/],
  ["a header that is no UTF-8", withHeader("{}").fill(0xff, 8), /its header is not JSON/],
  ["a header after a space", withHeader(" {}"), /it is not a safetensors file/],
  ["a header that is null", withHeader("null"), /it is not a safetensors file/],
  ["a header that is a list", withHeader("[1, 2]"), /it is not a safetensors file/],
  ["a header that is a number", withHeader("12345678"), /it is not a safetensors file/],
  ["metadata that is null", withHeader({ __metadata__: null }), /its metadata is damaged/],
  ["metadata that is a number", withHeader({ __metadata__: 5 }), /its metadata is damaged/],
  ["metadata that is no text", withHeader({ __metadata__: { a: 1 } }), /its metadata is damaged/],
  ["an entry that is null", withHeader({ x: null }), /its entry for x is damaged/],
  ["an entry without place", withHeader(entry({ data_offsets: undefined }), 8), /its entry for x is damaged/],
  [
    "an entry that ends before it begins",
    withHeader(entry({ data_offsets: [8, 0] }), 8),
    /its entry for x is damaged/,
  ],
  ["an entry before the data", withHeader(entry({ data_offsets: [-8, 0] }), 8), /its entry for x is damaged/],
  [
    "an entry at half a byte",
    withHeader(entry({ data_offsets: [0.5, 8.5] }), 8),
    /its entry for x is damaged/,
  ],
  ["an entry without shape", withHeader(entry({ shape: "2" }), 8), /its entry for x is damaged/],
  ["a negative shape", withHeader(entry({ shape: [-1, -2] }), 8), /its entry for x is damaged/],
  ["a shape of texts", withHeader(entry({ shape: ["2"] }), 8), /its entry for x is damaged/],
  ["data that ends too early", withHeader(entry({}), 7), /it is cut short in x/],
  ["a shape of another size", withHeader(entry({ shape: [3] }), 8), /shape \[3\] does not fit 8 bytes/],
  [
    "a shape too long to be one",
    withHeader(entry({ shape: Array(65).fill(1) }), 8),
    /entry for x is damaged/,
  ],
  [
    "a size beyond all numbers",
    withHeader(entry({ shape: Array(64).fill(2 ** 52) }), 8),
    /does not fit 8 bytes/,
  ],
  ["a type with a space", withHeader(entry({ dtype: "F 32" }), 8), /its entry for x is damaged/],
  ["three offsets", withHeader(entry({ data_offsets: [0, 8, 16] }), 8), /its entry for x is damaged/],
  ["one offset", withHeader(entry({ data_offsets: [0] }), 8), /its entry for x is damaged/],
  [
    "bytes after the last tensor",
    withHeader(entry({}), 9),
    /1 bytes after its last tensor do not belong to it/,
  ],
  [
    "bytes before the first tensor",
    withHeader(entry({ data_offsets: [4, 12] }), 12),
    /bytes of x do not follow/,
  ],
  [
    "a gap",
    withHeader({ ...entry({}), y: { ...F32, data_offsets: [12, 16] } }, 16),
    /bytes of y do not follow/,
  ],
  [
    "an overlap",
    withHeader({ ...entry({}), y: { ...F32, data_offsets: [4, 8] } }, 8),
    /bytes of y do not follow/,
  ],
  ["a tensor twice", withHeader(`{"x":${JSON.stringify(F32)},"\\u0078":{}}`, 4), /its header has x twice/],
  ["metadata twice", withHeader('{"__metadata__":{"a":"1","a":"1"}}'), /its header has a twice/],
  [
    "an escape sequence in a name",
    withHeader({ "\x1b]0;x\x07": F32 }, 4),
    /name of a tensor .* not plain text/,
  ],
  [
    "a very long name",
    withHeader({ ["x".repeat(501)]: F32 }, 4),
    /name of a tensor in it is empty, too long/,
  ],
];

for (const [what, bytes, message] of DAMAGED) {
  Deno.test(`${what} is refused in one sentence that names the file`, () => {
    assert.throws(() => parseSafetensors(bytes, "some.safetensors"), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /^Cannot read (x in )?some\.safetensors: .*\.$/);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("a file truncated anywhere is refused", () => {
  const whole = formatSafetensors(TENSORS, METADATA);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseSafetensors(whole.slice(0, length), "cut"), InputError, `${length} bytes`);
  }
});

Deno.test("a file is opened header first, and refused if it is shorter than its header states", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "some.safetensors");
  const whole = formatSafetensors(TENSORS, METADATA);
  Deno.writeFileSync(path, whole);
  const { decode, ...header } = await openSafetensors(path);
  assert.deepEqual(header, parseHeader(whole, "some"));
  assert.deepEqual(decode(), parseSafetensors(whole, "some").tensors);
  for (const length of [0, 5, 8, 20, whole.length - 1]) {
    Deno.writeFileSync(path, whole.subarray(0, length));
    await assert.rejects(openSafetensors(path), InputError, `${length} bytes`);
  }
});

Deno.test("half and double precision are converted to float32", () => {
  const values = [0, -0, 1, -2.5, 65504, 2 ** -24, NaN, Infinity, -Infinity]; // all are exact in float16
  const exact = Float32Array.from(values);
  const upper = Uint16Array.from(new Uint32Array(exact.buffer), (bits) => bits >>> 16);
  const cases = { F16: Float16Array.from(values), BF16: upper, F64: Float64Array.from(values) };
  for (const [dtype, { buffer, byteLength }] of Object.entries(cases)) {
    const file = withHeader({ x: { dtype, shape: [3, 3], data_offsets: [0, byteLength] } }, byteLength);
    file.set(new Uint8Array(buffer), file.length - byteLength);
    const { shape, data, rawType } = parseSafetensors(file, dtype).tensors.get("x")!;
    assert.deepEqual([shape, rawType], [[3, 3], undefined]);
    const rounded = dtype === "BF16" ? exact.map((value) => value === 65504 ? 65280 : value) : exact;
    assert.deepEqual(data, rounded, dtype);
  }
  const [odd] = new Float32Array(new Float64Array([0.1])); // rounded, not cut off
  const file = withHeader({ x: { dtype: "F64", shape: [], data_offsets: [0, 8] } }, 8);
  file.set(new Uint8Array(Float64Array.of(0.1).buffer), file.length - 8);
  assert.deepEqual(parseSafetensors(file, "x").tensors.get("x"), { shape: [], data: Float32Array.of(odd) });
});

Deno.test("a tensor of an unknown type keeps its bytes and its type", () => {
  for (const dtype of ["F8_E4M3", "constructor"]) {
    const file = withHeader({ ...entry({ dtype }), y: { ...F32, data_offsets: [8, 12] } }, 12);
    file[file.length - 12] = 7;
    const { tensors } = parseSafetensors(file, "some");
    const x = tensors.get("x")!;
    assert.deepEqual(x, { shape: [2], data: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0), rawType: dtype });
    assert.deepEqual([...tensors.values()].map(typeOf), [dtype, "F32"]);
    assert.deepEqual(parseSafetensors(formatSafetensors(tensors), "copy").tensors, tensors);
  }
});

Deno.test("names that JavaScript's objects have are names like others", () => {
  const names = ["__proto__", "constructor", "toString", "0"];
  const tensors = new Map(names.map((name, index) => [name, { shape: [], data: Int32Array.of(index) }]));
  const metadata = Object.fromEntries(names.map((name) => [name, name]));
  const read = parseSafetensors(formatSafetensors(tensors, metadata), "names");
  assert.deepEqual(new Map([...read.tensors].sort()), new Map([...tensors].sort()));
  assert.deepEqual(Object.entries(read.metadata).sort(), Object.entries(metadata).sort());
});

Deno.test("prefixes of PyTorch's wrappers are removed where every name has one", () => {
  const strip = (
    ...names: string[]
  ) => [...stripWrapper(new Map(names.map((name) => [name, TENSORS[0][1]]))).keys()];
  assert.deepEqual(strip("module.a", "module.module.b"), ["a", "module.b"]);
  assert.deepEqual(strip("_orig_mod.module.a", "_orig_mod.module.b"), ["a", "b"]);
  assert.deepEqual(strip("module.a", "b"), ["module.a", "b"]);
  assert.deepEqual(strip(), []);
});

Deno.test("metadata that could not be read again are not written", () => {
  assert.throws(() => formatSafetensors([], { a: "x".repeat(16_000_000) }), RangeError);
});

Deno.test("no flipped bit is believed, and none crashes the reader", () => {
  const whole = formatSafetensors(TENSORS, METADATA);
  const expected = parseSafetensors(whole, "whole");
  const key = Buffer.from(whole).indexOf("sha256_of_rest");
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const damaged = whole.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    try {
      const { tensors, metadata } = parseSafetensors(damaged, "damaged");
      // without the key of the hash the file is like one of another program; all else in it is as before
      assert.ok(bit >> 3 >= key && bit >> 3 < key + 14, `byte ${bit >> 3}, bit ${bit & 7}`);
      assert.deepEqual(tensors, expected.tensors);
      assert.equal(Object.keys(metadata).length, 2);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
    }
  }
});

Deno.test("a file that another program changed is refused with the next step, and read without the hash", () => {
  const whole = Buffer.from(formatSafetensors(TENSORS, { oracle: "u" })).toString("latin1");
  const encode = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const changed = whole.slice(0, -1) + "\xc0"; // the sign of the scalar
  assert.throws(() => parseSafetensors(encode(changed), "x.safetensors"), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /its bytes do not match its SHA-256: it is damaged, or another program/);
    assert.match(JSON.stringify(error.next), /take another copy.*remove sha256_of_rest from its metadata/);
    return true;
  });
  const spaces = " ".repeat(84); // as long as the entry
  const without = changed.replace(/,"sha256_of_rest":"[0-9a-f]{64}"/, spaces);
  assert.equal(without.length, changed.length);
  const { tensors, metadata } = parseSafetensors(encode(without), "x.safetensors");
  assert.equal(tensors.get("scalar")!.data[0], -7.5);
  assert.deepEqual(metadata, { oracle: "u" });
});

Deno.test("a path without a file is refused with a reason", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "file");
  Deno.writeTextFileSync(file, "text");
  const places = { [join(folder.path, "none")]: "there is no such file", [folder.path]: "it is a folder" };
  places[join(file, "inside")] = "there is no such file";
  if (Deno.build.os !== "windows") places["/dev/zero"] = "it is a device or a pipe and no file";
  for (const [path, why] of Object.entries(places)) {
    await assert.rejects(openSafetensors(path), new InputError({ what: `read ${path}`, why }));
    await assert.rejects(readSafetensors(path), new InputError({ what: `read ${path}`, why }));
  }
});

Deno.test("a browser computes the same hash as Deno", () => {
  const native = formatSafetensors(TENSORS, METADATA);
  const { process } = globalThis;
  try {
    Object.assign(globalThis, { process: undefined });
    assert.deepEqual(formatSafetensors(TENSORS, METADATA), native);
    assert.deepEqual(parseSafetensors(native, "native").metadata, METADATA);
  } finally {
    Object.assign(globalThis, { process });
  }
});
