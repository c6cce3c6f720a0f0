import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { downloadFile, type DownloadOptions } from "../../lib/support/download/download.ts";
import { fetchRange } from "../../lib/support/download/range.ts";
import { DownloadError, explainWriteError, TransientError } from "../../lib/support/download/request.ts";
import { type FileAnswer, type FileRequest, serveBytes, startFileServer } from "../testing/file_server.ts";
import { makeFolder } from "../testing/folder.ts";
import { PROJECT } from "../testing/sources.ts";

const FILE = new Uint8Array(300_000).map((_, index) => index * 7 + (index >> 8));
const OTHER = FILE.map((byte) => 255 - byte);
const md5Of = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
const MD5 = md5Of(FILE);
const quick = { retryDelay: 1, attempts: 3 };
const checked = { ...quick, md5: MD5, maximumBytes: 1_000_000 };

/** Downloads from a server that behaves like `handle`, and tells what there is afterwards. */
async function download(
  handle: (request: FileRequest, count: number) => FileAnswer,
  options: Partial<DownloadOptions> & { folder?: string } = {},
) {
  const { folder = makeFolder(), ...rest } = options;
  await using server = startFileServer(handle);
  const path = join(folder, "file.bin");
  let error: unknown;
  await downloadFile(`${server.url}/file.bin`, path, { ...checked, ...rest }).catch((why) => error = why);
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
  const { bytes, starts } = await download((request, count) =>
    count < 3 ? cut(serveBytes(FILE, request), 100_000) : serveBytes(FILE, request)
  );
  assert.deepEqual(bytes, FILE);
  assert.deepEqual(starts, [undefined, 100_000, 200_000]);
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
  assert.deepEqual(first.left, ["file.bin.part"]);
  const second = await download((request) => serveBytes(FILE, request), { folder: first.folder });
  assert.deepEqual(second.starts, [120_000]);
  assert.deepEqual(second.bytes, FILE);
  assert.deepEqual(second.left, ["file.bin"]);
});

