import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { loadDatasets, type LoadDatasetsOptions } from "../../lib/data/load_datasets.ts";
import { InputError } from "../../lib/support/errors.ts";
import { type FileAnswer, type FileRequest, serveBytes, startFileServer } from "../testing/file_server.ts";
import { makeFolder, temporaryVariable } from "../testing/folder.ts";
import { listArchive, makeCifar10Files, makeTarGz, writeFolder } from "../testing/small_cifar10.ts";

const RECORDS = 10;
const FILES = makeCifar10Files(RECORDS);
const ARCHIVE = await makeTarGz(listArchive(FILES));
const MD5 = createHash("md5").update(ARCHIVE).digest("hex");
const network = { retryDelay: 1, attempts: 2 };

/** Loads with the given options only, from a server that behaves like `handle`, or if null from none. */
async function load(
  handle: ((request: FileRequest, count: number) => FileAnswer) | null,
  { variable = null, md5 = MD5, ...options }: LoadDatasetsOptions & {
    variable?: string | null;
    md5?: string;
  } = {},
) {
  const folder = options.folder ?? makeFolder();
  const said: string[] = [];
  await using server = startFileServer(handle ?? refuse);
  let result: Awaited<ReturnType<typeof loadDatasets>> | undefined;
  let error: Error | undefined;
  using _variable = temporaryVariable("CIFAR10_DIR", variable);
  const archive = { url: `${handle === null ? NO_SERVER : server.url}/cifar-10-binary.tar.gz`, md5 };
  const log = (text: string) => said.push(text);
  const loading = loadDatasets({ archive, recordsPerFile: RECORDS, network, log, ...options, folder });
  await loading.then((loaded) => result = loaded, (why) => error = why);
  return { folder, result, error, said: said.join("\n"), asked: server.requests.length };
}

const NO_SERVER = "http://no-such-host.invalid";
const serve = (request: FileRequest) => serveBytes(ARCHIVE, request);
const refuse = () => ({ status: 404 });

/** The error in words, with what would help. */
function messageOf({ error }: { error?: Error }): string {
  assert.ok(error instanceof InputError, `not an InputError: ${error}`);
  return `${error.message} ${JSON.stringify([error.setting, ...error.next])}`;
}

Deno.test("the archive is downloaded, unpacked and deleted, and the next run finds the files", async () => {
  let last: [number, number | undefined] = [0, 0];
  const { folder, result, said, asked } = await load(serve, {
    folder: join(makeFolder(), "data"), // which is made
    onDownload: (...progress) => last = progress,
  });
  assert.equal(result!.source.kind, "download");
  assert.equal(result!.source.path, join(folder, "cifar-10-batches-bin"));
  assert.equal(result!.train.labels.length, 5 * RECORDS);
  assert.deepEqual(last, [ARCHIVE.length, ARCHIVE.length]);
  assert.match(said, /^Downloading CIFAR-10 from http.*\nUnpacking /);
  assert.equal(asked, 1);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["cifar-10-batches-bin"]);

  const again = await load(refuse, { folder });
  assert.equal(again.result!.source.kind, "local");
  assert.equal(again.asked, 0);
  assert.equal(again.said, "");
  assert.deepEqual(again.result!.train, result!.train);
});

Deno.test("an archive placed in data/ is unpacked offline", async () => {
  const folder = makeFolder();
  await Deno.writeFile(join(folder, "cifar-10-binary.tar.gz"), ARCHIVE);
  const { result, asked } = await load(refuse, { folder });
  assert.equal(result!.test.labels.length, RECORDS);
  assert.equal(asked, 0);
});

Deno.test("two runs started at once download once", async () => {
  const folder = makeFolder();
  await using server = startFileServer((request) => serve(request));
  const archive = { url: `${server.url}/cifar-10-binary.tar.gz`, md5: MD5 };
  const said: string[] = [];
  using _variable = temporaryVariable("CIFAR10_DIR", null);
  const one = () =>
    loadDatasets({ archive, folder, recordsPerFile: RECORDS, log: (text) => said.push(text) });
  const results = await Promise.all([one(), one()]);
  assert.deepEqual(results.map(({ source }) => source.kind).sort(), ["download", "local"]);
  assert.equal(server.requests.length, 1);
  assert.equal(said.filter((text) => text.startsWith("Waiting for another process")).length, 1);
});

