/**
 * Bad networks: the real downloads from a server that stalls, cuts, lies, redirects, or shows a login page.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { readCifar10 } from "../../lib/data/cifar10.ts";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { loadPretrained } from "../../lib/model/pretrained.ts";
import { disposeAll, type StateDict, toPyTorch } from "../../lib/model/state_dict.ts";
import { InputError } from "../../lib/support/errors.ts";
import type { Random } from "../../lib/support/random.ts";
import { formatSafetensors, type StoredTensor } from "../../lib/support/safetensors.ts";
import { type FileAnswer, type FileRequest, serveBytes, startFileServer } from "../testing/file_server.ts";
import { listArchive, makeCifar10Files, makeTarGz } from "../testing/small_cifar10.ts";
import type { Kind, Torture } from "./runner.ts";

const RECORDS = 10;
const NETWORK = { retryDelay: 1, attempts: 3, answerTimeout: 300, stallTimeout: 100 };
const LOGIN = new TextEncoder().encode("<html><body>Please log in to this network</body></html>");

export const NETWORKS: Kind = {
  name: "networks",
  async run(torture) {
    await tryDatasets(torture);
    await tryWeights(torture);
  },
};

/** What is served: a file, and a later version of it. */
interface Served {
  file: Uint8Array<ArrayBuffer>;
  changed: Uint8Array<ArrayBuffer>;
}

/** A fault's name, and the answer that it makes of a proper one. */
type Fault = readonly [string, (served: Served, request: FileRequest, random: Random) => FileAnswer];

const whole = ({ file }: Served, request: FileRequest) => serveBytes(file, request);
const cut = (answer: FileAnswer, random: Random): FileAnswer => ({
  ...answer,
  body: answer.body?.subarray(0, random.integer(answer.body.length + 1)),
});
const withHeaders = (answer: FileAnswer, headers: FileAnswer["headers"]): FileAnswer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
});

const FAULTS: Fault[] = [
  ["proper", whole],
  ["cut", (served, request, random) => cut(whole(served, request), random)],
  ["stall", (served, request, random) => ({ ...cut(whole(served, request), random), hold: 400 })],
  ["no answer", () => ({ status: 200, headers: { "Content-Length": 9 }, hold: 400 })],
  [
    "length too large",
    (served, request) => withHeaders(whole(served, request), { "Content-Length": served.file.length + 7 }),
  ],
  ["length too small", (served, request) => withHeaders(whole(served, request), { "Content-Length": 100 })],
  ["no length", ({ file }) => ({ body: file })],
  ["another range", (served, request, random) => {
    const from = random.integer(served.file.length - 1);
    return serveBytes(served.file, { ...request, from, to: served.file.length });
  }],
  ["range ignored", (served, request) => whole(served, { ...request, from: undefined })],
  ["416", ({ file }) => ({ status: 416, headers: { "Content-Range": `bytes */${file.length}` } })],
  ...[404, 403, 429, 500, 502, 503, 504].map((status): Fault => [`${status}`, () => ({ status })]),
  ["redirect", (_, { path }) => ({ status: 302, headers: { Location: `${path}?again` } })],
  ["redirect to a login page", () => ({ status: 302, headers: { Location: "/login" } })],
  [
    "login page",
    () => ({ headers: { "Content-Type": "text/html", "Content-Length": LOGIN.length }, body: LOGIN }),
  ],
  ["changed", ({ changed }, request) => serveBytes(changed, request, '"two"')],
  ["empty", () => ({ headers: { "Content-Length": 0 } })],
  ["garbage", (served, request, random) => {
    const answer = whole(served, request);
    return { ...answer, body: answer.body?.map(() => random.integer(256)) };
  }],
];

/** Answers the first requests with faults, until it is mended. */
async function withBadServer(
  served: Served,
  random: Random,
  faults: readonly Fault[],
  use: (url: string, mend: () => void) => Promise<void>,
): Promise<void> {
  let isMended = false;
  const bad = 1 + random.integer(6);
  const chosen = Array.from({ length: bad }, () => faults[random.integer(faults.length)]);
  await using server = startFileServer((request, count) => {
    if (request.path === "/login") {
      return FAULTS.find(([name]) => name === "login page")![1](served, request, random);
    }
    return isMended || count > bad ? whole(served, request) : chosen[count - 1][1](served, request, random);
  });
  try {
    await use(server.url, () => isMended = true);
  } catch (error) {
    throw new Error(`${chosen.map(([name]) => name).join(", ")}: ${error}`, { cause: error });
  }
}

