import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { readCifar10 } from "../../lib/data/cifar10.ts";
import { nameCopy, OFFICIAL_ARCHIVE, writeProvenance } from "../../lib/data/cifar10_copies.ts";
import { InputError } from "../../lib/support/errors.ts";
import { createRandom } from "../../lib/support/random.ts";
import { makeCifar10Files, RECORD_BYTES, writeFolder } from "../testing/small_cifar10.ts";

const RECORDS = 30;
const small = { recordsPerFile: RECORDS };

async function faultOf(
  change: (files: Map<string, Uint8Array>) => void,
  prepare: (folder: string) => Promise<unknown> = () => Promise.resolve(),
): Promise<string> {
  const files: Map<string, Uint8Array> = makeCifar10Files(RECORDS);
  change(files);
  const folder = await writeFolder(files);
  await prepare(folder);
  const error = await readCifar10(folder, small).then(() => null, (error) => error);
  assert.ok(error instanceof InputError, `no InputError: ${error}`);
  return error.message.replace(folder, "FOLDER");
}

Deno.test("planes become pixels, files are concatenated, labels match their images", async () => {
  const files = makeCifar10Files(RECORDS);
  const { train, test } = await readCifar10(await writeFolder(files), small);
  assert.equal(train.labels.length, 5 * RECORDS);
  assert.equal(test.labels.length, RECORDS);
  const compare = (file: string, record: number, images: Uint8Array, index: number) => {
    const bytes = files.get(file)!.subarray(record * RECORD_BYTES + 1);
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        for (let channel = 0; channel < 3; channel++) {
          const found = images[((index * 32 + y) * 32 + x) * 3 + channel];
          assert.equal(
            found,
            bytes[(channel * 32 + y) * 32 + x],
            `${file} ${record} (${x}, ${y}) ${channel}`,
          );
        }
      }
    }
  };
  compare("data_batch_1.bin", 0, train.images, 0);
  compare("data_batch_1.bin", 29, train.images, 29);
  compare("data_batch_5.bin", 17, train.images, 4 * RECORDS + 17);
  compare("test_batch.bin", 3, test.images, 3);
  assert.deepEqual([...train.labels.subarray(28, 33)], [8, 9, 0, 1, 2]);
});

Deno.test("each file is reported with its count of each class and its checksum", async () => {
  const made = makeCifar10Files(RECORDS);
  const { files } = await readCifar10(await writeFolder(made), small);
  assert.deepEqual(files.map(({ file }) => file), [...made.keys()]);
  for (const { file, records, counts, sha256 } of files) {
    assert.equal(records, RECORDS);
    assert.deepEqual(counts, new Array(10).fill(3));
    assert.equal(sha256, createHash("sha256").update(made.get(file)!).digest("hex"));
  }
});

Deno.test("all missing and truncated files are reported, with their sizes", async () => {
  const message = await faultOf((files) => {
    files.delete("data_batch_4.bin");
    files.set("data_batch_2.bin", files.get("data_batch_2.bin")!.subarray(0, 100));
    files.set("test_batch.bin", new Uint8Array(30 * RECORD_BYTES + 1));
  });
  assert.equal(
    message,
    "Cannot use CIFAR-10 in FOLDER: data_batch_2.bin has 100 bytes, expected 92,190; data_batch_4.bin is missing; " +
      "test_batch.bin has 92,191 bytes, expected 92,190.",
  );
});

Deno.test("an invalid label is reported with its file and record", async () => {
  const message = await faultOf((files) => {
    files.get("data_batch_3.bin")![17 * RECORD_BYTES] = 10;
    files.get("data_batch_3.bin")![20 * RECORD_BYTES] = 255;
  });
  assert.match(
    message,
    /: record 17 of data_batch_3\.bin \(counted from 0\) has the label 10, expected 0 to 9, and 1 more of its labels are wrong\.$/,
  );
});

Deno.test("a pipe, a folder and a device for a file are reported without waiting for them", async () => {
  const message = await faultOf(
    (files) =>
      ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"].forEach((name) => files.delete(name)),
    async (folder) => {
      const path = (name: string) => join(folder, name);
      await new Deno.Command("mkfifo", { args: [path("data_batch_1.bin")] }).output();
      await Deno.mkdir(path("data_batch_2.bin"));
      await Deno.symlink("/dev/zero", path("test_batch.bin"));
    },
  );
  assert.match(
    message,
    /: data_batch_1\.bin is a device or a pipe; data_batch_2\.bin is a folder; test_batch\.bin is a device or a pipe\.$/,
  );
});

Deno.test("images that occur twice are refused: a file copied, test images trained on, zeros", async () => {
  const test = "test_batch.bin";
  const copied = await faultOf((files) => files.set("data_batch_2.bin", files.get("data_batch_1.bin")!));
  assert.match(
    copied,
    /: 30 of the 30 images of data_batch_2\.bin occur twice \(record 0 of data_batch_2\.bin is the same as record 0 of data_batch_1\.bin\)\.$/,
  );
  const overlapping = await faultOf((files) => {
    const record = files.get("data_batch_4.bin")!.subarray(5 * RECORD_BYTES, 6 * RECORD_BYTES);
    files.get(test)!.set(record, 7 * RECORD_BYTES);
    files.get(test)![7 * RECORD_BYTES] = 3; // under another label
  });
  assert.match(
    overlapping,
    /: 1 of the 30 images of test_batch\.bin .*record 7 .* record 5 of data_batch_4\.bin\)/,
  );
  const cut = await faultOf((files) => files.get("data_batch_5.bin")!.fill(0, 20 * RECORD_BYTES));
  assert.match(
    cut,
    /: 9 of the 30 images of data_batch_5\.bin .*record 21 .* record 20 of data_batch_5\.bin\)/,
  );
});

