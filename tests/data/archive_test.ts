import assert from "node:assert/strict";
import { join } from "@std/path";
import { explainTarError, removeLeftovers, unpackArchive } from "../../lib/data/archive.ts";
import { InputError } from "../../lib/support/errors.ts";
import { createRandom } from "../../lib/support/random.ts";
import { makeFolder } from "../testing/folder.ts";
import { listArchive, makeCifar10Files, makeTarGz, type TarEntry } from "../testing/small_cifar10.ts";

const RECORDS = 10;
const options = { recordsPerFile: RECORDS, provenance: { url: "http://example.org/a.tar.gz", md5: "1234" } };

/** Unpacks an archive inside a folder of its own, and tells what there is afterwards. */
async function unpack(
  bytes: Uint8Array,
): Promise<{ outer: string; inner: string; error: unknown; left: string[] }> {
  const outer = makeFolder();
  const inner = join(outer, "data");
  await Deno.mkdir(inner);
  const archive = join(outer, "archive.tar.gz");
  await Deno.writeFile(archive, bytes);
  const error = await unpackArchive(archive, inner, options).then(() => null, (error) => error);
  const left = [...Deno.readDirSync(outer)].map(({ name }) => name).sort();
  return {
    outer,
    inner,
    error,
    left: [...left, ...[...Deno.readDirSync(inner)].map(({ name }) => `data/${name}`)],
  };
}

function refusal({ error, left }: Awaited<ReturnType<typeof unpack>>): string {
  assert.ok(error instanceof InputError, `not an InputError: ${error}`);
  assert.deepEqual(left, ["archive.tar.gz", "data"], "something was left behind");
  return error.message;
}

const files = makeCifar10Files(RECORDS);
const good = listArchive(files);

Deno.test("only the expected files are unpacked, with their provenance", async () => {
  const { inner, error, left } = await unpack(await makeTarGz(good));
  assert.equal(error, null);
  assert.deepEqual(left, ["archive.tar.gz", "data", "data/cifar-10-batches-bin"]);
  const folder = join(inner, "cifar-10-batches-bin");
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "batches.meta.txt",
    ...[...files.keys()].slice(0, 5),
    "provenance.json",
    "test_batch.bin",
  ]);
  for (const [name, bytes] of files) assert.deepEqual(await Deno.readFile(join(folder, name)), bytes);
  const provenance = JSON.parse(await Deno.readTextFile(join(folder, "provenance.json")));
  assert.equal(provenance.md5, "1234");
  assert.match(provenance.sha256["data_batch_3.bin"], /^[0-9a-f]{64}$/);
});

const EVIL: Record<string, TarEntry> = {
  "a path that leads out": { path: "../evil", bytes: new Uint8Array(3) },
  "a path that leads out from inside": { path: "cifar-10-batches-bin/../../evil", bytes: new Uint8Array(3) },
  "an absolute path": { path: "/tmp/evil-from-an-archive", bytes: new Uint8Array(3) },
  "a symbolic link": { path: "cifar-10-batches-bin/link", type: "2", linkTo: "/etc" },
  "a hard link": { path: "cifar-10-batches-bin/link", type: "1", linkTo: "../../archive.tar.gz" },
  "a device": { path: "cifar-10-batches-bin/test_batch.bin", type: "3" },
  "a pipe": { path: "cifar-10-batches-bin/test_batch.bin", type: "6" },
  "a file for the folder": { path: "cifar-10-batches-bin", type: "2", linkTo: "/tmp" },
  "a file that is too large": { path: "cifar-10-batches-bin/readme.html", bytes: new Uint8Array(30_730_001) },
  "another folder": { path: "elsewhere/test_batch.bin", bytes: new Uint8Array(3) },
};
for (const [what, entry] of Object.entries(EVIL)) {
  Deno.test(`an archive with ${what} is refused and leaves no files`, async () => {
    for (const entries of [[entry, ...good], [...good, entry]]) {
      const result = await unpack(await makeTarGz(entries));
      assert.match(
        refusal(result),
        /^Cannot unpack .*archive\.tar\.gz: it (has entries that do not belong there|is damaged) \(/,
      );
    }
    await assert.rejects(Deno.stat("/tmp/evil-from-an-archive"), Deno.errors.NotFound);
  });
}

Deno.test("an archive with wrong or missing files is refused with their names", async () => {
  const without = good.filter(({ path }) => !path.endsWith("data_batch_2.bin"));
  assert.match(refusal(await unpack(await makeTarGz(without))), /data_batch_2\.bin is missing/);
  assert.match(
    refusal(await unpack(await makeTarGz(good.slice(-1)))),
    /data_batch_1\.bin is missing; .*test_batch\.bin is missing/,
  );
  const bad = good.map((entry) =>
    entry.path.endsWith("test_batch.bin") ? { ...entry, bytes: new Uint8Array(5) } : entry
  );
  assert.match(refusal(await unpack(await makeTarGz(bad))), /test_batch\.bin has 5 bytes/);
});

Deno.test("a truncated, altered or wrong archive is refused", async () => {
  const whole = await makeTarGz(good);
  assert.match(
    refusal(await unpack(whole.subarray(0, whole.length >> 1))),
    /Cannot unpack .*: it is damaged \(/,
  );
  const altered = whole.slice();
  altered.fill(0, 2000, 2100);
  assert.match(refusal(await unpack(altered)), /Cannot (unpack|use)/);
  assert.match(
    refusal(await unpack(new TextEncoder().encode("<html>not here</html>"))),
    /Cannot unpack .*: it is damaged \(/,
  );
});

Deno.test("damaged archives are refused, or give the same files", async () => {
  const draw = createRandom(7);
  const whole = await makeTarGz(good);
  let refused = 0;
  for (let trial = 0; trial < 60; trial++) {
    const bytes = whole.slice();
    for (let flips = draw.integer(2); flips >= 0; flips--) {
      bytes[draw.integer(bytes.length)] ^= 1 << draw.integer(8);
    }
    const result = await unpack(bytes);
    if (result.error !== null) {
      refusal(result);
      refused++;
      continue;
    }
    for (const [name, content] of files) {
      assert.deepEqual(await Deno.readFile(join(result.inner, "cifar-10-batches-bin", name)), content);
    }
  }
  assert.ok(refused > 40, `${refused}`);
});

Deno.test("a full disk is not taken for a damaged archive", () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    tarCode: "TAR_ENTRY_ERROR",
  });
  const error = explainTarError(full, "data/a.tar.gz") as Error;
  assert.equal(error.message, "Cannot save data: the disk is full.");
});

Deno.test("only the temporary folder of a killed process is removed", async () => {
  const folder = makeFolder();
  for (const name of [".cifar-10-batches-bin.1234", "cifar-10-batches-bin", "other"]) {
    await Deno.mkdir(join(folder, name));
    await Deno.writeTextFile(join(folder, name, "file"), "");
  }
  await removeLeftovers(folder);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "cifar-10-batches-bin",
    "other",
  ]);
});
