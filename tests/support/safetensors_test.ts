import assert from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import {
  formatSafetensors,
  openSafetensors,
  parseHeader,
  parseSafetensors,
  readSafetensors,
  type StoredTensor,
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
      __metadata__: {},
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
  ["text", new TextEncoder().encode("not a checkpoint at all"), /it is not a safetensors file/],
  [
    "a zip file",
    new TextEncoder().encode("PK\x03\x04\x14\0\0\0\b\0Hello"),
    /it is not a safetensors file|cut short/,
  ],
  ["a header longer than any", length(2n ** 63n), /it is not a safetensors file/],
  [
    "a header that ends before its end",
    length(1000n),
    /it is cut short or not a safetensors file \(header of 1000 bytes\)/,
  ],
  ["a header that is no JSON", withHeader("{a: 1}"), /its header is not JSON/],
  ["a header that is no UTF-8", withHeader("{}").fill(0xff, 8), /its header is not JSON/],
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
  ["a type we do not know", withHeader(entry({ dtype: "BF16" }), 8), /values of type BF16 are not supported/],
  [
    "a type that is no type",
    withHeader(entry({ dtype: "constructor" }), 8),
    /values of type constructor are not supported/,
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

Deno.test("a path without a file is refused with a reason", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "file");
  Deno.writeTextFileSync(file, "text");
  const places = { [join(folder.path, "none")]: "there is no such file", [folder.path]: "it is a folder" };
  places[join(file, "inside")] = "there is no such file";
  for (const [path, why] of Object.entries(places)) {
    await assert.rejects(openSafetensors(path), new InputError({ what: `read ${path}`, why }));
    await assert.rejects(readSafetensors(path), new InputError({ what: `read ${path}`, why }));
  }
});
