/**
 * CIFAR-10's binary version: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
 *
 * Six files of 10,000 records. A record is one label byte, then 1,024 bytes of red, of green, of blue: planes
 * of 32×32, row by row.
 */
import { basename, join } from "@std/path";
import { InputError, type NextStep } from "../support/errors.ts";
import { readInto, readTextOrNull, statOrNull } from "../support/files.ts";
import { explainSystemError, withSystemErrors } from "../support/system_errors.ts";
import { findRepeated } from "./cifar10_repeated.ts";
import { nameCopy } from "./cifar10_copies.ts";
import { CLASS_NAMES, countClasses, type Datasets, IMAGE_BYTES } from "./dataset.ts";

/** The files of the training set, in order. */
export const TRAIN_FILES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`);

/** The file of the test set. */
export const TEST_FILE = "test_batch.bin";

const RECORD_BYTES = 1 + IMAGE_BYTES;
const PLANE = IMAGE_BYTES / 3;

/** Options of {@linkcode readCifar10}. */
export interface ReadCifar10Options {
  /** Records per file; tests have smaller copies. @default {10000} */
  recordsPerFile?: number;
  /** Remedy for damaged files, for errors. */
  next?: NextStep[];
}

/** Content of one file. */
export interface FileCheck {
  /** The file's name. */
  file: string;
  /** Images in it. */
  records: number;
  /** Images of each class. */
  counts: number[];
  /** SHA-256 of the whole file, in hexadecimal. */
  sha256: string;
}

/**
 * Reads and checks the data set: every file's size and each label; in an unknown copy also that its images
 * differ, so that no file stands there twice or is filled with zeros.
 *
 * @param folder Where `data_batch_1.bin` … `test_batch.bin` are.
 * @throws {InputError} If anything is missing or damaged. Its message names each faulty file, with the
 *   record's number.
 *
 * @example
 * ```ts ignore
 * import { readCifar10 } from "./cifar10.ts";
 * const { train, test, files } = await readCifar10("data/cifar-10-batches-bin");
 * console.log(train.name, train.labels.length, files[0].counts);
 * ```
 */
export async function readCifar10(
  folder: string,
  { recordsPerFile = 10_000, next = [{ advice: "copy the data set there again" }] }: ReadCifar10Options = {},
): Promise<Datasets & { files: FileCheck[] }> {
  const refuse = (why: string) => new InputError({ what: `use CIFAR-10 in ${folder}`, why, next });
  const fault = findNameFault(readTextOrNull(join(folder, "batches.meta.txt")));
  if (fault) throw refuse(fault);
  const [train, test] = [TRAIN_FILES.length * recordsPerFile, recordsPerFile].map((size) => ({
    name: "",
    images: new Uint8Array(size * IMAGE_BYTES),
    labels: new Uint8Array(size),
  }));
  const faults: string[] = [];
  const bytes = new Uint8Array(recordsPerFile * RECORD_BYTES); // one buffer for all files, to save memory
  const files: FileCheck[] = [];
  for (const [index, file] of [...TRAIN_FILES, TEST_FILE].entries()) {
    const fault = await readRecords(join(folder, file), bytes) ?? findFault(bytes, file);
    if (fault) {
      faults.push(fault);
      continue;
    }
    const digest = crypto.subtle.digest("SHA-256", bytes); // hash a copy on another thread while decoding continues
    const dataset = file === TEST_FILE ? test : train;
    const first = (file === TEST_FILE ? 0 : index) * recordsPerFile;
    decodeRecords(bytes, dataset.images, dataset.labels, first);
    const counts = countClasses(dataset.labels.subarray(first, first + recordsPerFile));
    files.push({ file, records: recordsPerFile, counts, sha256: new Uint8Array(await digest).toHex() });
  }
  bytes.buffer.transfer(0); // frees it now, not when garbage is collected
  if (faults.length > 0) throw refuse(faults.sort().join("; "));
  const known = nameCopy(folder, new Map(files.map(({ file, sha256 }) => [file, sha256])));
  if (known === null) {
    const fault = findRepeated([train, test], files);
    if (fault) throw refuse(fault);
    const missing = countClasses(train.labels).indexOf(0);
    if (missing >= 0) throw refuse(`no training image has the label ${missing} (${CLASS_NAMES[missing]})`);
  }
  const digits = files.at(-1)!.sha256.slice(0, 8);
  train.name = test.name = known ?? `CIFAR-10 (unverified copy, ${TEST_FILE} sha256 ${digits}…)`;
  return { train, test, files };
}

/** Fills `bytes` from a file; returns a clause if it is missing, no file, or of another size. */
async function readRecords(path: string, bytes: Uint8Array): Promise<string | null> {
  const info = withSystemErrors(`read ${path}`, () => statOrNull(path));
  if (info === null) return `${basename(path)} is missing`;
  // opening a pipe would wait for its writer
  if (!info.isFile) return `${basename(path)} is ${info.isDirectory ? "a folder" : "a device or a pipe"}`;
  const { size } = info;
  if (size === bytes.length) {
    using file = withSystemErrors(`read ${path}`, () => Deno.openSync(path));
    const read = await readInto(file, bytes).catch((error) => {
      throw explainSystemError(error, `read ${path}`) ?? error;
    });
    if (read === size) return null;
  }
  const [found, expected] = [size, bytes.length].map((count) => count.toLocaleString("en"));
  return `${basename(path)} has ${found} bytes, expected ${expected}`;
}

/** Checks a file's labels; returns a clause on the first fault. */
function findFault(bytes: Uint8Array, file: string): string | null {
  let faults = 0;
  let first = 0;
  for (let record = bytes.length / RECORD_BYTES - 1; record >= 0; record--) {
    if (bytes[record * RECORD_BYTES] < CLASS_NAMES.length) continue;
    faults++;
    first = record;
  }
  if (!faults) return null;
  const more = faults > 1 ? `, and ${faults - 1} more of its labels are wrong` : "";
  const position = `record ${first} of ${file} (counted from 0)`;
  return `${position} has the label ${bytes[first * RECORD_BYTES]}, expected 0 to ${
    CLASS_NAMES.length - 1
  }${more}`;
}

/** Decodes planes to pixels, from record 0 of `bytes` to image `first` onwards. */
function decodeRecords(
  bytes: Uint8Array,
  images: Uint8Array<ArrayBuffer>,
  labels: Uint8Array,
  first: number,
): void {
  // four pixels make three words; typed arrays are little-endian on every machine Deno runs on
  const words = new Uint32Array(images.buffer);
  let word = first * IMAGE_BYTES / 4;
  const records = bytes.length / RECORD_BYTES;
  for (let record = 0; record < records; record++) {
    const start = record * RECORD_BYTES;
    labels[first + record] = bytes[start];
    const end = start + 1 + PLANE;
    for (let red = start + 1; red < end; red += 4) {
      const green = red + PLANE;
      const blue = green + PLANE;
      words[word] = bytes[red] | bytes[green] << 8 | bytes[blue] << 16 | bytes[red + 1] << 24;
      words[word + 1] = bytes[green + 1] | bytes[blue + 1] << 8 | bytes[red + 2] << 16 |
        bytes[green + 2] << 24;
      words[word + 2] = bytes[blue + 2] | bytes[red + 3] << 8 | bytes[green + 3] << 16 |
        bytes[blue + 3] << 24;
      word += 3;
    }
  }
}

/** Checks that `batches.meta.txt`, which may be missing, names the classes that the labels mean here. */
function findNameFault(meta: string | null): string | null {
  if (meta === null) return null;
  const names = meta.split(/\s+/).filter((name) => name);
  const wrong = CLASS_NAMES.findIndex((name, label) => names[label] !== name);
  if (wrong < 0 && names.length === CLASS_NAMES.length) return null;
  return "batches.meta.txt does not name CIFAR-10's ten classes in their order" +
    (wrong < 0
      ? ""
      : ` (label ${wrong} is ${names[wrong]?.slice(0, 50) ?? "missing"}, expected ${CLASS_NAMES[wrong]})`);
}
