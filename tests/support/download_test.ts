import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { downloadFile, type DownloadOptions } from "../../lib/support/download/download.ts";
import { fetchRange } from "../../lib/support/download/range.ts";
import { DownloadError, explainWriteError } from "../../lib/support/download/request.ts";
import { type FileAnswer, type FileRequest, serveBytes, startFileServer } from "../testing/file_server.ts";
import { makeFolder } from "../testing/folder.ts";

const FILE = new Uint8Array(300_000).map((_, index) => index * 7 + (index >> 8));
const OTHER = FILE.map((byte) => 255 - byte);
const md5Of = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
const MD5 = md5Of(FILE);
const quick = { retryDelay: 1, attempts: 3 };

/** Downloads from a server that behaves like `handle`, and tells what there is afterwards. */
async function download(
  handle: (request: FileRequest, count: number) => FileAnswer,
  options: DownloadOptions & { folder?: string } = {},
) {
  const { folder = makeFolder(), ...rest } = options;
  await using server = startFileServer(handle);
  const path = join(folder, "file.bin");
  // the port differs from server to server: as in a later process, the part must be taken for the same file's
  const record = `${path}.part.json`;
  if (await Deno.stat(record).catch(() => null)) {
    const text = await Deno.readTextFile(record);
    await Deno.writeTextFile(record, text.replace(/http:[^"]*/, `${server.url}/file.bin`));
  }
  let error: unknown;
  await downloadFile(`${server.url}/file.bin`, path, { md5: MD5, ...quick, ...rest }).catch((why) =>
    error = why
  );
  const bytes = await Deno.readFile(path).catch(() => null);
  const left = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  return {
    folder,
    bytes,
    left,
    error,
    requests: server.requests,
    starts: server.requests.map(({ from }) => from),
  };
}

function cut(answer: FileAnswer, length: number): FileAnswer {
  return { ...answer, body: answer.body!.subarray(0, length) };
}

function failure(error: unknown): [string, string] {
  assert.ok(error instanceof DownloadError, `not a DownloadError: ${error}`);
  return [error.failure, error.message];
}

Deno.test("a download reports progress and leaves no temporary files", async () => {
  const progress: [number, number | undefined][] = [];
  const { bytes, left, error } = await download((request) => serveBytes(FILE, request), {
    onDownload: (bytes, total) => progress.push([bytes, total]),
  });
  assert.equal(error, undefined);
  assert.deepEqual(bytes, FILE);
  assert.deepEqual(left, ["file.bin"]);
  assert.deepEqual(progress.at(-1), [FILE.length, FILE.length]);
});

Deno.test("an existing file is checked and not downloaded again", async () => {
  const folder = makeFolder();
  await Deno.writeFile(join(folder, "file.bin"), FILE);
  assert.deepEqual((await download(() => ({ status: 500 }), { folder })).starts, []);
  await Deno.writeFile(join(folder, "file.bin"), OTHER);
  const { error, starts } = await download(() => ({ status: 500 }), { folder });
  assert.deepEqual(starts, []);
  assert.match(failure(error)[1], new RegExp(`MD5 sum is ${md5Of(OTHER)}, expected ${MD5}\\.$`));
});

Deno.test("an interrupted transfer is resumed where it stopped", async () => {
  const { bytes, starts, requests } = await download((request, count) =>
    count < 3 ? cut(serveBytes(FILE, request), 100_000) : serveBytes(FILE, request)
  );
  assert.deepEqual(bytes, FILE);
  assert.deepEqual(starts, [undefined, 100_000, 200_000]);
  assert.equal(requests[1].headers.get("If-Range"), '"one"');
});

Deno.test("a later call resumes an earlier download", async () => {
  const first = await download(
    (request, count) => count === 1 ? cut(serveBytes(FILE, request), 120_000) : { status: 503 },
  );
  const [reason, message] = failure(first.error);
  assert.equal(reason, "interrupted");
  assert.match(
    message,
    /Cannot finish .* 503 Service Unavailable\.$/,
  );
  assert.deepEqual(first.left, ["file.bin.part", "file.bin.part.json"]);
  const second = await download((request) => serveBytes(FILE, request), { folder: first.folder });
  assert.deepEqual(second.starts, [120_000]);
  assert.deepEqual(second.bytes, FILE);
  assert.deepEqual(second.left, ["file.bin"]);
});

Deno.test("a changed file is downloaded from its beginning", async () => {
  const first = await download(
    (request, count) => count === 1 ? cut(serveBytes(OTHER, request, '"old"'), 120_000) : { status: 503 },
  );
  const second = await download((request) => serveBytes(FILE, request, '"new"'), { folder: first.folder });
  assert.deepEqual(second.bytes, FILE);
  assert.deepEqual(second.starts, [120_000]); // asked for the rest if unchanged, got the whole
});

Deno.test("a change without a new ETag is detected by the checksum, and the file downloaded again", async () => {
  const plain = (bytes: Uint8Array, request: FileRequest) => {
    const { headers, ...answer } = serveBytes(bytes, request);
    const { ETag: _, ...rest } = headers!;
    return { ...answer, headers: rest };
  };
  const first = await download(
    (request, count) => count === 1 ? cut(plain(OTHER, request), 120_000) : { status: 503 },
  );
  const second = await download((request) => plain(FILE, request), { folder: first.folder });
  assert.deepEqual(second.starts, [120_000, undefined]);
  assert.deepEqual(second.bytes, FILE);
});

Deno.test("without ETag, date or checksum nothing is resumed", async () => {
  const plain = { headers: { "Content-Length": FILE.length } };
  const { starts, bytes } = await download(
    (_, count) => ({ ...plain, body: FILE.subarray(0, count * 150_000) }),
    {
      md5: undefined,
    },
  );
  assert.deepEqual(starts, [undefined, undefined]);
  assert.deepEqual(bytes, FILE);
});

Deno.test("a server without ranges sends the file again from its beginning", async () => {
  const { bytes, starts } = await download((_, count) => ({
    headers: { "Content-Length": FILE.length, ETag: '"one"' },
    body: FILE.subarray(0, count === 1 ? 200_000 : FILE.length),
  }));
  assert.deepEqual(starts, [undefined, 200_000]);
  assert.deepEqual(bytes, FILE);
});

Deno.test("a server that announces too great a length fails after a few attempts", async () => {
  const { error, bytes, starts } = await download(() => ({
    headers: { "Content-Length": FILE.length + 5, ETag: '"one"' },
    body: FILE,
  }));
  assert.equal(failure(error)[0], "interrupted");
  assert.equal(bytes, null);
  assert.equal(starts.length, 3); // the second and third brought nothing new
});

Deno.test("a range longer than announced is refused, and the part deleted", async () => {
  const { error, left } = await download((request, count) => {
    if (count === 1) return cut(serveBytes(FILE, request), 100_000);
    const range = `bytes 100000-299999/${FILE.length}`;
    return { status: 206, headers: { "Content-Range": range }, body: new Uint8Array(200_005) };
  });
  assert.deepEqual(failure(error)[0], "damaged");
  assert.match(failure(error)[1], /sent 300005 bytes instead of 300000/);
  assert.deepEqual(left, []);
});

Deno.test("a range that starts elsewhere is not appended", async () => {
  const { bytes, starts } = await download((request, count) => {
    if (count === 1) return cut(serveBytes(FILE, request), 100_000);
    return serveBytes(FILE, count === 2 ? { ...request, from: 50_000 } : request);
  });
  assert.deepEqual(starts, [undefined, 100_000, undefined]);
  assert.deepEqual(bytes, FILE);
});

Deno.test("a wrong checksum is reported, and the bytes are deleted", async () => {
  const { error, left, starts } = await download((request) => serveBytes(OTHER, request));
  const [reason, message] = failure(error);
  assert.equal(reason, "damaged");
  assert.match(message, new RegExp(`MD5 sum of .* is ${md5Of(OTHER)}, expected ${MD5}; it was deleted`));
  assert.deepEqual(left, []);
  assert.equal(starts.length, 1);
});

Deno.test("404 is refused at once, without another attempt", async () => {
  const { error, starts } = await download(() => ({ status: 404 }));
  assert.equal(failure(error)[0], "refused");
  assert.match(failure(error)[1], /file\.bin: the server answered 404 Not Found\.$/);
  assert.equal(starts.length, 1);
});

Deno.test("416 for a part of the file's length means that it is complete", async () => {
  const first = await download((request, count) =>
    // the length is unknown, so only the 416 shows that the file is complete
    count === 1
      ? { headers: { ETag: '"one"', "Content-Length": FILE.length + 1 }, body: FILE }
      : serveBytes(FILE, request)
  );
  assert.equal(first.error, undefined);
  assert.deepEqual(first.starts, [undefined, FILE.length]);
  assert.deepEqual(first.bytes, FILE);
});

Deno.test("416 for a part longer than the file restarts the download", async () => {
  const longer = new Uint8Array(400_000);
  const first = await download(
    (request, count) => count === 1 ? cut(serveBytes(longer, request), 350_000) : { status: 503 },
  );
  const second = await download((request) => serveBytes(FILE, request), { folder: first.folder });
  assert.deepEqual(second.starts, [350_000, undefined]);
  assert.deepEqual(second.bytes, FILE);
});

Deno.test("a server that is down, and no server at all, are unreachable", async () => {
  const down = await download(() => ({ status: 503 }));
  assert.deepEqual(failure(down.error)[0], "unreachable");
  assert.match(
    failure(down.error)[1],
    /^Cannot reach 127\.0\.0\.1:\d+: the server answered 503 Service Unavailable\.$/,
  );
  assert.equal(down.starts.length, 2);
  const unused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${unused.addr.port}/`;
  unused.close();
  const path = join(makeFolder(), "file");
  const error = await downloadFile(url, path, quick).catch((error) => error);
  assert.equal(failure(error)[0], "unreachable");
  assert.match(
    failure(error)[1],
    /^Cannot reach 127\.0\.0\.1:\d+: [^:]*connect error: Connection refused .*\.$/,
  );
});

Deno.test("a stalled transfer is resumed over a new connection", async () => {
  const { error, bytes, requests } = await download(
    (request, count) =>
      count === 1 ? { ...cut(serveBytes(FILE, request), 100_000), hold: 3000 } : serveBytes(FILE, request),
    { stallTimeout: 50 },
  );
  assert.equal(error, undefined);
  assert.deepEqual(bytes, FILE);
  assert.equal(requests[0].clientLeft, true);
});

Deno.test("a server that never answers is unreachable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const path = join(makeFolder(), "file");
  const waiting = downloadFile(`http://127.0.0.1:${listener.addr.port}/`, path, {
    ...quick,
    answerTimeout: 50,
  });
  await assert.rejects(waiting, (error) => failure(error)[0] === "unreachable");
  listener.close();
});

Deno.test("fetchRange fetches the range over a redirect and an interruption", async () => {
  await using files = startFileServer((request, count) =>
    count === 1 ? cut(serveBytes(FILE, request), 1000) : serveBytes(FILE, request)
  );
  await using front = startFileServer(() => ({
    status: 302,
    headers: { Location: `${files.url}/elsewhere` },
  }));
  const bytes = await fetchRange(`${front.url}/file`, 5000, 9000, quick);
  assert.deepEqual(bytes, FILE.slice(5000, 9000));
  assert.deepEqual(files.requests.map(({ from, to }) => [from, to]), [[5000, 9000], [6000, 9000]]);
});

Deno.test("fetchRange extracts the range if the server ignores ranges", async () => {
  await using server = startFileServer(() => ({ headers: { "Content-Length": FILE.length }, body: FILE }));
  assert.deepEqual(await fetchRange(server.url, 5000, 9000, quick), FILE.slice(5000, 9000));
});

Deno.test("fetchRange refuses a short file and a wrong range", async () => {
  await using server = startFileServer((request) => serveBytes(FILE.subarray(0, 6000), request));
  const short = (error: unknown) =>
    failure(error)[1].endsWith("up to byte 9000: the file has only 6000 bytes.");
  await assert.rejects(fetchRange(server.url, 5000, 9000, quick), short);
  await assert.rejects(fetchRange(server.url, 7000, 9000, quick), short);
  await using whole = startFileServer(() => ({
    headers: { "Content-Length": 6000 },
    body: FILE.subarray(0, 6000),
  }));
  await assert.rejects(fetchRange(whole.url, 5000, 9000, quick), short);
  await using liar = startFileServer((request) => serveBytes(FILE, { ...request, from: request.from! + 1 }));
  await assert.rejects(
    fetchRange(liar.url, 5000, 9000, quick),
    /other bytes than were requested \(bytes 5001-8999/,
  );
});

Deno.test("a full disk and a missing permission are explained", async () => {
  const error = await Deno.writeFile("/dev/full", FILE).catch((error) => error);
  const [reason, message] = failure(explainWriteError(error, "data/file.bin"));
  assert.equal(reason, "disk");
  assert.equal(message, "Cannot save data/file.bin: the disk is full.");
  const denied = Object.assign(new Error("Permission denied"), { code: "EACCES" });
  assert.match(failure(explainWriteError(denied, "x"))[1], /^Cannot save x: this user may not write there/);
});