Deno.test("the setting overrides CIFAR10_DIR, which overrides data/", async () => {
  const [one, two, folder] = [await writeFolder(FILES), await writeFolder(FILES), makeFolder()];
  const kind = async (options: Parameters<typeof load>[1]) => {
    const { result } = await load(refuse, { folder, ...options });
    return [result!.source.kind, result!.source.path];
  };
  await load(serve, { folder });
  assert.deepEqual(await kind({ data: one, variable: two }), ["option", one]);
  assert.deepEqual(await kind({ variable: two }), ["environment", two]);
  assert.deepEqual(await kind({}), ["local", join(folder, "cifar-10-batches-bin")]);
  assert.deepEqual(await kind({ data: "synthetic", variable: two }), ["synthetic", null]);
  assert.deepEqual(await kind({ data: folder }), ["option", join(folder, "cifar-10-batches-bin")]);
});

Deno.test("offline, the synthetic set is used, with a warning and the reason", async () => {
  const { result, said } = await load(null);
  assert.equal(result!.source.kind, "synthetic");
  assert.equal(result!.train.name, "synthetic");
  assert.match(said, /CIFAR-10 is not here and cannot be downloaded\. Cannot reach/);
  assert.match(said, /SYNTHETIC/);
  const asked = await load(refuse, { data: "synthetic" });
  assert.equal(asked.said, "");
});

Deno.test("a refusal, a wrong checksum and a broken transfer are errors, not the synthetic set", async () => {
  assert.match(
    messageOf(await load(refuse)),
    /answered 404 Not Found\. .*CIFAR10_DIR.*\{"set":\{"data":"PATH"\}\},\{"set":\{"data":"synthetic"\}\}\]$/,
  );
  assert.match(
    messageOf(await load(() => ({ status: 503 }))),
    /answered 503 Service Unavailable\. .*try again later.*"synthetic"/,
  );
  const page = { headers: { "Content-Type": "text/html" }, body: new TextEncoder().encode("<html>") };
  assert.match(
    messageOf(await load(() => page)),
    /a web page came instead of the file\. .*log in to the network/,
  );
  assert.match(
    messageOf(await load(serve, { md5: "0" })),
    /MD5 sum of .* is [0-9a-f]{32}, expected 0; it was deleted/,
  );
  const cut = await load((request, count) =>
    count === 1 ? { ...serve(request), body: ARCHIVE.subarray(0, 100) } : { status: 503 }
  );
  assert.match(
    messageOf(cut),
    /Cannot finish the download .*try again, which resumes it/,
  );
});

Deno.test("an unusable folder is an error with the reason", async () => {
  const empty = makeFolder();
  const python = await writeFolder(new Map([["data_batch_1", new Uint8Array(3)]]));
  const partial = await writeFolder(new Map([["test_batch.bin", FILES.get("test_batch.bin")!]]));
  const cases: [string, RegExp][] = [
    [
      join(empty, "none"),
      /Cannot use .*none as the data set: there is no such folder\. \["data",.*"synthetic"/,
    ],
    [join(partial, "test_batch.bin"), /: it is a file\. \["data",\{"advice":"give the folder/],
    [empty, /: it has no test_batch\.bin\. .*give the folder that holds test_batch\.bin/],
    [python, /: it holds the Python version\. .*get CIFAR-10's binary version/],
    [await writeFolder(new Map([["train.bin", new Uint8Array()]])), /: it holds CIFAR-100\./],
    [
      await writeFolder(new Map([["test_batch.bin.gz", new Uint8Array()]])),
      /: it holds a packed file\. .*unpack it/,
    ],
    ["/dev/zero", /: it is a device or a pipe\. .*give the folder/],
    [
      partial,
      /data_batch_1\.bin is missing; data_batch_2\.bin is missing; .*copy the data set there again/,
    ],
  ];
  for (const [data, message] of cases) assert.match(messageOf(await load(serve, { data })), message);
  assert.match(
    messageOf(await load(serve, { variable: empty })),
    /as the data set: it has no test_batch\.bin \(set by CIFAR10_DIR\)/,
  );
});

Deno.test("something else of the folder's name in data/ is an error before any download", async () => {
  const folder = makeFolder();
  await Deno.symlink("/no/such/disk", join(folder, "cifar-10-batches-bin"));
  const { asked, ...dangling } = await load(serve, { folder });
  assert.match(
    messageOf(dangling),
    /cifar-10-batches-bin: it is no folder, and no link to one\. .*move it away/,
  );
  assert.equal(asked, 0);
  await Deno.symlink("loop", join(folder, "loop"));
  assert.match(
    messageOf(await load(serve, { data: join(folder, "loop") })),
    /symbolic links lead in a circle/,
  );
});

Deno.test("damaged files in data/ are an error with a remedy", async () => {
  const { folder } = await load(serve);
  await Deno.truncate(join(folder, "cifar-10-batches-bin", "data_batch_3.bin"), 1000);
  const { asked, ...damaged } = await load(serve, { folder });
  assert.match(
    messageOf(damaged),
    /data_batch_3\.bin has 1,000 bytes, expected 30,730\. .*delete that folder to have the data set downloaded again/,
  );
  assert.equal(asked, 0);
});
