/**
 * A small HTTP server over a bare socket, which can do what a proper one will not: cut, lie about lengths,
 * stand still.
 *
 * @module
 */

/** A request as it came. */
export interface FileRequest {
  path: string;
  headers: Headers;
  /** The first byte of the `Range` header, if there is one. */
  from: number | undefined;
  /** One past the last byte of the `Range` header, if it has one. */
  to: number | undefined;
  /** The client closed the connection while the answer was on hold. */
  clientLeft?: boolean;
}

/** The raw response: the connection closes after `body`. */
export interface FileAnswer {
  status?: number;
  headers?: Record<string, string | number>;
  body?: Uint8Array;
  /** Keep the connection open until the client leaves it, or for so many milliseconds. */
  hold?: number;
}

/** A running server. */
export interface FileServer extends AsyncDisposable {
  url: string;
  /** What was asked for so far. */
  requests: FileRequest[];
}

/** Starts a server on a free port of this machine. */
export function startFileServer(handle: (request: FileRequest, count: number) => FileAnswer): FileServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: FileRequest[] = [];
  const open = new Set<Promise<void>>();
  const serve = async (connection: Deno.Conn) => {
    using _closed = connection;
    const request = await readRequest(connection);
    if (!request) return;
    requests.push(request);
    const { status = 200, headers = {}, body = new Uint8Array(), hold = 0 } = handle(
      request,
      requests.length,
    );
    const lines = Object.entries({ Connection: "close", ...headers }).map(([name, value]) =>
      `${name}: ${value}\r\n`
    );
    await write(connection, new TextEncoder().encode(`HTTP/1.1 ${status} Answer\r\n${lines.join("")}\r\n`));
    await write(connection, body);
    if (hold) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeUp = new Promise<false>((done) => timer = setTimeout(() => done(false), hold));
      const left = connection.read(new Uint8Array(1)).then(() => true, () => true);
      request.clientLeft = await Promise.race([timeUp, left]);
      clearTimeout(timer);
    }
  };
  const accepting = (async () => {
    for await (const connection of listener) {
      const one = serve(connection).catch(() => {/* the client went away, which it may */}).finally(() =>
        open.delete(one)
      );
      open.add(one);
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

/** Answers as a proper file server does: whole, or the range that was asked for. */
export function serveBytes(
  bytes: Uint8Array,
  { from, to, headers }: FileRequest,
  etag = '"one"',
): FileAnswer {
  const condition = headers.get("If-Range");
  if (from === undefined || (condition !== null && condition !== etag)) {
    return { headers: { "Content-Length": bytes.length, ETag: etag }, body: bytes };
  }
  if (from >= bytes.length) return { status: 416, headers: { "Content-Range": `bytes */${bytes.length}` } };
  const body = bytes.subarray(from, to);
  const range = `bytes ${from}-${from + body.length - 1}/${bytes.length}`;
  return {
    status: 206,
    headers: { "Content-Length": body.length, "Content-Range": range, ETag: etag },
    body,
  };
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function readRequest(connection: Deno.Conn): Promise<FileRequest | null> {
  const buffer = new Uint8Array(8192);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const read = await connection.read(buffer);
    if (read === null) return null;
    text += new TextDecoder().decode(buffer.subarray(0, read));
  }
  const [first, ...lines] = text.split("\r\n\r\n")[0].split("\r\n");
  const headers = new Headers(lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.get("Range") ?? "");
  return {
    path: first.split(" ")[1],
    headers,
    from: range ? Number(range[1]) : undefined,
    to: range?.[2] ? Number(range[2]) + 1 : undefined,
  };
}