async function tryDatasets({ folder, row, count }: Torture): Promise<void> {
  await row("images", [], async ({ try: attempt, random, note }) => {
    const served: Served = {
      file: await makeTarGz(listArchive(makeCifar10Files(RECORDS))),
      changed: await makeTarGz(listArchive(makeCifar10Files(RECORDS + 1))),
    };
    const md5 = createHash("md5").update(served.file).digest("hex");
    const proper = join(folder, "proper");
    await Deno.mkdir(proper);
    for (const [name, bytes] of makeCifar10Files(RECORDS)) await Deno.writeFile(join(proper, name), bytes);
    const { train } = await readCifar10(proper, { recordsPerFile: RECORDS });
    let refused = 0;
    for (let number = 0; number < count(300, 8); number++) {
      await attempt(`download ${number}`, () =>
        withBadServer(served, random, FAULTS, async (url, mend) => {
          const data = join(folder, `data-${number}`);
          const archive = { url: `${url}/cifar-10-binary.tar.gz`, md5 };
          const load = async () => {
            const options = {
              folder: data,
              archive,
              recordsPerFile: RECORDS,
              network: NETWORK,
              log: () => {},
            };
            const loaded = await loadDatasets(options);
            if (loaded.source.kind === "synthetic") return void refused++; // said loudly: no network
            assert.deepEqual(loaded.train.images, train.images, "other images");
          };
          await refuses(load) && refused++;
          mend();
          await load();
          const left = [...Deno.readDirSync(data)].map(({ name }) => name);
          assert.deepEqual(left, ["cifar-10-batches-bin"], "left behind");
        }));
    }
    note(`${refused} refused or without network, all complete at the next try`);
  });
}

async function tryWeights({ folder, row, count }: Torture): Promise<void> {
  await row("weights, by ranges", [], async ({ try: attempt, random, note }) => {
    const served = { file: await makeWeights(1), changed: await makeWeights(2) };
    const expected = await Promise.all([served.file, served.changed].map(async (bytes, index) => {
      const path = join(folder, `whole-${index}.safetensors`);
      await Deno.writeFile(path, bytes);
      return valuesOf((await loadPretrained({ weights: path })).tensors!);
    }));
    // without a checksum garbage of the right length cannot be told from weights
    const faults = FAULTS.filter(([name]) => name !== "garbage");
    let refused = 0;
    for (let number = 0; number < count(300, 8); number++) {
      await attempt(`download ${number}`, () =>
        withBadServer(served, random, faults, async (url, mend) => {
          const file = join(folder, `weights-${number}.safetensors`);
          const load = async () => {
            const loaded = await loadPretrained({
              url: `${url}/model.safetensors`,
              file,
              network: NETWORK,
              log: () => {},
            });
            if (loaded.tensors === null) return void refused++; // said loudly: no network
            assert.ok(expected.includes(valuesOf(loaded.tensors)), "other weights, or of two versions");
          };
          await refuses(load) && refused++;
          mend();
          await load();
          const left = [...Deno.readDirSync(folder)].filter(({ name }) => /part|tmp/.test(name));
          assert.deepEqual(left, [], "left behind");
        }));
    }
    note(`${refused} refused or without network, all complete at the next try`);
  });
}

/** Whether the work is refused in a sentence; other errors are thrown. */
async function refuses(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof InputError) return true;
    throw error;
  }
}

async function makeWeights(seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const network: StateDict = createNetwork({ variant: "dynamic", backbone: "trainable", adapter: "none" }, {
    seed,
  });
  const tensors: [string, StoredTensor][] = [["unused", {
    shape: [200_000],
    data: new Float32Array(200_000),
  }]];
  for (const [name, tensor] of Object.entries(network)) {
    if (name.startsWith("backbone.")) tensors.push([name.slice("backbone.".length), await toPyTorch(tensor)]);
  }
  disposeAll(network);
  return formatSafetensors(tensors);
}

function valuesOf(tensors: ReadonlyMap<string, { data: Float32Array }>): string {
  const hash = createHash("sha256");
  for (const [name, { data }] of tensors) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