Deno.test("parts of two versions of the file are not joined", async () => {
  const cutAt = 120_000;
  const first = await download(
    (request, count) => count === 1 ? cut(serveBytes(OTHER, request), cutAt) : { status: 503 },
  );
  const later = await download((request) => serveBytes(FILE, request), { folder: first.folder });
  assert.deepEqual(later.starts, [cutAt, undefined]);
  assert.deepEqual(later.bytes, FILE);
  const meanwhile = await download((request, count) =>
    count === 1 ? cut(serveBytes(OTHER, request), cutAt) : serveBytes(FILE, request)
  );
  assert.deepEqual(meanwhile.starts, [undefined, cutAt, undefined]);
  assert.deepEqual(meanwhile.bytes, FILE);
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
  assert.match(failure(error)[1], /sent more than 300000 bytes/);
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

Deno.test("a server that is busy for a moment is asked again", async () => {
  for (const status of [429, 500, 503]) {
    const { bytes, starts } = await download((request, count) =>
      count === 1 ? { status } : serveBytes(FILE, request)
    );
    assert.deepEqual([bytes, starts.length], [FILE, 2], `${status}`);
  }
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

Deno.test("without a connection the server is unreachable", async () => {
  const unused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = unused.addr;
  unused.close();
  const message = async (host: string) => {
    const error = await fetchRange(`http://${host}:${port}/`, 0, 8, quick).catch((error) => error);
    assert.equal(failure(error)[0], "unreachable");
    return failure(error)[1];
  };
  assert.match(await message("127.0.0.1"), /^Cannot reach 127\.0\.0\.1:\d+: tcp connect error: [^:]*\.$/);
  assert.match(
    await message("no-such-host.invalid"),
    /^Cannot reach no-such-host\.invalid:\d+: dns error: .*\.$/,
  );
});

Deno.test("a server that answers anything but the file is reached and refuses it", async () => {
  const page = new TextEncoder().encode("<html>Please log in</html>");
  const cases: [FileAnswer, RegExp][] = [
    [{ status: 403 }, /the server answered 403 Forbidden\.$/],
    [{ status: 404 }, /the server answered 404 Not Found\.$/],
    [{ status: 429, headers: { "Retry-After": 0 } }, /the server answered 429 Too Many Requests\.$/],
    [{ status: 500 }, /the server answered 500 Internal Server Error\.$/],
    [
      { status: 503, headers: { "Retry-After": "tomorrow" } },
      /the server answered 503 Service Unavailable\.$/,
    ],
    [{ status: 302 }, /the server answered 302 Found\.$/],
    [{ status: 302, headers: { Location: "/again" } }, /Maximum number of redirects/],
    [{ status: 307, headers: { Location: "file:///etc/passwd" } }, /Can not redirect/],
    [{ headers: { "Content-Type": "text/html; charset=utf-8" }, body: page }, /a web page came instead/],
    [{ headers: { "Content-Encoding": "gzip" }, body: FILE }, /it came compressed \(gzip\), unasked/],
    [{ headers: { "Content-Length": "many" }, body: FILE }, /invalid content-length/],
  ];
  for (const [answer, why] of cases) {
    const { error, left } = await download(() => answer);
    assert.deepEqual([failure(error)[0], left], ["refused", []], String(why));
    assert.match(failure(error)[1], /^Cannot download http:/);
    assert.match(failure(error)[1], why);
    await using server = startFileServer(() => answer);
    await assert.rejects(fetchRange(server.url, 0, 8, quick), why);
  }
});

/** Fetches in a process of its own, whose environment says what to trust and which proxy to use. */
async function fetchElsewhere(
  urls: string[],
  env: Record<string, string>,
  permission = "-A",
): Promise<string[]> {
  const program = `import { fetchRange } from "${import.meta.resolve("../../lib/support/download/range.ts")}";
    for (const url of ${JSON.stringify(urls)}) {
      const bytes = fetchRange(url, 0, 8, { retryDelay: 1 });
      console.log(await bytes.then(({ length }) => length, ({ message }) => message));
    }`;
  const file = join(makeFolder(), "fetch.ts");
  await Deno.writeTextFile(file, program);
  const args = ["run", "--no-prompt", "--no-check", "--config", join(PROJECT, "deno.json"), permission, file];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, env }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

const openssl = (folder: string, ...args: string[]) =>
  new Deno.Command("openssl", { args, cwd: folder }).outputSync().success;
const hasOpenssl = (() => {
  try {
    return openssl(".", "version");
  } catch {
    return false;
  }
})();

Deno.test({
  name: "only trusted certificates count, and no redirect to a plain connection",
  ignore: !hasOpenssl,
}, async () => {
  const folder = makeFolder();
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const issue = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  await Deno.writeTextFile(join(folder, "names"), "subjectAltName=DNS:localhost");
  openssl(folder, "req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Company");
  openssl(folder, "req", ...key, "-keyout", "key.pem", "-out", "request", "-subj", "/CN=localhost");
  assert.ok(openssl(folder, "x509", "-req", "-in", "request", ...issue, "-out", "cert.pem"));
  const [cert, pem] = ["cert.pem", "key.pem"].map((name) => Deno.readTextFileSync(join(folder, name)));
  await using plain = startFileServer(() => ({ body: FILE }));
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key: pem, onListen() {} },
    ({ url }) => url.endsWith("/plain") ? Response.redirect(plain.url) : new Response(FILE.slice(0, 8)),
  );
  const url = `https://localhost:${server.addr.port}`;
  const error = await fetchRange(url, 0, 8, quick).catch((error) => error);
  assert.equal(failure(error)[0], "refused");
  assert.match(failure(error)[1], /: invalid peer certificate: UnknownIssuer\.$/);
  assert.match(JSON.stringify(error.next), /DENO_TLS_CA_STORE=mozilla,system .* DENO_CERT=FILE/);
  const ca = join(folder, "ca.pem");
  const settings: Record<string, string>[] = [{ DENO_CERT: ca }, {
    DENO_TLS_CA_STORE: "mozilla,system",
    SSL_CERT_FILE: ca,
  }];
  for (const setting of settings) {
    const env = { ...setting, NO_PROXY: "localhost,127.0.0.1" };
    const [trusted, redirected] = await fetchElsewhere([url, `${url}/plain`], env);
    assert.equal(trusted, "8", JSON.stringify(setting));
    assert.match(redirected, /plain: it was redirected to http:.*, where anybody could change it\.$/);
  }
});

Deno.test("downloads go through HTTPS_PROXY; a proxy that refuses counts as no network", async () => {
  await using proxy = startFileServer(() => ({ status: 403 }));
  const [message] = await fetchElsewhere(["https://example.org/file"], {
    HTTPS_PROXY: proxy.url,
    NO_PROXY: "",
  });
  assert.equal(message, "Cannot reach example.org: the proxy of HTTPS_PROXY lets no connection through.");
  assert.deepEqual(proxy.requests.map(({ path }) => path), ["example.org:443", "example.org:443"]);
});

Deno.test("a SOCKS proxy that the permissions do not cover is an error, not a missing network", async () => {
  const env = { HTTPS_PROXY: "socks5://127.0.0.1:9", NO_PROXY: "" };
  const [message] = await fetchElsewhere(["https://example.org/file"], env, "--allow-net=example.org:443");
  assert.equal(message, 'Requires net access to "127.0.0.1:9", run again with the --allow-net flag');
});

Deno.test("wrong settings of certificates are errors, not a missing network", async () => {
  const settings: Record<string, string>[] = [{ DENO_TLS_CA_STORE: "none" }, { DENO_CERT: "/no/such/file" }];
  const messages = [
    /: Unknown certificate store "none" specified/,
    /: Failed opening CA file: No such file/,
  ];
  for (const [index, setting] of settings.entries()) {
    const [message] = await fetchElsewhere(
      ["https://no-such-host.invalid/a"],
      setting,
    );
    assert.match(message, /^Cannot download https:/);
    assert.match(message, messages[index]);
  }
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
  const waiting = fetchRange(`http://127.0.0.1:${listener.addr.port}/`, 0, 8, {
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

Deno.test("a transfer that only drips is cut off and fails", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dripping = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(4096);
      await connection.read(buffer);
      const [, from] = /bytes=(\d+)-/.exec(new TextDecoder().decode(buffer))!;
      const head = `HTTP/1.1 206 Partial\r\nContent-Range: bytes ${from}-499/500\r\n` +
        `Content-Length: ${500 - Number(from)}\r\n\r\n`;
      await connection.write(new TextEncoder().encode(head));
      for (let at = Number(from); at < 500; at++) {
        if (await connection.write(Uint8Array.of(1)).catch(() => 0) === 0) break;
        await new Promise((done) => setTimeout(done, 5));
      }
      connection.close();
    }
  })();
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  const error = await fetchRange(url, 0, 500, { ...quick, stallTimeout: 100 }).catch((error) => error);
  assert.equal(failure(error)[0], "interrupted");
  assert.match(failure(error)[1], /the transfer stalled for 0 s/);
  listener.close();
  await dripping;
});

Deno.test("ranges of two versions of a file are not mixed", async () => {
  await using server = startFileServer((request, count) =>
    serveBytes(FILE, request, count < 3 ? '"one"' : '"two"')
  );
  const version = {};
  await fetchRange(server.url, 0, 1000, { ...quick, version });
  await fetchRange(server.url, 1000, 2000, { ...quick, version });
  const changed = /the file changed on the server meanwhile\.$/;
  await assert.rejects(fetchRange(server.url, 2000, 3000, { ...quick, version }), changed);
  await using longer = startFileServer((request, count) =>
    serveBytes(FILE.subarray(0, 200_000 + count), request, "")
  );
  const other = {};
  await fetchRange(longer.url, 0, 1000, { ...quick, version: other });
  await assert.rejects(fetchRange(longer.url, 1000, 2000, { ...quick, version: other }), changed);
  await using cutting = startFileServer((request, count) =>
    count === 1 ? cut(serveBytes(FILE, request), 2000) : serveBytes(OTHER, request, '"two"')
  );
  await assert.rejects(fetchRange(cutting.url, 0, 5000, quick), changed);
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

Deno.test("an endless answer is cut off, and the bytes are deleted", async () => {
  let last = 0;
  const { error, left } = await download(() => ({ body: FILE }), {
    maximumBytes: 10_000,
    onDownload: (bytes) => last = bytes,
  });
  assert.equal(failure(error)[0], "damaged");
  assert.match(failure(error)[1], /the server sent more than 10000 bytes; they were deleted/);
  assert.ok(last < FILE.length, "all was read");
  assert.deepEqual(left, []);
});

Deno.test("errors of the disk are explained, those of the network are none of them", async () => {
  const error = await Deno.writeFile("/dev/full", FILE).catch((error) => error);
  const [reason, message] = failure(explainWriteError(error, "data/file.bin"));
  assert.equal(reason, "disk");
  assert.equal(message, "Cannot save data/file.bin: the disk is full.");
  const timeout = new TransientError("Connection timed out (os error 110)");
  assert.equal(explainWriteError(timeout, "data/file.bin"), timeout);
  const folder = makeFolder();
  await Deno.mkdir(join(folder, "file.bin.part"));
  const blocked = await download((request) => serveBytes(FILE, request), { folder });
  assert.match(String(blocked.error), /Cannot read .*file\.bin\.part: it is a folder\.$/);
});
