/**
 * Copies of CIFAR-10, identified by their files' checksums: results on other pixels are not results on the
 * original.
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { readFileBounded, readJsonOrNull } from "../support/files.ts";
import { isRecord } from "../support/schema.ts";
import { writeText } from "../support/write_files.ts";

/** Provenance of files that were unpacked from an archive of known checksum. */
export interface Provenance {
  /** The archive's URL. */
  url: string;
  /** The archive's MD5 sum. */
  md5: string;
  /** SHA-256 of each file as it was unpacked. */
  sha256: Record<string, string>;
}

const PROVENANCE_FILE = "provenance.json";

const OFFICIAL_NAME = "CIFAR-10";

/** The official archive of the binary version, and its MD5 sum as its page states it. */
export const OFFICIAL_ARCHIVE = {
  url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
  md5: "c32a1d4ab5d03f1284b67883e8d87530",
} as const;

/** MD5 sums of the files in it. */
const OFFICIAL_FILES: Record<string, string> = {
  "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
  "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
  "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
  "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
  "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
  "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
};
const MAXIMUM_BYTES = 31_000_000;

/** Known copies that differ from the original, by the SHA-256 of their files. */
const KNOWN_COPIES: { name: string; sha256: Record<string, string> }[] = [{
  // decoded from JPEG (quality 75, colour at half resolution) and written in this format, in an order of its
  // own
  name: "CIFAR-10 (JPEG-repacked copy)",
  sha256: {
    "data_batch_1.bin": "f2864180fce86ab4106016a49ea527cd9376db11e43effbeb9f2b263de915c0a",
    "data_batch_2.bin": "c52397bf76420e25e54c7ae21dfb41892d86a23f4d1ee338e7196744af969132",
    "data_batch_3.bin": "967b17f8138b600d580cdddcfb372d8f73098ceec84dd859ec0017a8b1e5db40",
    "data_batch_4.bin": "e41eba099e58636ef2a10ce7a6501246fe24e336c6f87f1639c78e53b60d0a53",
    "data_batch_5.bin": "71ee043011581dc7093922d11849252e4484e033d8dab4e63563992169a5eb83",
    "test_batch.bin": "164a9de12752dbb1dbb91ea8571fa84e2ac129d3e8a49dfbf30fa2bf245cf840",
  },
}];

/**
 * Returns the name of a copy, null for an unknown one: `CIFAR-10` only if its files are those of the official
 * archive. Files that were unpacked here are compared with what was noted then, which saves another hash.
 *
 * @param sha256 Hash of each file, in hexadecimal.
 * @param official MD5 sum of each official file.
 */
export function nameCopy(
  folder: string,
  sha256: Map<string, string>,
  official: Record<string, string> = OFFICIAL_FILES,
): string | null {
  const isThat = (known: Record<string, unknown>) =>
    [...sha256].every(([file, digest]) => known[file] === digest);
  const provenance = readJsonOrNull(join(folder, PROVENANCE_FILE));
  const { md5, sha256: noted } = provenance ?? {};
  if (md5 === OFFICIAL_ARCHIVE.md5 && isRecord(noted) && isThat(noted)) return OFFICIAL_NAME;
  const copy = KNOWN_COPIES.find((known) => isThat(known.sha256));
  if (copy) return copy.name;
  const isOfficial = Object.entries(official).every(([file, known]) => {
    const bytes = readFileBounded(join(folder, file), MAXIMUM_BYTES);
    return createHash("md5").update(bytes).digest("hex") === known;
  });
  return isOfficial ? OFFICIAL_NAME : null;
}

/** Writes the files' provenance beside them. */
export function writeProvenance(folder: string, provenance: Provenance): void {
  writeText(join(folder, PROVENANCE_FILE), JSON.stringify(provenance, null, 2) + "\n");
}