Deno.test("training files that lack a class are refused", async () => {
  const message = await faultOf((files) => {
    for (const bytes of files.values()) {
      for (let record = 3; record < RECORDS; record += 10) bytes[record * RECORD_BYTES] = 5;
    }
  });
  assert.match(message, /: no training image has the label 3 \(cat\)\.$/);
});

Deno.test("damaged files are refused, or show in the checksum and are called unverified", async () => {
  const draw = createRandom(10);
  const folder = await writeFolder(makeCifar10Files(RECORDS));
  let refused = 0;
  for (let trial = 0; trial < 90; trial++) {
    const files: Map<string, Uint8Array> = makeCifar10Files(RECORDS);
    const name = [...files.keys()][draw.integer(6)];
    const bytes = files.get(name)!;
    const at = draw.integer(bytes.length);
    if (trial % 3 === 0) files.set(name, bytes.subarray(0, at));
    else if (trial % 3 === 1) bytes[at] ^= 1 << draw.integer(8);
    else bytes.copyWithin(at, draw.integer(bytes.length)); // bytes inserted or lost
    for (const [name, bytes] of files) await Deno.writeFile(join(folder, name), bytes);
    const found = await readCifar10(folder, small).catch((error) => error);
    if (found instanceof InputError) {
      refused++;
      continue;
    }
    assert.ok(!(found instanceof Error), `trial ${trial}: ${found}`);
    assert.match(found.train.name, /unverified/);
    assert.ok([...found.train.labels, ...found.test.labels].every((label) => label < 10));
    const { sha256 } = found.files.find(({ file }: { file: string }) => file === name);
    assert.equal(sha256, createHash("sha256").update(files.get(name)!).digest("hex"));
  }
  assert.ok(refused > 50, `${refused}`);
});

Deno.test("a different order of class names is refused", async () => {
  const names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
  const files: Map<string, Uint8Array> = makeCifar10Files(RECORDS);
  const meta = (list: string[]) =>
    files.set("batches.meta.txt", new TextEncoder().encode(list.join("\n") + "\n\n"));
  meta(names);
  await readCifar10(await writeFolder(files), small);
  meta(["airplane", "bird", "automobile", ...names.slice(3)]);
  await assert.rejects(
    readCifar10(await writeFolder(files), small),
    /batches\.meta\.txt does not name .* \(label 1 is bird, expected automobile\)/,
  );
  meta(names.slice(0, 9));
  await assert.rejects(readCifar10(await writeFolder(files), small), /label 9 is missing, expected truck/);
});

Deno.test("only files that match their provenance are called CIFAR-10", async () => {
  const made = makeCifar10Files(RECORDS);
  const folder = await writeFolder(made);
  const { files, train } = await readCifar10(folder, small);
  const sha256 = Object.fromEntries(files.map(({ file, sha256 }) => [file, sha256]));
  const unverified = `CIFAR-10 (unverified copy, test_batch.bin sha256 ${
    sha256["test_batch.bin"].slice(0, 8)
  }…)`;
  assert.equal(train.name, unverified);

  writeProvenance(folder, { ...OFFICIAL_ARCHIVE, sha256 });
  const official = await readCifar10(folder, small);
  assert.deepEqual([official.train.name, official.test.name], ["CIFAR-10", "CIFAR-10"]);

  writeProvenance(folder, { ...OFFICIAL_ARCHIVE, md5: "0", sha256 });
  assert.equal((await readCifar10(folder, small)).train.name, unverified);

  writeProvenance(folder, { ...OFFICIAL_ARCHIVE, sha256 });
  made.get("data_batch_5.bin")![1] ^= 1; // one bit of one pixel
  await Deno.writeFile(join(folder, "data_batch_5.bin"), made.get("data_batch_5.bin")!);
  assert.equal((await readCifar10(folder, small)).train.name, unverified);
});

Deno.test("files with the official checksums are called CIFAR-10, wherever they were unpacked", async () => {
  const made = makeCifar10Files(RECORDS);
  const md5 = Object.fromEntries(
    [...made].map(([file, bytes]) => [file, createHash("md5").update(bytes).digest("hex")]),
  );
  const folder = await writeFolder(made);
  assert.equal(nameCopy(folder, new Map([["test_batch.bin", "unknown"]]), md5), "CIFAR-10");
  const changed = { ...md5, "test_batch.bin": md5["data_batch_1.bin"] };
  assert.equal(nameCopy(folder, new Map([["test_batch.bin", "unknown"]]), changed), null);
});

const real = Deno.env.get("CIFAR10_DIR");
Deno.test({ name: "the data set in CIFAR10_DIR is complete and balanced", ignore: !real }, async () => {
  const { train, test, files } = await readCifar10(real!);
  assert.match(train.name, /^CIFAR-10/);
  assert.deepEqual(files.at(-1)!.counts, new Array(10).fill(1000));
  const sums = files.slice(0, 5).reduce(
    (sums, { counts }) => sums.map((sum, label) => sum + counts[label]),
    new Array(10).fill(0),
  );
  assert.deepEqual(sums, new Array(10).fill(5000));
  // known means of the training images: 0.491, 0.482, 0.447
  const means = [0, 0, 0];
  for (let at = 0; at < train.images.length; at += 3) {
    for (let channel = 0; channel < 3; channel++) means[channel] += train.images[at + channel];
  }
  const scaled = means.map((sum) => (sum / (train.images.length / 3) / 255).toFixed(3));
  assert.ok(["0.491,0.482,0.446", "0.491,0.482,0.447"].includes(scaled.join()), scaled.join());
  assert.equal(test.labels.length, 10_000);
});
